import { listItems } from '../../store/inbox.ts'
import type { Hub } from '../hub.ts'

/** A mailbox that does not get on, and the item of the inbox that tells it. */
export type MailAlarm = {
  readonly connection: string
  readonly mailbox: string
  readonly item: number
}

export function alarmOf(
  { connection, mailbox }: { readonly connection: string; readonly mailbox: string },
  alarms: readonly MailAlarm[],
): MailAlarm | undefined {
  return alarms.find((alarm) => alarm.connection === connection && alarm.mailbox === mailbox)
}

const MOST = 500

/** The alarms that are open: `watchMailboxes` raises them and takes them back. */
export async function mailAlarms(hub: Hub): Promise<readonly MailAlarm[]> {
  const items = await listItems(hub.session.q, { state: 'open', kind: 'connection', limit: MOST })
  return items.flatMap(({ id, detail }) => {
    const { connection, mailbox } = detail
    return typeof connection === 'string' && typeof mailbox === 'string'
      ? [{ connection, mailbox, item: id }]
      : []
  })
}
