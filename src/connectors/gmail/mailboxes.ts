import type { Mailbox } from '../../core/mail/message.ts'
import { type Failure, failureOf, type Io, VendorError } from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, gmailFor } from './client.ts'
import { directoryUsers } from './directory.ts'
import { addressOf, reachOf } from './settings.ts'
import { profileWire, sendAsWire } from './wire.ts'

const WIDTH = 5

/** The authorised user's mailbox, those that are named, or all that the directory lists. */
export async function mailboxes(io: Io): Promise<readonly Mailbox[]> {
  const reach = reachOf(io.settings)
  switch (reach.kind) {
    case 'own':
      return [await mailboxOf(io, await ownAddress(io), () => false)]
    case 'named':
      return inParallel(reach.addresses, WIDTH, (address) => mailboxOf(io, address, isRefusal))
    case 'directory': {
      const listed = await directoryUsers(io.as(reach.admin))
      const found = await inParallel(listed, WIDTH, async (address) => {
        try {
          return await mailboxOf(io, address, (failure) => isRefusal(failure) && !isWithoutGmail(failure))
        } catch (error) {
          if (isWithoutGmail(failureOf(error))) return null
          throw error
        }
      })
      return found.filter((mailbox) => mailbox !== null)
    }
  }
}

async function ownAddress(io: Io): Promise<string> {
  const call = gmailFor(io, 'auto').users.getProfile({ userId: 'me' })
  return addressOf((await ask('getProfile', call, profileWire)).emailAddress)
}

/**
 * With the addresses its owner sends from; those that still wait to be confirmed may be anybody's.
 * https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.settings.sendAs/list
 *
 * A mailbox that may not be asked is `kept` all the same where that is said of failures: reading it then fails by
 * itself, and shows, rather than every other mailbox with it.
 */
async function mailboxOf(io: Io, address: string, kept: (failure: Failure) => boolean): Promise<Mailbox> {
  try {
    const call = gmailFor(io.as(address), 'auto').users.settings.sendAs.list({ userId: address })
    const { sendAs } = await ask('settings.sendAs.list', call, sendAsWire)
    const own = (sendAs ?? []).filter(
      ({ isPrimary, verificationStatus }) =>
        isPrimary === true || (verificationStatus ?? 'accepted') === 'accepted',
    )
    const addresses = own.map(({ sendAsEmail }) => addressOf(sendAsEmail)).filter((text) => text !== '')
    return { id: address, address, addresses: [...new Set([address, ...addresses])] }
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null || !kept(failure)) throw error
    return { id: address, address, addresses: [address] }
  }
}

/** Vendor's answer about this user, which waiting does not change. */
function isRefusal(failure: Failure): boolean {
  return failure.kind === 'auth' || failure.kind === 'missing' || failure.kind === 'rejected'
}

/** A user of the domain with other services, but no mail. */
function isWithoutGmail(failure: Failure | null): boolean {
  return failure?.kind === 'rejected' && failure.code === 'failedPrecondition'
}

/** Proves that one mailbox can be read; a wrong setting is `rejected`, naming it. */
export async function check(io: Io): Promise<{ readonly accountId: string; readonly label: string }> {
  const reach = reachOf(io.settings)
  if (reach.kind === 'own') {
    const address = await ownAddress(io)
    return { accountId: address, label: address }
  }
  const all = reach.kind === 'named' ? reach.addresses : await directoryUsers(io.as(reach.admin))
  const [first] = reach.kind === 'named' ? all : [addressOf(reach.admin)]
  if (first === undefined || all.length === 0)
    throw new VendorError({
      kind: 'rejected',
      code: 'settings',
      field: 'directoryAdmin',
      message:
        'directoryAdmin: the directory lists no user with a mailbox. Name an administrator of the domain.',
    })
  const call = gmailFor(io.as(first), 'auto').users.getProfile({ userId: first })
  const { emailAddress } = await ask('getProfile', call, profileWire)
  const domain = addressOf(emailAddress).split('@').at(-1) ?? emailAddress
  return { accountId: domain, label: `${domain} (${all.length} mailboxes)` }
}
