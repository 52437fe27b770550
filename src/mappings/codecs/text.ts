import { codecFrom, invalid, readAs, scalarText, shown, type Codec, type EmptyForm } from '../codec.ts'

/** Longer text is no name, title or memo; it is most likely a file in the wrong column. */
const MAX_LENGTH = 10_000

export type TextOptions = {
  /** The most the remote takes, in code points; what is written is cut there. */
  readonly max?: number | undefined
  /** Line breaks are kept. */
  readonly multiline?: boolean | undefined
}

export function text(options: TextOptions = {}, empty: EmptyForm = ''): Codec {
  const { max, multiline = false } = options
  return codecFrom({
    name: 'text',
    samples: max !== undefined && max < 9 ? ['a'] : ['Ann', 'Zoë Łuk 7'],
    empty,
    read(raw) {
      const said = scalarText(raw)
      if (said === undefined) return invalid(raw, `${shown(raw)} is not text. Map a part of it, or use cel.`)
      if (said.length > MAX_LENGTH) return tooLong(said)
      const clean = cleanText(said, multiline)
      return readAs(clean === '' ? null : clean)
    },
    write: (value) => (typeof value === 'string' ? fitted(value, max) : value),
  })
}

function tooLong(said: string) {
  const length = said.length.toLocaleString('en')
  return invalid(
    said,
    `${shown(said)} is text of ${length} characters; at most 10,000 are read. Shorten it there.`,
  )
}

const UNTIDY = /[^ -~]| {2}|^ | $/
// PostgreSQL stores neither NUL nor half a surrogate pair.
const CONTROL = /[^\P{Cc}\s]/gu
/** What copying leaves behind and nobody sees: two values that look the same would not be. Joiners mean something. */
const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g

/** Canonical text: well-formed, composed (NFC), without control and invisible characters, single spaces, trimmed. */
export function cleanText(said: string, multiline = false): string {
  if (!UNTIDY.test(said)) return said
  const sound = said.toWellFormed().replace(CONTROL, '').replace(INVISIBLE, '').normalize('NFC')
  if (!multiline) return sound.replace(/\s+/g, ' ').trim()
  return sound
    .replace(/\r\n?|\u2028|\u2029/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim()
}

function fitted(value: string, max: number | undefined): string {
  if (max === undefined || value.length <= max) return value
  return Array.from(value).slice(0, max).join('').trimEnd()
}
