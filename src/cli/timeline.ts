import type { Attachment } from '../core/mail/message.ts'
import { timelineOf, type TimelineEntry, type TimelineMessage } from '../runtime/mail/timeline.ts'
import { entryView } from '../runtime/mail/views.ts'
import { withHub, type Context } from './context.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { clip, plural, tame, when, type Colours } from './output.ts'
import { kindCalled, recordCalled } from './which.ts'

export type TimelineOptions = { readonly limit: number; readonly before?: string }

const KINDS = ['contact', 'company', 'deal'] as const
const WIDEST_TEXT = 200

/** What happened with a contact, company or deal, latest first. */
export async function timeline(
  context: Context,
  kindText: string,
  text: string,
  { limit, before }: TimelineOptions,
): Promise<ExitCode> {
  const kind = kindCalled(kindText, KINDS)
  return withHub(context, async (hub) => {
    const { output } = context
    const { paint } = output
    const record = await recordCalled(hub, kind, text)
    const { entries, next } = await timelineOf(hub, kind, record.id, { before: before ?? null, limit })
    if (output.json) {
      output.value({ record: { ...record, kind }, entries: entries.map(entryView), next })
      return EXIT.ok
    }
    output.line(
      `${paint.bold(`${kind[0]?.toUpperCase()}${kind.slice(1)} ${record.id}`)}: ${tame(record.title)}`,
    )
    if (entries.length === 0) output.line('Nothing has happened yet.')
    for (const entry of entries) for (const line of tellEntry(paint, entry)) output.line(line)
    if (next !== null) {
      output.line()
      output.line(`There is more: --before ${next}`)
    }
    return EXIT.ok
  })
}

function tellEntry(paint: Colours, { id, type, at, subject, message }: TimelineEntry): readonly string[] {
  const what = message === null ? (type ?? 'activity') : message.direction
  const title = subject === null ? '' : tame(subject)
  const told =
    title === '' && message !== null ? paint.dim(unsaid(message)) : paint.bold(clip(title, WIDEST_TEXT))
  return [
    '',
    `${when(at)}  ${what}  ${told}  ${paint.dim(`(${id})`)}`,
    ...(message === null ? [] : tellMessage(message)),
  ]
}

/** Why no subject is shown. */
function unsaid({ state, content }: TimelineMessage): string {
  if (state === 'private') return 'made private'
  return content === 'none' ? 'its subject is not kept' : 'without a subject'
}

function tellMessage({ participants, text, attachments }: TimelineMessage): readonly string[] {
  const people = (['from', 'to', 'cc', 'bcc'] as const).flatMap((role) => {
    const named = participants.filter((p) => p.role === role)
    return named.length === 0 ? [] : [`${role} ${named.map(personOf).join(', ')}`]
  })
  const words = tame(text ?? '')
  return [
    `  ${people.join('; ')}`,
    ...(words === '' ? [] : [`  ${clip(words, WIDEST_TEXT)}`]),
    ...(attachments.length === 0
      ? []
      : [`  ${plural(attachments.length, 'attachment')}: ${attachments.map(attachmentOf).join(', ')}`]),
  ]
}

const personOf = ({ name, address }: TimelineMessage['participants'][number]): string =>
  tame(name === null ? address : `${name} <${address}>`)

const attachmentOf = ({ name, size }: Attachment): string =>
  size === null ? tame(name) : `${tame(name)} (${sizeOf(size)})`

const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1_000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
