import { isDeepStrictEqual } from 'node:util'
import { assertMayCreate, assertMayEdit, enterStatus, type Vendor } from './consent.ts'
import type { MemberBody } from './member-body.ts'
import { checkMergeFields, missingMergeFields, type MergeValue } from './merge-fields.ts'
import { forgottenEmail, invalidEmail, invalidMergeFields, memberExists } from './problem.ts'
import {
  addMember,
  currentSecond,
  newMember,
  rekeyMember,
  subscriberHash,
  touch,
  type Actor,
  type Audience,
  type Member,
  type MemberStatus,
} from './state.ts'
import { setTag } from './tags.ts'

export type WriteOptions = { readonly actor: Actor; readonly skipMergeValidation: boolean }

/** Creates a member by API. The address must be new to the audience. */
export function createMember(
  vendor: Vendor,
  audience: Audience,
  email: string,
  status: MemberStatus,
  body: MemberBody,
  options: WriteOptions,
): Member {
  assertEmail(email)
  assertMayCreate(audience, email, status)
  const mergeFields = checkedMergeFields(audience, new Map(), body, options)
  const member = newMember(vendor.state, email, status)
  member.mergeFields = mergeFields
  applyDetails(audience, member, body)
  for (const tag of body.tags ?? []) {
    setTag(vendor.state, audience, member, typeof tag === 'string' ? tag : tag.name, true)
  }
  addMember(audience, member)
  enterStatus(vendor, audience, member, status, options.actor)
  if (body.timestamp_opt) member.optedInAt = instant(body.timestamp_opt)
  return member
}

/**
 * Edits a member by API: only the fields sent change, and a `status` that is sent takes effect whatever the
 * member's own choice was, unless compliance forbids it. Checks everything before it changes anything.
 */
export function editMember(
  vendor: Vendor,
  audience: Audience,
  member: Member,
  body: MemberBody,
  options: WriteOptions,
): Member {
  const { status } = body
  assertMayEdit(member, status)
  const newEmail = changedEmail(audience, member, body)
  const mergeFields = checkedMergeFields(audience, member.mergeFields, body, options)

  const before = snapshot(member)
  const profileChanged = !isDeepStrictEqual(member.mergeFields, mergeFields)
  member.mergeFields = mergeFields
  applyDetails(audience, member, body)
  if (newEmail !== null) changeEmail(vendor, audience, member, newEmail, options.actor)
  if (status !== undefined && status !== member.status) {
    enterStatus(vendor, audience, member, status, options.actor)
  }
  if (body.timestamp_opt) member.optedInAt = instant(body.timestamp_opt)
  if (profileChanged) vendor.webhooks.emit(audience, options.actor, { type: 'profile', member })
  if (!isDeepStrictEqual(before, snapshot(member))) touch(vendor.state, audience, member)
  return member
}

/** The id follows the address; `last_changed` is the caller's to move. */
export function changeEmail(
  vendor: Vendor,
  audience: Audience,
  member: Member,
  email: string,
  actor: Actor,
): void {
  const oldEmail = member.email
  rekeyMember(audience, member, email)
  vendor.webhooks.emit(audience, actor, { type: 'upemail', member, oldEmail })
}

export function assertEmail(email: string): void {
  if (!/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(email.trim())) throw invalidEmail()
}

function changedEmail(audience: Audience, member: Member, body: MemberBody): string | null {
  const email = body.email_address
  if (email === undefined) return null
  assertEmail(email)
  const id = subscriberHash(email)
  if (id === member.id) return null
  if (audience.members.has(id)) throw memberExists(email)
  if (audience.forgotten.has(id)) throw forgottenEmail(email)
  return email
}

function checkedMergeFields(
  audience: Audience,
  current: ReadonlyMap<string, MergeValue>,
  body: MemberBody,
  options: WriteOptions,
): Map<string, MergeValue> {
  const { values, errors } = checkMergeFields(audience.mergeFields, body.merge_fields ?? {})
  const merged = new Map([...new Map([...current, ...values])].filter(([, value]) => value !== ''))
  const missing = options.skipMergeValidation ? [] : missingMergeFields(audience.mergeFields, merged)
  if (errors.length + missing.length > 0) throw invalidMergeFields([...errors, ...missing])
  return merged
}

function applyDetails(audience: Audience, member: Member, body: MemberBody): void {
  member.language = body.language ?? member.language
  member.vip = body.vip ?? member.vip
  member.emailType = body.email_type || member.emailType
  member.ipSignup = body.ip_signup ?? member.ipSignup
  member.ipOpt = body.ip_opt ?? member.ipOpt
  if (body.timestamp_signup) member.signedUpAt = instant(body.timestamp_signup)
  const enabled = new Set(member.enabledPermissions)
  for (const { marketing_permission_id: id, enabled: on } of body.marketing_permissions ?? []) {
    if (!audience.marketingPermissions.some((permission) => permission.id === id)) continue
    if (on) enabled.add(id)
    else enabled.delete(id)
  }
  member.enabledPermissions = enabled
}

function instant(text: string): number {
  return Math.floor(Date.parse(text) / 1000) * 1000
}

/** What counts as a change of the member: everything but the time of the change. */
function snapshot(member: Member): Omit<Member, 'lastChangedAt'> {
  const { lastChangedAt: _, ...rest } = member
  return rest
}

/** Only for people's own acts: a member made from a form, with no checks of the API. */
export function signUp(vendor: Vendor, audience: Audience, email: string, source: string): Member {
  const member = newMember(vendor.state, email, 'subscribed')
  member.source = source
  member.signedUpAt = currentSecond(vendor.state)
  addMember(audience, member)
  return member
}
