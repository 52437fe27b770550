import type { JsonObject } from '../../core/json.ts'
import { failureOf, type Io, type Outcome, type Write } from '../connector.ts'
import { ask } from './api.ts'
import { observe } from './member.ts'
import { memberPath, readMember } from './read.ts'
import { rejected } from './profile.ts'
import type { Target } from './settings.ts'
import { member, type Member } from './wire.ts'

type ConsentWrite = Write & { readonly op: 'consent' }

/**
 * The only writes that carry `status`. Never `pending`: the vendor would mail the person a confirmation.
 * https://mailchimp.com/developer/marketing/api/list-members/update-list-member/
 */
export async function stateConsent(io: Io, target: Target, write: ConsentWrite): Promise<Outcome> {
  return write.state === 'out' ? optOut(io, target, write) : optIn(io, target, write)
}

/** Also of an archived contact: once it is brought back, nothing else would tell. */
async function optOut(io: Io, target: Target, write: ConsentWrite): Promise<Outcome> {
  try {
    return applied(await patchStatus(io, target, write, 'unsubscribed'))
  } catch (error) {
    if (failureOf(error)?.kind !== 'rejected') throw error
    // Contacts that bounced cannot be edited; they get no mail, which is what was asked.
    const now = await readMember(io, target, write.id)
    if (now !== null && ['unsubscribed', 'cleaned'].includes(now.status)) return applied(now)
    throw error
  }
}

/**
 * Only where the hub has a newer, explicit opt-in. The vendor refuses most who opted out themselves, but not those
 * who were unsubscribed by API or archived, so it is no safety net.
 */
async function optIn(io: Io, target: Target, write: ConsentWrite): Promise<Outcome> {
  const now = await readMember(io, target, write.id)
  if (now === null) return { kind: 'stale' }
  switch (now.status) {
    case 'subscribed':
      return applied(now)
    case 'archived':
      return rejected(
        'archived',
        'status',
        `${now.email} is archived. Bring the contact back in Mailchimp first.`,
      )
    case 'cleaned':
      return rejected('cleaned', 'status', `Mail to ${now.email} bounces. The contact needs another address.`)
    default:
      return applied(await patchStatus(io, target, write, 'subscribed'))
  }
}

async function patchStatus(
  io: Io,
  target: Target,
  write: ConsentWrite,
  status: 'subscribed' | 'unsubscribed',
): Promise<Member> {
  const permissions = write.patch['marketing_permissions']
  const body: JsonObject = {
    status,
    ...(permissions === undefined ? {} : { marketing_permissions: permissions }),
  }
  const query = { skip_merge_validation: 'true' }
  return ask(io, target, { method: 'PATCH', path: memberPath(target, write.id), query, body }, member)
}

function applied(now: Member): Outcome {
  return { kind: 'applied', observation: observe(now) }
}
