import { isObject, type Json, type JsonObject, same } from '../../core/json.ts'
import type { Outcome } from '../connector.ts'

/** What a profile write sends: fields of the member itself, and the whole set of its tags (null: as they are). */
export type Profile = { readonly fields: JsonObject; readonly tags: readonly string[] | null }
export type Rejected = Outcome & { readonly kind: 'rejected' }

const WRITABLE: ReadonlySet<string> = new Set([
  'email_address',
  'email_type',
  'language',
  'vip',
  'merge_fields',
  'interests',
])

/**
 * Never part of a profile: with `status` an update would subscribe people who opted out, as the vendor does as told.
 * https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/
 */
const CONSENT: ReadonlySet<string> = new Set(['status', 'status_if_new', 'marketing_permissions'])

/**
 * A merge patch in the vendor's terms. Fields of consent are left out; a field that the vendor does not let anyone
 * write is rejected, since dropping it would plan the same write again for ever.
 */
export function profileOf(patch: JsonObject, observed: JsonObject): Profile | Rejected {
  const fields: Record<string, Json> = {}
  let tags: readonly string[] | null = null
  for (const [key, value] of Object.entries(patch)) {
    if (CONSENT.has(key)) continue
    if (key === 'tags') tags = tagNames(value)
    else if (!WRITABLE.has(key))
      return rejected('not-writable', key, `Mailchimp does not let ${key} be written.`)
    else if (key === 'merge_fields') fields[key] = mergeFields(value, observed[key])
    else fields[key] = cleared(value)
  }
  if ('email_address' in fields && !isAddress(fields['email_address'])) {
    return rejected('no-address', 'email_address', 'A Mailchimp contact needs an email address.')
  }
  return { fields, tags }
}

export function isProfile(planned: Profile | Rejected): planned is Profile {
  return 'fields' in planned
}

export function rejected(code: string, field: string | null, message: string): Rejected {
  return { kind: 'rejected', code, field, message }
}

/** The last look before a profile write leaves: a bug here would subscribe people. */
export function assertKeepsConsent(body: JsonObject): void {
  for (const key of ['status', 'marketing_permissions']) {
    if (key in body) throw new Error(`A profile write must not carry ${key}`)
  }
}

/** What of `fields` the member does not say already, one merge field or interest at a time. */
export function difference(fields: JsonObject, body: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => {
      const now = body[key]
      const change = isObject(value) && isObject(now) ? changedEntries(value, now) : value
      return same(value, now) || same(change, {}) ? [] : [[key, change]]
    }),
  )
}

function changedEntries(wanted: JsonObject, now: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => !same(value, now[key])))
}

/** An address is written whole or not at all, so a patch of its parts is laid over what is there. */
function mergeFields(patch: Json, observed: Json | undefined): JsonObject {
  if (!isObject(patch)) return {}
  const before = isObject(observed) ? observed : {}
  return Object.fromEntries(
    Object.entries(patch).map(([tag, value]) => {
      if (!isObject(value)) return [tag, cleared(value)]
      const whole = isObject(before[tag]) ? before[tag] : {}
      const parts = Object.entries({ ...whole, ...value }).map(([part, text]) => [part, cleared(text)])
      return [tag, Object.fromEntries(parts)]
    }),
  )
}

/** The vendor clears by empty text. */
function cleared(value: Json): Json {
  return value === null ? '' : value
}

/** Tags are read as objects and may be written as names. */
export function tagNames(value: Json | undefined): readonly string[] {
  const tags: readonly Json[] = Array.isArray(value) ? value : []
  return tags.flatMap((tag) => {
    const name = isObject(tag) ? tag['name'] : tag
    return typeof name === 'string' && name.trim() !== '' ? [name.trim()] : []
  })
}

function isAddress(value: Json | undefined): boolean {
  return typeof value === 'string' && value.trim() !== ''
}
