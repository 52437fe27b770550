import { isAscii, isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { analyse } from 'chardet'
import iconv from 'iconv-lite'
import { VendorError } from '../connector.ts'
import { LIMITS, type Position, readRows } from './rows.ts'
import { type Encoding, readBytes, type Source } from './source.ts'

const DELIMITERS = [',', ';', '\t', '|']
const SAMPLE_BYTES = 1 << 16
/**
 * How much more likely, in chardet's percent, another encoding must be than the usual Windows-1252. Another script
 * shows at once; which Latin letters are meant can not be told from a few names, so there a setting is often needed.
 */
const CLEARLY = { script: 15, latin: 30 }
const OTHER_SCRIPT = /^(windows-125[1356]|iso-8859-[5678])$/

/** What a file says about itself. `body` is where its header stands. */
export type Format = {
  readonly encoding: Encoding
  readonly delimiter: string
  readonly body: Position
}
export type FormatSettings = { readonly encoding?: Encoding; readonly delimiter?: string }

/** Finds out encoding and delimiter; a setting wins over what is found. Throws `rejected` for what is not text. */
export async function detectFormat(
  handle: FileHandle,
  name: string,
  size: number,
  settings: FormatSettings,
): Promise<Format> {
  const head = await readBytes(handle, 0, SAMPLE_BYTES)
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04'))) {
    throw notText(name, 'is a spreadsheet or a ZIP archive; save it as CSV')
  }
  const mark = byteOrderMark(head)
  const encoding = settings.encoding ?? mark?.encoding ?? (await guessEncoding(handle, head))
  if (encoding.startsWith('utf-') ? false : head.includes(0)) throw notText(name, 'is not a text file')
  const body = { at: mark?.encoding === encoding ? mark.units : 0, line: 1 }
  const source = { handle, name, size, encoding, delimiter: ',' }
  return { encoding, ...(await findDelimiter(source, body, settings.delimiter)) }
}

function notText(name: string, what: string): VendorError {
  return new VendorError({ kind: 'rejected', code: 'not-csv', field: null, message: `${name} ${what}` })
}

/** https://www.unicode.org/faq/utf_bom.html#bom4 */
function byteOrderMark(head: Buffer): { readonly encoding: Encoding; readonly units: number } | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', units: 3 }
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', units: 1 }
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', units: 1 }
  return null
}

async function guessEncoding(handle: FileHandle, head: Buffer): Promise<Encoding> {
  const wide = guessUtf16(head)
  if (wide !== null) return wide
  const sample = await firstBeyondAscii(handle, head)
  if (sample === null || isUtf8(withoutHalfCharacters(sample))) return 'utf-8'
  const guesses = analyse(sample).flatMap(({ name, confidence }) => {
    const single = /^(windows-125\d|iso-8859-\d+)$/i.test(name) && iconv.encodingExists(name)
    // ISO-8859-1 has no printable characters that Windows-1252 lacks: https://encoding.spec.whatwg.org/#names-and-labels
    return single
      ? [{ name: name.toLowerCase() === 'iso-8859-1' ? 'windows-1252' : name.toLowerCase(), confidence }]
      : []
  })
  const usual = guesses.find(({ name }) => name === 'windows-1252')?.confidence ?? 0
  const best = guesses.toSorted((a, b) => b.confidence - a.confidence)[0]
  const margin = OTHER_SCRIPT.test(best?.name ?? '') ? CLEARLY.script : CLEARLY.latin
  return best !== undefined && best.confidence >= usual + margin ? best.name : 'windows-1252'
}

/** UTF-16 without a mark: in a header every other byte is zero. */
function guessUtf16(head: Buffer): Encoding | null {
  const sample = head.subarray(0, 512)
  const zeros = [0, 0]
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1
  const [even = 0, odd = 0] = zeros
  const many = sample.length / 4
  return odd > many && odd > 4 * even ? 'utf-16le' : even > many && even > 4 * odd ? 'utf-16be' : null
}

/** The first part of the file with a byte over 127; null where there is none. One fast pass over the file. */
async function firstBeyondAscii(handle: FileHandle, head: Buffer): Promise<Buffer | null> {
  let sample = head
  for (let offset = 0; sample.length > 0; ) {
    if (!isAscii(sample)) return sample
    offset += sample.length
    sample = await readBytes(handle, offset, LIMITS.windowBytes)
  }
  return null
}

/** A sample may start or stop inside a character of UTF-8, which has up to four bytes. */
function withoutHalfCharacters(sample: Buffer): Buffer {
  let start = 0
  while (start < 3 && ((sample[start] ?? 0) & 0xc0) === 0x80) start++
  let end = sample.length
  for (let back = 1; back <= 3; back++) {
    const byte = sample[sample.length - back] ?? 0
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    if (needs > back) end = sample.length - back
    if (byte < 0x80 || byte >= 0xc0) break
  }
  return sample.subarray(start, end)
}

/** The delimiter that gives the header more than one cell and most rows as many; Excel's `sep=;` line settles it. */
async function findDelimiter(source: Source, body: Position, set: string | undefined) {
  const first = await readRows(source, body, { ...LIMITS, rows: 1 })
  const named = /^sep=(.)"?$/i.exec(first.rows[0]?.kind === 'row' ? first.rows[0].cells.join(',') : '')?.[1]
  if (named !== undefined) return { delimiter: set ?? named, body: first.next }
  if (set !== undefined) return { delimiter: set, body }
  let best = { delimiter: ',', alike: 0, cells: 0 }
  for (const delimiter of DELIMITERS) {
    const { rows } = await readRows({ ...source, delimiter }, body, { ...LIMITS, rows: 20 })
    const cells = rows[0]?.kind === 'row' ? rows[0].cells.length : 0
    const alike = rows.filter((row) => row.kind === 'row' && row.cells.length === cells).length
    if (cells < 2) continue
    if (alike > best.alike || (alike === best.alike && cells > best.cells)) best = { delimiter, alike, cells }
  }
  return { delimiter: best.delimiter, body }
}
