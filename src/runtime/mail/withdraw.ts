import { RANK } from '../../core/mail/content.ts'
import type { ContentLevel } from '../../core/mail/rules.ts'
import type { HubRecord, RecordId, Source } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import {
  eraseMessages,
  lockMessages,
  scrubHistory,
  stripMessages,
  type MessageState,
} from '../../store/mail/messages.ts'
import { loggedAt } from '../../store/mail/sightings.ts'
import { loadRecords } from '../../store/records.ts'
import { editChange } from '../change.ts'
import { applyChanges, following } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { refreshFacts } from './facts.ts'

/**
 * Takes messages out: what they say and who takes part is erased, in their history too; their activities are archived,
 * and what was derived from them is derived anew. Returns the connections that have work now.
 */
export async function withdraw(
  hub: Hub,
  q: Query,
  ids: readonly RecordId[],
  how: {
    readonly state: Exclude<MessageState, 'kept'>
    readonly by: Source
    readonly rule: string
  },
  run: number | null,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const activities = await loadRecords(q, 'activity', ids, 'lock')
  const contacts = await eraseMessages(q, ids, how.state, how.by, hub.clock.now())
  const woken = await blankSubjects(hub, q, [...activities.values()], how, run, { archived: true })
  const deals = [...activities.values()].flatMap(({ fields: { deal } }) =>
    typeof deal === 'number' ? [deal] : [],
  )
  return woken.union(await refreshFacts(following(hub, q, run), { contacts, deals }))
}

/**
 * Settles messages that a mailbox has ceased to log, or logs at a lower level: those that nobody logs any more are
 * withdrawn, of the others no more is kept than somebody still keeps.
 */
export async function settleLeft(
  hub: Hub,
  q: Query,
  ids: readonly RecordId[],
  by: Source,
  rule: string,
  run: number | null,
): Promise<{ readonly withdrawn: number; readonly stripped: number; readonly woken: ReadonlySet<string> }> {
  const kept = (await lockMessages(q, [...new Set(ids)])).filter((message) => message.state === 'kept')
  if (kept.length === 0) return { withdrawn: 0, stripped: 0, woken: new Set() }
  const levels = await loggedAt(
    q,
    kept.map((message) => message.id),
  )
  const left = kept.filter((message) => !levels.has(message.id)).map((message) => message.id)
  const woken = await withdraw(hub, q, left, { state: 'withdrawn', by, rule }, run)
  const lower = kept.flatMap((message): { id: RecordId; to: ContentLevel }[] => {
    const to = levels.get(message.id)
    return to === undefined || RANK[to] >= RANK[message.content] ? [] : [{ id: message.id, to }]
  })
  const toSubject = lower.filter(({ to }) => to === 'subject').map(({ id }) => id)
  const toNone = lower.filter(({ to }) => to === 'none').map(({ id }) => id)
  await stripMessages(q, toSubject, 'subject')
  await stripMessages(q, toNone, 'none')
  const blank = await loadRecords(q, 'activity', toNone, 'lock')
  const also = await blankSubjects(hub, q, [...blank.values()], { by, rule }, run)
  return { withdrawn: left.length, stripped: lower.length, woken: woken.union(also) }
}

/** Takes the subjects of emails away, in their history too. Returns the connections that have work now. */
async function blankSubjects(
  hub: Hub,
  q: Query,
  activities: readonly HubRecord[],
  { by, rule }: { readonly by: Source; readonly rule: string },
  run: number | null,
  change: { readonly archived?: boolean } = {},
): Promise<ReadonlySet<string>> {
  if (activities.length === 0) return new Set()
  const at = hub.clock.now()
  const why = { subject: { value: null, rule } }
  const changes = activities.flatMap((activity) => editChange(activity, why, by, at, change) ?? [])
  const woken = await applyChanges(hub, q, 'activity', changes, run, by)
  const ids = activities.map((activity) => activity.id)
  await scrubHistory(q, ids)
  return woken
}
