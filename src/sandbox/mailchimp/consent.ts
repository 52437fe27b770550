import { cannotArchive, forgottenEmail, inComplianceState } from './problem.ts'
import {
  currentSecond,
  subscriberHash,
  type Actor,
  type Audience,
  type MailchimpState,
  type Member,
  type MemberStatus,
} from './state.ts'
import type { WebhookQueue } from './webhook-queue.ts'

/**
 * Who may be put into which status, and what follows.
 * https://mailchimp.com/help/about-compliance-in-your-audience/, https://mailchimp.com/help/resubscribe-a-contact/
 */
export type Vendor = { readonly state: MailchimpState; readonly webhooks: WebhookQueue }

/** May an API client create this address with this status? Forgotten people must come back themselves. */
export function assertMayCreate(audience: Audience, email: string, wanted: MemberStatus): void {
  if (wanted !== 'pending' && audience.forgotten.has(subscriberHash(email))) throw forgottenEmail(email)
}

/**
 * May an API client edit this member, perhaps to a new status?
 *
 * Traps kept on purpose: a member unsubscribed by API or staff may be subscribed again, and an archived one
 * takes any status, because what it was before is forgotten. The vendor is no safety net.
 */
export function assertMayEdit(member: Member, wanted: MemberStatus | undefined): void {
  if (wanted === 'pending') return
  if (member.status === 'cleaned' && wanted !== 'cleaned') throw inComplianceState(member.email)
  if (member.mustConfirm && wanted === 'subscribed') throw inComplianceState(member.email)
}

export type UnsubscribeReason = { text: string; abuse: boolean }

/** Sets the status with everything that hangs on it; the caller has checked that it may. */
export function enterStatus(
  vendor: Vendor,
  audience: Audience,
  member: Member,
  status: MemberStatus,
  actor: Actor,
  reason: UnsubscribeReason = { text: DEFAULT_REASON[actor], abuse: false },
): void {
  const at = currentSecond(vendor.state)
  member.status = status
  member.mustConfirm = mustConfirm(audience, member, status, actor)
  member.unsubscribed = status === 'unsubscribed' ? { by: actor, reason: reason.text, at } : null
  const emit = vendor.webhooks.emit.bind(vendor.webhooks, audience, actor)
  const reasonKind = reason.abuse ? 'abuse' : 'manual'
  switch (status) {
    case 'subscribed':
      member.optedInAt = at
      audience.forgotten.delete(member.id)
      return emit({ type: 'subscribe', member })
    case 'pending':
      audience.forgotten.delete(member.id)
      audience.confirmationMails.push({ email: member.email, at })
      return
    case 'unsubscribed':
      return emit({ type: 'unsubscribe', member, action: 'unsub', reason: reasonKind })
    case 'archived':
      return emit({ type: 'unsubscribe', member, action: 'delete', reason: 'manual' })
    case 'cleaned':
      return emit({ type: 'cleaned', member, reason: reason.abuse ? 'abuse' : 'hard' })
    case 'transactional':
      return
  }
}

/** Passing through `pending` or `transactional` frees nobody; archiving forgets. */
function mustConfirm(audience: Audience, member: Member, status: MemberStatus, actor: Actor): boolean {
  if (status === 'archived' || (status === 'subscribed' && actor === 'user')) return false
  if (status === 'cleaned' || (status === 'unsubscribed' && actor === 'user')) return true
  return member.mustConfirm || audience.forgotten.has(member.id)
}

export function assertMayArchive(member: Member): void {
  if (['cleaned', 'pending', 'archived'].includes(member.status)) throw cannotArchive()
}

const DEFAULT_REASON: Readonly<Record<Actor, string>> = {
  user: 'N/A (No reason given)',
  admin: 'N/A (Unsubscribed by admin)',
  api: 'N/A (Unsubscribed by API)',
}
