/** Control characters but tab and line feed. PostgreSQL refuses NUL in text; the others are of no use to a reader. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g

/** Text that can be stored and shown: line feeds only, no control characters, no lone surrogates. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(CONTROLS, '').toWellFormed()
}

/** One line of at most `most` characters; null where nothing is left. */
export function cleanLine(text: string | null | undefined, most: number): string | null {
  const line = cleanText((text ?? '').slice(0, most * 4))
    .replace(/\s+/g, ' ')
    .trim()
  return line === '' ? null : cutAt(line, most)
}

/** The first `most` UTF-16 units, without half a character at the end. */
export function cutAt(text: string, most: number): string {
  if (text.length <= most) return text
  const last = text.charCodeAt(most - 1)
  return text.slice(0, last >= 0xd8_00 && last <= 0xdb_ff ? most - 1 : most)
}
