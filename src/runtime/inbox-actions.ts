import { textOf } from '../core/json.ts'
import { answerAsk } from '../core/plan.ts'
import type { Source } from '../core/model.ts'
import { closeItems, readItem, resolveItem, type InboxItem } from '../store/inbox.ts'
import { linksById } from './link-lookup.ts'
import { updateLinks, type Link } from '../store/links.ts'
import { holdStream } from '../store/streams.ts'
import { queueSync, wakePush } from '../store/wake.ts'
import { absorb } from './absorb.ts'
import { openRun } from './run.ts'
import type { Hub } from './hub.ts'

export type ActionResult =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
const refused = (message: string): ActionResult => ({ kind: 'refused', message })
const done = (message: string): ActionResult => ({ kind: 'done', message })

async function openItem(hub: Hub, id: number): Promise<InboxItem | ActionResult> {
  const item = await readItem(hub.db.sql, id)
  if (item === undefined) return refused(`The inbox has no item ${id}. Fix: \`concord inbox\` lists them.`)
  if (item.state === 'done') return refused(`Item ${id} is closed already: ${item.resolution ?? ''}`)
  return item
}

/** The link an item is about. Items of other kinds name none. */
async function linkOf(hub: Hub, item: InboxItem): Promise<Link | undefined> {
  const id = Number(item.detail['link'])
  return Number.isSafeInteger(id) ? (await linksById(hub.db.sql, [id])).get(id) : undefined
}

/** Lets a held mass change through at the next pass, and asks for that pass. */
export async function approve(hub: Hub, id: number, by: Source): Promise<ActionResult> {
  const item = await openItem(hub, id)
  if ('message' in item) return item
  if (item.kind !== 'mass_change' || item.streamId === null)
    return refused(
      `Item ${id} is of the kind "${item.kind.replaceAll('_', ' ')}"; only mass changes are approved.`,
    )
  const target = hub.targets.find((t) => t.id === item.streamId)
  if (target === undefined) return refused(`The stream of item ${id} is not configured any more.`)
  // The pass was stopped at its first excess, so nobody knows the full count: the kind of harm seen is approved.
  const population = Number(item.detail['population'])
  const upTo = (what: string) => (Number(item.detail[what]) > 0 ? population : 0)
  const side = item.detail['side'] === 'out' ? 'out' : 'in'
  const approved = { side, deletes: upTo('deletes'), blanks: upTo('blanks'), optIns: upTo('optIns') } as const
  if (!(await resolveItem(hub.db.sql, id, `approved by ${by}`, hub.clock.now())))
    return refused(`Item ${id} was closed by somebody else.`)
  await holdStream(hub.db.sql, target.id, false, approved)
  await queueSync(hub.db.sql, target.stream.connection, true)
  return done(
    `${target.label} goes on at its next pass (\`concord sync ${target.stream.connection} --sweep\` does it now).`,
  )
}

/** Settles a conflict for one side: only that side counts as edited from now on, and the link is planned again. */
export async function takeSide(
  hub: Hub,
  id: number,
  side: 'hub' | 'remote',
  by: Source,
): Promise<ActionResult> {
  const item = await openItem(hub, id)
  if ('message' in item) return item
  const target = hub.targets.find((t) => t.id === item.streamId)
  if (item.kind !== 'conflict' || target === undefined) {
    return refused(
      `Item ${id} is of the kind "${item.kind.replaceAll('_', ' ')}"; only conflicts have sides.`,
    )
  }
  const link = await linkOf(hub, item)
  if (link === undefined || link.remoteId === null || link.observed === null) {
    return refused(`The link of item ${id} is gone.`)
  }
  const closed = await resolveItem(hub.db.sql, id, `${side} chosen by ${by}`, hub.clock.now())
  if (!closed) return refused(`Item ${id} was closed by somebody else.`)
  const { lens, hub: mine = null, remote = null, agreed = null, rule } = item.detail
  const base = answerAsk(
    link.base,
    { lens: textOf(lens), hub: mine, remote, agreed, rule: textOf(rule) },
    side,
  )
  await updateLinks(hub.db.sql, [{ ...link, base, wake: 1 }])
  const { remoteId, version, modifiedAt, observed: body } = link
  const run = openRun(hub, target, 'edit')
  await absorb(hub, target, [{ kind: 'present', id: remoteId, version, modifiedAt, body }], run, {
    force: true,
  })
  await run.end(null)
  await wakePush(hub.db.sql, [target.stream.connection])
  return done(`The ${side}'s value stands.`)
}

/** Sends a refused write once more. */
export async function retryWrite(hub: Hub, id: number, by: Source): Promise<ActionResult> {
  const item = await openItem(hub, id)
  if ('message' in item) return item
  const target = hub.targets.find((t) => t.id === item.streamId)
  if (item.kind !== 'rejected_write' || target === undefined) {
    return refused(
      `Item ${id} is of the kind "${item.kind.replaceAll('_', ' ')}"; only refused writes are sent again.`,
    )
  }
  const link = await linkOf(hub, item)
  if (link === undefined) return refused(`The link of item ${id} is gone.`)
  await updateLinks(hub.db.sql, [{ ...link, wake: 1 }])
  await wakePush(hub.db.sql, [target.stream.connection])
  await closeItems(hub.db.sql, [item.key], `sent again by ${by}`, hub.clock.now())
  return done(`It is sent again at the next pass over ${target.stream.connection}.`)
}

/** Closes an item without doing anything about it. */
export async function dismiss(hub: Hub, id: number, by: Source): Promise<ActionResult> {
  const item = await openItem(hub, id)
  if ('message' in item) return item
  const closed = await resolveItem(hub.db.sql, id, `dismissed by ${by}`, hub.clock.now())
  return closed
    ? done(`Item ${id} is closed. It opens again if its cause comes back.`)
    : refused(`Item ${id} was closed by somebody else.`)
}
