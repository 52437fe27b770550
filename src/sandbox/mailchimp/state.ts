import { createHash } from 'node:crypto'
import type { IdSource } from '../ids.ts'
import type { Batch } from './batches.ts'
import type { MergeField, MergeValue } from './merge-fields.ts'

export type MemberStatus =
  | 'subscribed'
  | 'unsubscribed'
  | 'cleaned'
  | 'pending'
  | 'transactional'
  | 'archived'

/** Who made a change: the person (forms, links), staff in the vendor's pages, or an API client. */
export type Actor = 'user' | 'admin' | 'api'

export type Tag = { readonly id: number; readonly name: string; readonly addedAt: number }

export type Member = {
  /** MD5 of the lower-cased address: changes with the address. */
  id: string
  readonly contactId: string
  /** Of the address, over all audiences; this is what webhooks call `id`. */
  uniqueEmailId: string
  readonly webId: number
  email: string
  status: MemberStatus
  /** Values that are set; the others read as ''. */
  mergeFields: Map<string, MergeValue>
  signedUpAt: number | null
  optedInAt: number | null
  /** Epoch milliseconds, always a whole second: the vendor knows no finer time. */
  lastChangedAt: number
  /** The person opted out, bounced or was forgotten: only an act of theirs may subscribe this address. */
  mustConfirm: boolean
  unsubscribed: { readonly by: Actor; readonly reason: string; readonly at: number } | null
  language: string
  vip: boolean
  emailType: string
  tags: readonly Tag[]
  source: string
  ipSignup: string
  ipOpt: string
  enabledPermissions: ReadonlySet<string>
}

export type WebhookEvent = 'subscribe' | 'unsubscribe' | 'profile' | 'upemail' | 'cleaned' | 'campaign'

export type Webhook = {
  readonly id: string
  url: string
  readonly events: Map<WebhookEvent, boolean>
  readonly sources: Map<Actor, boolean>
}

export type Audience = {
  readonly id: string
  readonly webId: number
  readonly name: string
  readonly createdAt: number
  /** By id. Cached listings depend on `version`: raise it with every change. */
  readonly members: Map<string, Member>
  readonly membersByContactId: Map<string, Member>
  /** In order of creation, which is the order of an unsorted listing. */
  readonly order: Member[]
  version: number
  /** Ids of permanently deleted addresses. */
  readonly forgotten: Set<string>
  readonly mergeFields: MergeField[]
  readonly marketingPermissions: { readonly id: string; readonly text: string }[]
  readonly tagIds: Map<string, number>
  readonly webhooks: Map<string, Webhook>
  /** A mail the vendor sent to a person, asking to confirm: every one is a real person disturbed. */
  readonly confirmationMails: { readonly email: string; readonly at: number }[]
}

export type MailchimpState = {
  readonly apiKey: string
  readonly accountId: string
  readonly loginId: string
  readonly audiences: Map<string, Audience>
  readonly batches: Map<string, Batch>
  /** While true every request gets a bare 403 without JSON, as under extreme load. */
  overloaded: boolean
  nextWebId: number
  readonly ids: IdSource
  readonly now: () => number
}

export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase()
}

/** https://mailchimp.com/developer/marketing/docs/methods-parameters/ (subscriber hash). */
export function subscriberHash(email: string): string {
  return createHash('md5').update(normaliseEmail(email)).digest('hex')
}

function uniqueEmailId(email: string): string {
  return createHash('md5')
    .update(`unique:${normaliseEmail(email)}`)
    .digest('hex')
    .slice(0, 10)
}

/** Epoch milliseconds, cut to the second. */
export function currentSecond(state: MailchimpState): number {
  return Math.floor(state.now() / 1000) * 1000
}

/** `2026-01-31T12:00:00+00:00`; unset times are empty strings. */
export function isoSecond(at: number | null): string {
  return at === null ? '' : `${new Date(at).toISOString().slice(0, 19)}+00:00`
}

/** By subscriber hash, address or contact id: the path takes any of the three. */
export function findMember(audience: Audience, key: string): Member | undefined {
  if (key.includes('@')) return audience.members.get(subscriberHash(key))
  return audience.members.get(key.toLowerCase()) ?? audience.membersByContactId.get(key)
}

export function addMember(audience: Audience, member: Member): void {
  audience.members.set(member.id, member)
  audience.membersByContactId.set(member.contactId, member)
  audience.order.push(member)
  audience.version += 1
}

export function removeMember(audience: Audience, member: Member): void {
  audience.members.delete(member.id)
  audience.membersByContactId.delete(member.contactId)
  audience.order.splice(audience.order.indexOf(member), 1)
  audience.version += 1
}

/** The old id is gone at once: asking for it is a 404. */
export function rekeyMember(audience: Audience, member: Member, email: string): void {
  audience.members.delete(member.id)
  member.id = subscriberHash(email)
  member.email = email.trim()
  member.uniqueEmailId = uniqueEmailId(email)
  audience.members.set(member.id, member)
}

/** The only place that moves `last_changed`. */
export function touch(state: MailchimpState, audience: Audience, member: Member): void {
  member.lastChangedAt = currentSecond(state)
  audience.version += 1
}

export function newMember(state: MailchimpState, email: string, status: MemberStatus): Member {
  const at = currentSecond(state)
  return {
    id: subscriberHash(email),
    contactId: state.ids.hex(32),
    uniqueEmailId: uniqueEmailId(email),
    webId: state.nextWebId++,
    email: email.trim(),
    status,
    mergeFields: new Map(),
    signedUpAt: null,
    optedInAt: status === 'subscribed' ? at : null,
    lastChangedAt: at,
    mustConfirm: false,
    unsubscribed: null,
    language: '',
    vip: false,
    emailType: 'html',
    tags: [],
    source: 'API - Generic',
    ipSignup: '',
    ipOpt: '',
    enabledPermissions: new Set(),
  }
}
