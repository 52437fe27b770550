import { itemView, fullView, heldChanges, heldView, type HeldMark } from '../runtime/inbox/view.ts'
import { describeKind, isInboxKind, KINDS } from '../runtime/inbox/kinds.ts'
import type { Hub } from '../runtime/hub.ts'
import { inboxCounts, inboxItem, inboxItems, streamNamed, type InboxItem } from '../runtime/status.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, nearest, type ExitCode } from './exit.ts'
import { writeLines } from './export-lines.ts'
import { tellItem } from './inbox-words.ts'
import { ago, clip, plural } from './output.ts'

export type InboxFilter = {
  readonly all?: boolean
  readonly kind?: string
  readonly stream?: string
  readonly record?: string
  readonly assignee?: string
  readonly mine?: boolean
  readonly snoozed?: boolean
  readonly limit?: number
}

/** The filter of a command in the runtime's form. */
export function filterOf(hub: Hub, context: Context, filter: InboxFilter) {
  const { kind, stream, record, assignee, mine } = filter
  const streamId = stream === undefined ? undefined : streamNamed(hub, stream)
  if (stream !== undefined && streamId === undefined)
    throw badInput(
      `No stream is called ${stream}`,
      `Say connection/stream: ${hub.targets.map((target) => target.label).join(', ')}.`,
    )
  const named = kind?.replaceAll(/[ -]/g, '_')
  if (named !== undefined && !isInboxKind(named)) throw unknownKind(named)
  const person = mine === true ? personOf(context) : assignee
  return {
    ...(named === undefined ? {} : { kind: named }),
    ...(streamId === undefined ? {} : { streamId }),
    ...(record === undefined ? {} : { recordId: recordOf('--record', record) }),
    ...(person === undefined ? {} : { assignee: person }),
    snoozed: filter.snoozed === true ? ('only' as const) : ('hidden' as const),
    now: hub.clock.now(),
  }
}

function unknownKind(kind: string) {
  const known = Object.keys(KINDS)
  const near = nearest(kind, known)
  return badInput(
    `--kind is "${kind}"`,
    near === null ? `Use one of ${known.join(', ')}.` : `Did you mean ${near}?`,
  )
}

/** Who acts, without the `user:` of the history. */
const personOf = ({ actor }: Context): string => actor.replace(/^user:/, '')

export async function listInbox(context: Context, filter: InboxFilter): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const state = filter.all === true ? 'all' : 'open'
    const items = await inboxItems(hub, {
      ...filterOf(hub, context, filter),
      state,
      limit: filter.limit ?? 50,
    })
    const isOpen = items.some((item) => item.state === 'open')
    if (output.json) output.value(items.map(itemView))
    else if (items.length === 0) {
      const others = Object.values(await inboxCounts(hub)).reduce((sum, n) => sum + n, 0)
      output.line(
        others === 0
          ? 'Nothing waits for a person.'
          : `Nothing of that waits for a person; ${plural(others, 'other item')} ${others === 1 ? 'does' : 'do'} (\`concord inbox\`).`,
      )
    } else {
      tellList(context, hub, items)
      const counts = Object.entries(await inboxCounts(hub))
      output.line()
      output.line(`Waiting: ${counts.map(([kind, n]) => `${n} ${describeKind(kind)}`).join(', ')}.`)
      output.line('`concord inbox show ID` tells more, and how to settle it.')
    }
    return isOpen ? EXIT.waiting : EXIT.ok
  })
}

function tellList({ output }: Context, hub: Hub, items: readonly InboxItem[]): void {
  const now = hub.clock.now()
  const someone = items.some((item) => item.assignee !== null)
  output.table(
    ['id', 'kind', 'what', ...(someone ? ['whose'] : []), 'seen', 'since'],
    items.map((item) => [
      String(item.id),
      describeKind(item.kind),
      item.state === 'done'
        ? `${clip(item.title, 100)} (closed: ${item.resolution ?? ''})`
        : clip(item.title, 140),
      ...(someone ? [item.assignee ?? ''] : []),
      String(item.seen),
      ago(item.createdAt, now),
    ]),
    [0, someone ? 4 : 3],
  )
}

export async function showItem(
  context: Context,
  id: string,
  { out }: { readonly out?: string } = {},
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const item = await inboxItem(hub, idOf(id))
    if (item === undefined) throw badInput(`The inbox has no item ${id}`, '`concord inbox` lists them.')
    if (out !== undefined) return exportHeld(context, hub, item, out)
    const view = await fullView(hub, item)
    if (output.json) output.value(view)
    else for (const line of tellItem(item, view)) output.line(line)
    return EXIT.ok
  })
}

const PAGE = 1_000

/** Every change that the guard holds, one a row. */
async function exportHeld({ output }: Context, hub: Hub, item: InboxItem, file: string): Promise<ExitCode> {
  if ((await heldChanges(hub, item, null, 1)) === null)
    throw badInput(`Item ${item.id} holds no changes`, '--out is for mass changes.')
  async function* rows() {
    for (let after: HeldMark | null = null; ; ) {
      const page = await heldChanges(hub, item, after, PAGE)
      for (const row of page?.changes ?? []) {
        const { what, record, remoteId, title, changes, verdict } = heldView(row)
        yield { record, what, remoteId, title, changes: JSON.stringify(changes), verdict }
      }
      if (page === null || page.next === null) return
      after = page.next
    }
  }
  const count = await writeLines(file, rows())
  if (output.json) output.value({ file, changes: count })
  else
    output.line(
      `${plural(count, 'change')} ${count === 1 ? 'is' : 'are'} in ${file}. Leave in it what is right, and \`concord inbox approve ${item.id} --from ${file}\`.`,
    )
  return EXIT.ok
}

export function idOf(text: string): number {
  if (!NUMBER.test(text)) throw badInput(`"${text}" is no number of an item`, '`concord inbox` lists them.')
  return Number(text)
}

/** The number of a record that an option gives. */
export function recordOf(option: string, text: string): number {
  if (!NUMBER.test(text))
    throw badInput(
      `${option} is "${text}"`,
      'Give numbers of records; `concord inbox show ID` and `concord explain` tell them.',
    )
  return Number(text)
}

const NUMBER = /^[1-9]\d{0,14}$/
