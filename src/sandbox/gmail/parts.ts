import { type Header, headersOf, headerValue, splitAt } from './headers.ts'

/** A part of a message's `payload`, with its bytes decoded. */
export type Part = {
  readonly partId: string
  readonly mimeType: string
  readonly filename: string
  readonly headers: readonly Header[]
  readonly bytes: Buffer
  readonly parts: readonly Part[]
}

const DEEPEST = 20

/** Nothing is too broken to be shown somehow: what cannot be taken apart is one part. */
export function partsOf(raw: Buffer, partId = '', depth = 0): Part {
  const { header, body } = splitAt(raw)
  const headers = headersOf(header)
  const contentType = headerValue(headers, 'content-type') ?? 'text/plain'
  const mimeType = (contentType.split(';')[0] ?? '').trim().toLowerCase()
  const boundary = parameter(contentType, 'boundary')
  const filename =
    parameter(headerValue(headers, 'content-disposition') ?? '', 'filename') ??
    parameter(contentType, 'name') ??
    ''
  const isMultipart = mimeType.startsWith('multipart/') && boundary !== null && depth < DEEPEST
  const inner = isMultipart ? bodies(body, boundary) : []
  return {
    partId,
    mimeType,
    filename,
    headers,
    bytes: isMultipart ? Buffer.alloc(0) : decoded(body, headerValue(headers, 'content-transfer-encoding')),
    parts: inner.map((one, i) => partsOf(one, partId === '' ? String(i) : `${partId}.${i}`, depth + 1)),
  }
}

/** What lies between the delimiter lines; the last may be missing. */
function bodies(body: Buffer, boundary: string): readonly Buffer[] {
  const delimiter = `--${boundary}`
  const pieces: string[][] = []
  for (const line of body.toString('latin1').split(/(?<=\n)/)) {
    const mark = line.trimEnd()
    if (mark === `${delimiter}--`) break
    if (mark === delimiter) pieces.push([])
    else pieces.at(-1)?.push(line)
  }
  return pieces.map((lines) => Buffer.from(lines.join('').replace(/\r?\n$/, ''), 'latin1'))
}

function decoded(body: Buffer, encoding: string | null): Buffer {
  switch (encoding?.toLowerCase()) {
    case 'base64':
      return Buffer.from(body.toString('latin1'), 'base64')
    case 'quoted-printable': {
      const text = body
        .toString('latin1')
        .replaceAll(/=\r?\n/g, '')
        .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
      return Buffer.from(text, 'latin1')
    }
    default:
      return body
  }
}

function parameter(value: string, name: string): string | null {
  const found = new RegExp(`;\\s*${name}="?([^";]+)"?`, 'i').exec(value)
  return found?.[1]?.trim() ?? null
}

/** The words a mail begins with, as lists show them. */
export function snippetOf(part: Part): string {
  const text =
    firstText(part, 'text/plain') ?? firstText(part, 'text/html')?.replaceAll(/<[^>]*>/g, ' ') ?? ''
  const plain = text.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
  return plain
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&#39;')
}

function firstText(part: Part, mimeType: string): string | null {
  if (part.mimeType === mimeType && part.filename === '') return part.bytes.subarray(0, 2000).toString('utf8')
  for (const inner of part.parts) {
    const text = firstText(inner, mimeType)
    if (text !== null) return text
  }
  return null
}

export function partNamed(part: Part, partId: string): Part | null {
  if (part.partId === partId) return part
  return part.parts.map((inner) => partNamed(inner, partId)).find((found) => found !== null) ?? null
}
