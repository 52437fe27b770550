import { isDeepStrictEqual } from 'node:util'
import { enterStatus, type Vendor } from './consent.ts'
import { archiveMember, forgetMember } from './members.ts'
import { assertEmail, changeEmail, signUp } from './member-writes.ts'
import { checkMergeFields, type MergeValue } from './merge-fields.ts'
import {
  addMember,
  findMember,
  newMember,
  touch,
  type Actor,
  type Audience,
  type Member,
  type MemberStatus,
} from './state.ts'
import { setTag } from './tags.ts'

export type MergeFields = Readonly<Record<string, unknown>>

/** A member to begin with. Nothing is checked but merge fields, and no webhook tells of it. */
export type SeedMember = {
  readonly email: string
  readonly status?: MemberStatus
  readonly mergeFields?: MergeFields
  readonly tags?: readonly string[]
  /** Epoch milliseconds; now when left out. */
  readonly changedAt?: number
  /** Who unsubscribed, when the status is `unsubscribed`; the person when left out. */
  readonly unsubscribedBy?: Actor
}

export type MailchimpAdmin = ReturnType<typeof createAdmin>

/** What people do at the vendor, not through the API: the contacts themselves, and staff. */
export function createAdmin(vendor: Vendor, audience: Audience) {
  const { state, webhooks } = vendor
  const existing = (email: string): Member => {
    const member = findMember(audience, email)
    if (member === undefined) throw new Error(`No member ${email}`)
    return member
  }
  const changed = (member: Member): Member => {
    touch(state, audience, member)
    return member
  }
  const become = (email: string, status: MemberStatus, actor: Actor): Member => {
    const member = existing(email)
    enterStatus(vendor, audience, member, status, actor)
    return changed(member)
  }

  return {
    /** The person fills in the sign-up form. */
    subscribe(email: string, mergeFields: MergeFields = {}): Member {
      assertEmail(email)
      const member = findMember(audience, email) ?? signUp(vendor, audience, email, 'Hosted Signup Form')
      setMergeFields(audience, member, mergeFields)
      enterStatus(vendor, audience, member, 'subscribed', 'user')
      return changed(member)
    },

    /** The person follows the unsubscribe link, or reports spam with the reason `abuse`. */
    unsubscribe(email: string, reason = 'N/A (No reason given)', by: 'user' | 'admin' = 'user'): Member {
      const member = existing(email)
      enterStatus(vendor, audience, member, 'unsubscribed', by, { text: reason, abuse: reason === 'abuse' })
      return changed(member)
    },

    /** The person comes back through the form: the only way out of a compliance state. */
    resubscribeByForm(email: string): Member {
      return this.subscribe(email)
    },

    /** The person follows the link in a confirmation mail. */
    confirm(email: string): Member {
      if (existing(email).status !== 'pending') throw new Error(`${email} has nothing to confirm`)
      return become(email, 'subscribed', 'user')
    },

    /** The person, or staff, edits the profile. Values that do not change tell nobody. */
    editProfile(email: string, mergeFields: MergeFields, by: 'user' | 'admin' = 'user'): Member {
      const member = existing(email)
      if (!setMergeFields(audience, member, mergeFields)) return member
      webhooks.emit(audience, by, { type: 'profile', member })
      return changed(member)
    },

    changeEmail(oldEmail: string, newEmail: string, by: 'user' | 'admin' = 'user'): Member {
      const member = existing(oldEmail)
      if (findMember(audience, newEmail) !== undefined) throw new Error(`${newEmail} is taken`)
      changeEmail(vendor, audience, member, newEmail, by)
      return changed(member)
    },

    /** Mail to the address bounced for good. */
    clean: (email: string): Member => become(email, 'cleaned', 'admin'),

    archive: (email: string): void => archiveMember(vendor, audience, existing(email), 'admin'),

    deletePermanently: (email: string): void => forgetMember(vendor, audience, existing(email), 'admin'),

    setTag(email: string, name: string, active: boolean): Member {
      const member = existing(email)
      const before = member.tags
      setTag(state, audience, member, name, active)
      return before === member.tags ? member : changed(member)
    },

    /** From now on (or no longer) a value of this merge field is required. */
    requireMergeField(tag: string, required = true): void {
      const field = audience.mergeFields.find((candidate) => candidate.tag === tag)
      if (field === undefined) throw new Error(`No merge field ${tag}`)
      field.required = required
    },

    /** Under extreme load the vendor answers everything with a bare 403. */
    setOverloaded(overloaded: boolean): void {
      state.overloaded = overloaded
    },

    member: (email: string): Member | undefined => findMember(audience, email),

    /** Everybody, archived people too, in order of creation. */
    members: (): readonly Member[] => audience.order,

    seed(seeds: readonly SeedMember[]): void {
      for (const seed of seeds) seedMember(vendor, audience, seed)
    },
  }
}

function seedMember(vendor: Vendor, audience: Audience, seed: SeedMember): void {
  if (findMember(audience, seed.email) !== undefined) throw new Error(`${seed.email} is seeded twice`)
  const status = seed.status ?? 'subscribed'
  const member = newMember(vendor.state, seed.email, status)
  setMergeFields(audience, member, seed.mergeFields ?? {})
  if (seed.changedAt !== undefined) member.lastChangedAt = Math.floor(seed.changedAt / 1000) * 1000
  if (status === 'subscribed') member.optedInAt = member.lastChangedAt
  const by = seed.unsubscribedBy ?? 'user'
  if (status === 'unsubscribed') member.unsubscribed = { by, reason: 'N/A', at: member.lastChangedAt }
  member.mustConfirm = status === 'cleaned' || (status === 'unsubscribed' && by === 'user')
  for (const tag of seed.tags ?? []) setTag(vendor.state, audience, member, tag, true)
  addMember(audience, member)
}

/** Whether anything changed. A value the vendor's own form would refuse is a mistake in the test. */
function setMergeFields(audience: Audience, member: Member, given: MergeFields): boolean {
  const { values, errors } = checkMergeFields(audience.mergeFields, given)
  const [refused] = errors
  if (refused !== undefined) throw new Error(`${refused.field}: ${refused.message}`)
  const laid = new Map<string, MergeValue>([...member.mergeFields, ...values])
  const merged = new Map([...laid].filter(([, value]) => value !== ''))
  const differs = !isDeepStrictEqual(merged, member.mergeFields)
  member.mergeFields = merged
  return differs
}
