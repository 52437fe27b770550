import { createHash } from 'node:crypto'
import type { Observation, RemoteId } from '../connector.ts'
import { isObject, type Instant, type Json } from '../../core/json.ts'
import type { Member } from './wire.ts'

/**
 * Links hold a member's `contact_id`.
 *
 * The vendor's paths take three names for a member: `contact_id`, the MD5 of the address, and the address. The MD5
 * and `unique_email_id` follow the address: after a change of address they name nobody, which would read as a delete
 * beside a new person. `contact_id` stays, so a link survives the change, and so does a write that is sent again.
 *
 * Webhooks know only the address. Their hints carry the MD5, and `fetch` takes it: the observation it answers has the
 * `contact_id` as its id. An MD5 that names nobody is answered `absent` under that MD5, which no link holds.
 */
export function remoteId(member: Member): RemoteId {
  return member.contactId
}

/** The name under which the vendor files an address: https://mailchimp.com/developer/marketing/docs/methods-parameters/ */
export function addressHash(email: string): string {
  return createHash('md5').update(email.trim().toLowerCase()).digest('hex')
}

export function observe(member: Member): Observation {
  return {
    kind: 'present',
    id: remoteId(member),
    version: versionOf(member.body),
    modifiedAt: changedAt(member),
    body: member.body,
  }
}

/** Second resolution, the vendor's clock; null where it says nothing. */
export function changedAt(member: Member): Instant | null {
  const text = member.body['last_changed']
  const at = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : at
}

/** The vendor has no versions, so the kept fields are one. The order of keys does not count. */
function versionOf(body: Json): string {
  return createHash('sha256').update(canonical(body)).digest('base64url').slice(0, 22)
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`
}
