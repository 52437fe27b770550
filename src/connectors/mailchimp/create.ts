import type { ConsentState } from '../../core/consent.ts'
import { type CreateWrite, failureOf, type Io, outcomeOf } from '../connector.ts'
import { exchange, type MemberCall } from './exchange.ts'
import type { Sleep } from './index.ts'
import { addressHash, observe } from './member.ts'
import { memberCall, memberPath } from './read.ts'
import { difference, isProfile, type Profile, profileOf, rejected } from './profile.ts'
import type { Target } from './settings.ts'
import { profileCall, type Step } from './step.ts'
import type { Member } from './wire.ts'

/**
 * Looks each address up before it is created: an upsert over an archived contact would bring it back with the status
 * that is sent, and whether the person had unsubscribed is forgotten by then.
 * https://mailchimp.com/help/archive-unarchive-contacts/
 */
export async function planCreates(
  io: Io,
  target: Target,
  creates: readonly CreateWrite[],
  sleep: Sleep,
): Promise<ReadonlyMap<CreateWrite, Step>> {
  const steps = new Map<CreateWrite, Step>()
  const lookups: { readonly write: CreateWrite; readonly profile: Profile; readonly call: MemberCall }[] = []
  for (const write of creates) {
    const email = write.body['email_address']
    const profile = profileOf({ ...write.body, email_address: email ?? null }, {})
    if (!isProfile(profile) || typeof email !== 'string') {
      const outcome = isProfile(profile)
        ? rejected('no-address', 'email_address', 'Not an address.')
        : profile
      steps.set(write, { kind: 'done', outcome })
    } else {
      lookups.push({ write, profile, call: { ...memberCall(target, addressHash(email)), key: write.key } })
    }
  }
  const answers = await exchange(
    io,
    target,
    lookups.map(({ call }) => call),
    sleep,
  )
  for (const [i, { write, profile, call }] of lookups.entries()) {
    const answer = answers[i]
    if (answer?.kind === 'member') steps.set(write, adopt(target, write, profile, answer.member))
    else if (failureOf(answer?.error)?.kind === 'missing') {
      const body = { ...profile.fields, status_if_new: statusIfNew(write.consent) }
      steps.set(write, { kind: 'call', profile, call: profileCall('PUT', call.path, write.key, body) })
    } else steps.set(write, { kind: 'done', outcome: outcomeOf(answer?.error) })
  }
  return steps
}

/** `transactional` gets no campaigns and was never asked; an opt-out is on record from the start. */
function statusIfNew(consent: ConsentState): string {
  switch (consent) {
    case 'in':
      return 'subscribed'
    case 'out':
      return 'unsubscribed'
    case 'pending':
    case 'unknown':
      return 'transactional'
  }
}

/**
 * Somebody with this address is there already: an earlier attempt, or a sign-up the hub has not seen yet. They keep
 * their status; their profile is brought to what was to be created, since `applied` says that it is.
 */
function adopt(target: Target, write: CreateWrite, profile: Profile, found: Member): Step {
  if (found.status === 'archived') {
    const message =
      `${found.email} is archived in this audience, and Mailchimp no longer knows whether the person had ` +
      'unsubscribed. Bring the contact back in Mailchimp, with the right status, or leave it.'
    return { kind: 'done', outcome: rejected('archived', 'email_address', message) }
  }
  // Contacts that bounced cannot be edited, and need not be.
  if (found.status === 'cleaned') {
    return { kind: 'done', outcome: { kind: 'applied', observation: observe(found) } }
  }
  const { email_address: _, ...fields } = profile.fields
  const changes = difference(fields, found.body)
  if (Object.keys(changes).length === 0) return { kind: 'tags', id: found.contactId, profile }
  const call = profileCall('PATCH', memberPath(target, found.contactId), write.key, changes)
  return { kind: 'call', profile, call }
}
