import { closeItems, openItems, openKeys, type NewItem } from '../../store/inbox.ts'
import { listMailboxes, type MailboxRow } from '../../store/mail/mailboxes.ts'
import { iso, type Hub } from '../hub.ts'
import { boxOf, mailOf } from './box.ts'

const alarmKey = (id: number): string => `mailbox:${id}`

/**
 * Tells a person of mailboxes that have not been read for as long as their configuration says, or whose backfill does
 * not get on though it waits; and takes that back when they are. Independent of the passes: those may be what failed.
 */
export async function watchMailboxes(hub: Hub): Promise<void> {
  const now = hub.clock.now()
  const alarms: NewItem[] = []
  const fine: string[] = []
  for (const row of await listMailboxes(hub.session.q)) {
    const target = mailOf(hub, row.connection)
    const isRead = target !== undefined && boxOf(target, row) !== null
    const stuck = isRead ? troubleOf(row, now, target.config.alarmMs) : null
    if (stuck === null) fine.push(alarmKey(row.id))
    else alarms.push(alarm(row, stuck))
  }
  const open = await openKeys(hub.session.q, fine)
  await closeItems(hub.session.q, [...open], 'it is read again', now)
  await openItems(hub.session.q, alarms, now)
}

function troubleOf(row: MailboxRow, now: number, alarmMs: number): string | null {
  const read = row.checkedAt ?? row.foundAt
  // The mark of a pass that finds nothing is not written each time (HEARTBEAT_MS): alarms allow for it.
  if (now - read > alarmMs + SLACK_MS) return `has not been read since ${iso(read)}`
  const { backfill } = row
  if (backfill !== null && !backfill.done && now - backfill.at > alarmMs)
    return `has not got on with its older mail since ${iso(backfill.at)}: ${backfill.listed} messages listed`
  return null
}

const SLACK_MS = 15 * 60_000

const alarm = (row: MailboxRow, what: string): NewItem => ({
  kind: 'connection',
  key: alarmKey(row.id),
  title: `The mailbox ${row.connection}/${row.address} ${what}`,
  fix: `${row.problem === null ? 'No pass has said why: see whether `concord start` or a worker runs, and whether the connection is paused (`concord status`).' : `The last pass said: ${row.problem}`} Nothing is lost; it is read on from where it stood.`,
  detail: { connection: row.connection, mailbox: row.address, problem: row.problem },
  streamId: row.id,
  recordId: null,
})
