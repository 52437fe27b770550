import { failureOf, type Io } from '../../connectors/connector.ts'
import type { Mailbox } from '../../core/mail/message.ts'
import { closeItems, openItems } from '../../store/inbox.ts'
import { foundMailboxes, listMailboxes, type MailboxRow } from '../../store/mail/mailboxes.ts'
import type { Hub, MailTarget } from '../hub.ts'

/** New colleagues' mailboxes are noticed within this time. */
const REFIND_MS = 3_600_000
/** Hints may name mailboxes that the credentials do not reach: those are not looked for with every hint. */
const SOON_MS = 60_000

/** The mailboxes of a connection, asked for anew at times, and where `wanted` names one that nobody knows. */
export async function findBoxes(
  hub: Hub,
  target: MailTarget,
  io: Io,
  wanted: readonly string[] = [],
): Promise<readonly MailboxRow[]> {
  const q = hub.session.q
  const known = await listMailboxes(q, target.connection)
  const now = hub.clock.now()
  const latest = Math.max(...known.map((row) => row.foundAt))
  const age = known.length === 0 ? Number.POSITIVE_INFINITY : now - latest
  if (age < SOON_MS) return known
  if (age < REFIND_MS && wanted.every((name) => known.some((row) => isCalled(row, name)))) return known
  const found = await ask(hub, target, io, known)
  if (found === null) return known
  const plain = found.map((mailbox) => ({
    ...mailbox,
    address: mailbox.address.toLowerCase(),
    addresses: mailbox.addresses.map((address) => address.toLowerCase()),
  }))
  await hub.session.begin((tx) => foundMailboxes(tx, target.connection, plain, now))
  return listMailboxes(q, target.connection)
}

const keyOf = (target: MailTarget): string => `mail:${target.connection}`

/** Null where the vendor cannot tell just now, and the known ones can be read meanwhile. */
async function ask(
  hub: Hub,
  target: MailTarget,
  io: Io,
  known: readonly MailboxRow[],
): Promise<readonly Mailbox[] | null> {
  const { connection } = target
  const now = hub.clock.now()
  try {
    const found = await target.mail.mailboxes(io)
    await closeItems(hub.session.q, [keyOf(target)], 'its mailboxes are listed again', now)
    return found
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null || failure.kind === 'auth') throw error
    const item = {
      kind: 'connection' as const,
      key: keyOf(target),
      title: `The mailboxes of ${connection} could not be listed: ${failure.message}`,
      fix: 'Known mailboxes are read on; new ones are found once this works. It is tried again with every pass.',
      detail: { connection, message: failure.message },
      streamId: null,
      recordId: null,
    }
    await openItems(hub.session.q, [item], now)
    if (known.length === 0) throw error
    return null
  }
}

export const isCalled = (row: MailboxRow, name: string): boolean =>
  row.remoteId === name || row.address === name.toLowerCase() || row.addresses.includes(name.toLowerCase())
