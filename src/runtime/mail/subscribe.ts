import { failureOf } from '../../connectors/connector.ts'
import { closeItems, openItems } from '../../store/inbox.ts'
import { saveSubscription } from '../../store/mail/mailboxes.ts'
import { webhookOf } from '../webhook-address.ts'
import type { Reader } from './reader.ts'

const DAY_MS = 86_400_000

/**
 * Sees to it that the vendor tells of changes of a mailbox: asks it to a day before it would cease, or `anew` at once.
 * Where that fails the mailbox is polled all the same, and a person is told.
 */
export async function keepSubscribed(reader: Reader, when: 'due' | 'anew' = 'due'): Promise<void> {
  const { hub, target, io, box, row } = reader
  if (target.mail.subscribe === undefined) return
  const now = hub.clock.now()
  const isDue = row.renewBefore === null || row.renewBefore - now < DAY_MS
  if (when === 'due' && !isDue) return
  const key = `mail_subscription:${box.id}`
  try {
    const to = await webhookOf(hub, box.connection)
    const kept = await target.mail.subscribe(io, box.mailbox, row.subscription, to)
    if (kept === null) return await later(reader)
    await saveSubscription(hub.session.q, box.id, kept.kept, kept.renewBefore)
    reader.row = { ...row, subscription: kept.kept, renewBefore: kept.renewBefore }
    await closeItems(hub.session.q, [key], 'the vendor tells of changes again', now)
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null || failure.kind === 'auth') throw error
    const item = {
      kind: 'connection' as const,
      key,
      title: `${box.label} cannot be told of new mail at once: ${failure.message}`,
      fix: 'Its mail arrives by polling meanwhile; nothing is lost. Correct what the message names; it is tried again every hour.',
      detail: { connection: box.connection, mailbox: box.mailbox.address, message: failure.message },
      streamId: box.id,
      recordId: null,
    }
    await openItems(hub.session.q, [item], now)
    await later(reader)
  }
}

const RETRY_MS = 3_600_000

/** There is none to keep: asked again in an hour, as `renewBefore` a day and an hour away says. */
async function later({ hub, box, row }: Reader): Promise<void> {
  await saveSubscription(hub.session.q, box.id, row.subscription, hub.clock.now() + DAY_MS + RETRY_MS)
}
