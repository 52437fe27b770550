import { keepRemote, total } from '../../core/guard.ts'
import { hubValue } from '../../core/lens.ts'
import type { RecordId, Source } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import type { InboxItem } from '../../store/inbox.ts'
import {
  decideHeld,
  forgetRecords,
  heldCounts,
  heldPage,
  notHeld,
  wakeHeld,
  type Chosen,
  type HeldRow,
} from '../../store/held.ts'
import { linksIn, lockLinks, rebaseLinks } from '../../store/link-work.ts'
import { loadRecords } from '../../store/records.ts'
import { markHeld, markSweep, type Side } from '../../store/streams.ts'
import { queueSync, wakePush } from '../../store/wake.ts'
import { reportHeld } from '../held.ts'
import { holding } from '../hold.ts'
import type { Hub, Target } from '../hub.ts'
import { linksById } from '../link-lookup.ts'
import { resolveRefs } from '../refs.ts'
import { closes, no, settleItem, stays, type ActionResult, type Settled } from './settle.ts'

export const ALL: Chosen = { kind: 'all' }
const CHUNK = 500

/** Lets held changes through at the next pass, and asks for that pass. */
export const approve = (hub: Hub, id: number, by: Source, chosen: Chosen = ALL): Promise<ActionResult> =>
  settleItem(hub, id, 'approve', by, (item) => decide(hub, item, 'approved', by, chosen))

/** Refuses held changes: what was deleted or emptied at the one side stays at the other. */
export const reject = (hub: Hub, id: number, by: Source, chosen: Chosen = ALL): Promise<ActionResult> =>
  settleItem(hub, id, 'reject', by, (item) => decide(hub, item, 'rejected', by, chosen))

export const sideOf = (item: InboxItem): Side => (item.detail['side'] === 'out' ? 'out' : 'in')

async function decide(
  hub: Hub,
  item: InboxItem,
  verdict: 'approved' | 'rejected',
  by: Source,
  chosen: Chosen,
): Promise<Settled> {
  const target = hub.targets.find((t) => t.id === item.streamId)
  if (target === undefined) return no(`The stream of item ${item.id} is not configured any more.`)
  const side = sideOf(item)
  const q = hub.db.sql
  if (chosen.kind !== 'all') {
    const strangers = await notHeld(q, target.id, side, chosen.records)
    if (strangers.length > 0)
      return no(
        `Nothing is held of record ${strangers.join(', ')}. Fix: \`concord inbox show ${item.id} --out held.csv\` lists what is.`,
      )
    if (chosen.kind === 'only' && chosen.records.length === 0) return no('No record was named.')
  }
  // In one transaction: an approval whose link sleeps is taken for one that was used.
  const settled = await hub.session.begin((tx) => write(hub, tx, target, item, verdict, by, chosen))
  // A push that is under way would put the base that it has planned with over this one.
  if (side === 'out' && verdict === 'rejected' && settled.kind !== 'refused')
    await holding(hub, [target.stream.connection], () => leaveRemote(hub, target))
  return settled
}

async function write(
  hub: Hub,
  q: Query,
  target: Target,
  item: InboxItem,
  verdict: 'approved' | 'rejected',
  by: Source,
  chosen: Chosen,
): Promise<Settled> {
  const side = sideOf(item)
  const count = await decideHeld(q, target.id, side, verdict, by, chosen)
  if (count === 0) return no(`Nothing of item ${item.id} waits for a verdict any more.`)
  const { undecided, decided } = await heldCounts(q, target.id, side)
  const left = total(undecided)
  await markHeld(q, target.id)
  await wake(q, target, side, verdict)
  const told = `${count} ${count === 1 ? 'change' : 'changes'} ${verdict}`
  const next =
    side === 'in'
      ? `${target.label} goes on at its next pass (\`concord sync ${target.stream.connection} --sweep\` does it now).`
      : verdict === 'approved'
        ? `${target.label} is told at its next push.`
        : `${target.label} keeps what it has.`
  if (left > 0) {
    await reportHeld(hub, q, target, side)
    return stays(`${told}, ${left} still wait. ${next}`)
  }
  const isMixed = total(decided) > count && (await wasMixed(q, target, side, verdict))
  return closes(isMixed ? `approved in part; the last by ${by}` : `${verdict} by ${by}`, `${told}. ${next}`)
}

async function wasMixed(q: Query, target: Target, side: Side, verdict: string): Promise<boolean> {
  const [row] = await q<{ mixed: boolean }[]>`
    select exists (select from held_changes where stream_id = ${target.id} and side = ${side}
      and verdict in ('approved', 'rejected') and verdict <> ${verdict}) as mixed`
  return row?.mixed ?? false
}

async function wake(q: Query, target: Target, side: Side, verdict: 'approved' | 'rejected'): Promise<void> {
  const { connection } = target.stream
  if (side === 'in') {
    await markSweep(q, target.id, true)
    await queueSync(q, connection, true)
  } else if (verdict === 'approved') {
    await wakeHeld(q, target.id, 'approved')
    await wakePush(q, [connection])
  }
}

/**
 * What the hub has emptied, and a person does not want emptied at the remote, stays there: the sides count as agreed
 * although they differ, until one of them is edited again.
 */
async function leaveRemote(hub: Hub, target: Target): Promise<void> {
  for (let after: Pick<HeldRow, 'what' | 'recordId'> | null = { what: 'blanks', recordId: 0 }; ; ) {
    const page: readonly HeldRow[] = await heldPage(hub.db.sql, target.id, 'out', after, CHUNK, 'rejected')
    const rows = page.filter((row) => row.what === 'blanks')
    await leave(
      hub,
      target,
      rows.map((row) => row.recordId),
    )
    after = page.at(-1) ?? null
    if (page.length < CHUNK || after === null || after.what !== 'blanks') return
  }
}

async function leave(hub: Hub, target: Target, recordIds: readonly RecordId[]): Promise<void> {
  if (recordIds.length === 0) return
  await hub.session.begin(async (tx) => {
    const ids = await linksIn(tx, target.id, recordIds)
    await lockLinks(tx, ids)
    const links = [...(await linksById(tx, ids)).values()].filter((link) => link.observed !== null)
    const records = await loadRecords(tx, target.stream.record, recordIds)
    const refs = await resolveRefs(
      hub,
      tx,
      target,
      links.map((link) => link.observed ?? {}),
      [...records.values()].map((record) => record.fields),
    )
    const lenses = target.stream.lenses(refs)
    await rebaseLinks(
      tx,
      links.map((link) => ({
        id: link.id,
        base: keepRemote(lenses, link.base, link.observed, (lens) =>
          hubValue(lens, records.get(link.recordId)?.fields ?? {}),
        ),
      })),
    )
    await forgetRecords(tx, target.id, 'out', recordIds, 'blanks')
  })
  await wakePush(hub.db.sql, [target.stream.connection])
}
