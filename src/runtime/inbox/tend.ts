import type { Instant } from '../../core/json.ts'
import type { Source } from '../../core/model.ts'
import { assignItem, readItem, snoozeItem } from '../../store/inbox.ts'
import type { Hub } from '../hub.ts'
import { closes, refused, settleItem, type ActionResult } from './settle.ts'

/** Closes an item without doing anything about it. */
export const dismiss = (hub: Hub, id: number, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'dismiss', by, async () =>
    closes(`dismissed by ${by}`, `Item ${id} is closed. It opens again if its cause comes back.`),
  )

async function whyNot(hub: Hub, id: number): Promise<ActionResult> {
  const item = await readItem(hub.db.sql, id)
  return refused(
    item === undefined
      ? `The inbox has no item ${id}. Fix: \`concord inbox\` lists them.`
      : `Item ${id} is closed already: ${item.resolution ?? ''}`,
  )
}

const NAME = /^[^\p{Cc}]{1,200}$/u

/** Gives an item to somebody; null: to nobody. */
export async function assign(hub: Hub, id: number, assignee: string | null): Promise<ActionResult> {
  if (assignee !== null && !NAME.test(assignee))
    return refused(
      'The name of whom an item is given to has 1 to 200 characters, in one line. Fix: give such a name, or none.',
    )
  if (!(await assignItem(hub.db.sql, id, assignee))) return whyNot(hub, id)
  return {
    kind: 'done',
    message: assignee === null ? `Item ${id} belongs to nobody.` : `Item ${id} is ${assignee}'s now.`,
  }
}

/** Hides an item until a time; null shows it again. It also comes back when its cause has grown. */
export async function snooze(hub: Hub, id: number, until: Instant | null): Promise<ActionResult> {
  if (until !== null && until <= hub.clock.now())
    return refused('That time has passed. Fix: give a later one, such as 3d or a date to come.')
  if (!(await snoozeItem(hub.db.sql, id, until))) return whyNot(hub, id)
  const when =
    until === null ? 'now' : `on ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return { kind: 'done', message: `Item ${id} is shown again ${when}.` }
}

const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `3d`, `12h`, `2w`, `2026-12-01` or `2026-12-01T09:00Z`; null where it is none of these. */
export function timeFrom(text: string, now: Instant): Instant | null {
  const span = /^(\d{1,4})([hdw])$/.exec(text)
  const unit = span?.[2]
  if (span !== null && (unit === 'h' || unit === 'd' || unit === 'w'))
    return now + Number(span[1]) * UNIT_MS[unit]
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(text)) return null
  const at = Date.parse(text)
  // 2026-02-30 is read as a day of March.
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text.slice(0, 10) ? null : at
}
