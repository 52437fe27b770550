import { decodeWords } from 'postal-mime'

export type Header = { readonly name: string; readonly value: string }

/** Where the header ends and the body begins. */
export function splitAt(raw: Buffer): { readonly header: string; readonly body: Buffer } {
  const crlf = raw.indexOf('\r\n\r\n')
  const lf = raw.indexOf('\n\n')
  if (crlf < 0 && lf < 0) return { header: raw.toString('utf8'), body: Buffer.alloc(0) }
  const isCrlf = crlf >= 0 && (lf < 0 || crlf < lf)
  const end = isCrlf ? crlf : lf
  return {
    header: raw.subarray(0, end).toString('utf8'),
    body: raw.subarray(end + (isCrlf ? 4 : 2)),
  }
}

/** Fields in their order, unfolded, encoded words read as text. */
export function headersOf(header: string): readonly Header[] {
  return header
    .replaceAll(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .flatMap((line) => {
      const colon = line.indexOf(':')
      if (colon <= 0) return []
      const value = line.slice(colon + 1).trim()
      return [{ name: line.slice(0, colon).trim(), value: value.includes('=?') ? decodeWords(value) : value }]
    })
}

export function headerValue(headers: readonly Header[], name: string): string | null {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? null
}

/** Message ids without their brackets. */
export function idsIn(value: string | null): readonly string[] {
  return value === null
    ? []
    : [...value.matchAll(/<([^<>]+)>/g)].flatMap(([, id]) => (id === undefined ? [] : [id]))
}

/** The subject that a conversation goes by. */
export function conversationSubject(subject: string | null): string {
  let plain = (subject ?? '').trim()
  for (let shorter = withoutPrefix(plain); shorter !== plain; shorter = withoutPrefix(plain)) plain = shorter
  return plain.toLowerCase()
}

const withoutPrefix = (subject: string): string => subject.replace(/^(re|aw|fwd?|wg)(\[\d+\])?:\s*/i, '')
