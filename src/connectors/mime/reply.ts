import EmailReplyParser from 'email-reply-parser'
import { within } from './watchdog.ts'

export type Split = {
  readonly text: string | null
  readonly quoted: string | null
  readonly signature: string | null
}

const LONGEST_SPLIT = 30_000
/** Characters; attributions are shorter. */
const LONGEST_LINE = 200
const SPLIT_MS = 300
/** Up to this length the worst input known takes a tenth of a second, and needs no watch, whose thread costs more. */
const HARMLESS = 2_000

/**
 * Parts what the author wrote from quoted text and signature. Nothing is lost: what is in none of the other parts is
 * `text`. Where the parser does not get done in time, all of it is.
 *
 * email-reply-parser knows "On ... wrote:" in some 14 languages, ">" quotes, "-----Original Message-----", "-- " and
 * closings such as "Best regards,". Outlook's header block without addresses is added here. Not recognised: quotes
 * with no line above them, closings it does not list (German "Mit freundlichen Grüßen" with no "-- "), attributions in
 * other languages; these stay part of the text. Answers between quoted lines are joined, their quotes too.
 */
export function splitReply(body: string): Split {
  const cut = outlookBlock(body)
  const fresh = body.slice(0, cut)
  const head = fresh.slice(0, headLength(fresh.slice(0, quoteBegun(fresh))))
  const unsplit = () => [{ content: head, kind: 'text' as const }]
  const shown = showable(head)
  const fragments = within(shown.text.length <= HARMLESS ? null : SPLIT_MS, () => read(shown), unsplit)
  const parts = withRest(fragments, fresh.slice(head.length))
  const all = (kind: Fragment['kind']) =>
    parts.filter((part) => part.kind === kind).map(({ content }) => content)
  return {
    text: joined(all('text')),
    quoted: joined([...all('quoted'), body.slice(cut)]),
    signature: joined(all('signature')),
  }
}

/** What the parser is not given belongs to what it ended with: quoted mail runs on, a signature does not. */
function withRest(fragments: readonly Fragment[], rest: string): readonly Fragment[] {
  const last = fragments.findLast(({ content }) => content.trim() !== '')
  if (last?.kind !== 'quoted') return [...fragments, { content: rest, kind: 'text' }]
  const content = `${last.content.trimEnd()}\n${rest}`
  return fragments.map((fragment) => (fragment === last ? { ...fragment, content } : fragment))
}

/**
 * Where the first line of the quote that a text ends with is over; the end where it ends with none. The rest of it is
 * quoted as well, mostly the longest part of a mail, and the parser would take most of its time for it.
 */
function quoteBegun(text: string): number {
  let end = text.trimEnd().length
  let over = text.length
  for (;;) {
    const start = text.lastIndexOf('\n', end - 1) + 1
    if (end <= start || !text.startsWith('>', start)) return over
    over = Math.min(text.length, end + 1)
    if (start === 0) return over
    end = start - 1
  }
}

type Fragment = { readonly content: string; readonly kind: 'text' | 'quoted' | 'signature' }

/** What stands for a long line, with its number between two of them, and for "$": both are private characters. */
const LINE = '\ue000'
const DOLLAR = '\ue001'
const PRIVATE = /[\ue000\ue001]/g

/**
 * The parser hands "$" to String.replace, where "$`" doubles the text with every pattern: it must not see one. Nor does
 * it see long lines, which are neither attributions nor signatures: it turns each around for each of its expressions,
 * which came to half of all the memory that a backfill went through.
 */
function showable(head: string): { readonly text: string; readonly restore: (text: string) => string } {
  const long: string[] = []
  const standIn = (line: string): string => {
    if (line.length <= LONGEST_LINE) return line
    long.push(line)
    return `${line.startsWith('>') ? '>' : ''}${LINE}${long.length - 1}${LINE}`
  }
  return {
    text: head.replace(PRIVATE, '').replaceAll('$', DOLLAR).split('\n').map(standIn).join('\n'),
    restore: (text) =>
      text.replace(/>?\ue000(\d+)\ue000/g, (_, n: string) => long[Number(n)] ?? '').replaceAll(DOLLAR, '$'),
  }
}

function read({ text, restore }: ReturnType<typeof showable>): readonly Fragment[] {
  return new EmailReplyParser()
    .read(text)
    .getFragments()
    .map((fragment) => ({
      content: restore(fragment.getContent()),
      kind: fragment.isQuoted() ? 'quoted' : fragment.isSignature() ? 'signature' : 'text',
    }))
}

/** Whole lines, where there are any. */
function headLength(text: string): number {
  if (text.length <= LONGEST_SPLIT) return text.length
  const end = text.lastIndexOf('\n', LONGEST_SPLIT)
  return end === -1 ? LONGEST_SPLIT : end + 1
}

const AUTHOR = /^[ \t]*\*?(?:From|Von|De|Da|Van|Från|Fra|Od)\*?\s?:\*?[ \t]/
const SENT =
  /^[ \t]*\*?(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Inviato|Verzonden|Skickat|Sendt|Wysłano)\*?\s?:\*?[ \t]/m
const RULE = /^[ \t]*_{10,}[ \t]*$/

/** Where Outlook's "From: ... Sent: ... To: ..." above a quoted message begins; the end where there is none. */
function outlookBlock(body: string): number {
  const lines = body.split('\n')
  let offset = 0
  for (const [i, line] of lines.entries()) {
    if (
      AUTHOR.test(line.slice(0, 200)) &&
      SENT.test(
        lines
          .slice(i + 1, i + 4)
          .map((next) => next.slice(0, 200))
          .join('\n'),
      )
    ) {
      const above = lines[i - 1] ?? ''
      return RULE.test(above.slice(0, 200)) ? offset - above.length - 1 : offset
    }
    offset += line.length + 1
  }
  return body.length
}

function joined(parts: readonly string[]): string | null {
  const text = parts
    .map((part) => part.replace(/^\n+/, '').trimEnd())
    .filter((part) => part !== '')
    .join('\n\n')
  return text === '' ? null : text
}
