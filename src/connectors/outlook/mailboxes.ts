import { isAddress } from '../../core/mail/address.ts'
import type { Mailbox } from '../../core/mail/message.ts'
import { failureOf, type Io } from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, CONCURRENT } from './graph.ts'
import { mailAddress } from '../mime/headers.ts'
import { homeOf, mailboxesOf } from './settings.ts'
import { user, USER_FIELDS, type UserWire } from './wire.ts'

/** The person who signed in; or those of `mailboxes`, which the application reads by itself. */
export async function mailboxes(io: Io): Promise<readonly Mailbox[]> {
  const addresses = mailboxesOf(io)
  if (addresses === null) return [mailboxOf(await readUser(io, '/me'), null)]
  return inParallel(addresses, CONCURRENT, async (address) => {
    try {
      return mailboxOf(await readUser(io, homeOf(address)), address)
    } catch (error) {
      if (!isNobody(error)) throw error
      // Reading it says what is wrong, for this mailbox alone: one that left must not stop the others.
      return { id: address, address, addresses: [address] }
    }
  })
}

/** https://learn.microsoft.com/en-us/graph/api/user-get */
export async function readUser(io: Io, home: string): Promise<UserWire> {
  return ask(io, { method: 'GET', to: home, query: { $select: USER_FIELDS } }, user)
}

/** `SMTP:` in capitals is the main one, `smtp:` an alias; others (`SIP:`, `X500:`) are no mail. */
function mailboxOf(wire: UserWire, asked: string | null): Mailbox {
  const proxies = wire.proxyAddresses.filter((proxy) => /^smtp:/i.test(proxy)).map((proxy) => proxy.slice(5))
  const given = [wire.mail, wire.userPrincipalName, ...proxies, ...wire.otherMails, asked]
  const addresses = [...new Set(given.flatMap((address) => usable(address ?? '')))]
  return { id: wire.id, address: addresses[0] ?? wire.id, addresses }
}

const usable = (text: string): readonly string[] => {
  const one = mailAddress(text, null)
  return one !== null && isAddress(one.address) ? [one.address] : []
}

/** There is no such user. */
export function isNobody(error: unknown): boolean {
  const failure = failureOf(error)
  return (
    failure?.kind === 'missing' || (failure?.kind === 'rejected' && /^ErrorInvalidUser$/i.test(failure.code))
  )
}
