import {
  failureOf,
  type FieldInfo,
  type Io,
  type Observation,
  type RemoteId,
  type Resource,
} from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, CONCURRENT } from './api.ts'
import type { Sleep } from './index.ts'
import { pull } from './listing.ts'
import { erase } from './erase.ts'
import { addressHash, observe } from './member.ts'
import { find, send } from './push.ts'
import { readMember } from './read.ts'
import { noSuchList, type Target, targetOf } from './settings.ts'
import { list, mergeFields } from './wire.ts'

/**
 * The contacts of one audience. Archived contacts are present, with the status `archived`; permanently deleted ones
 * are never listed, so that only a complete listing tells. https://mailchimp.com/developer/marketing/api/list-members/
 */
export function membersResource(sleep: Sleep): Resource {
  return {
    deletes: 'swept',
    // Webhooks know a member by its address alone.
    aliases: ({ email_address: email }) => (typeof email === 'string' ? [addressHash(email)] : []),
    discover,
    pull,
    fetch: fetchMembers,
    push: {
      batchMax: 500,
      dedupe: { kind: 'upsert', by: 'key' },
      // The API answers an edit of a cleaned contact with 400 Member In Compliance State.
      frozen: ({ status }) =>
        status === 'cleaned'
          ? 'Mailchimp gave this address up after bounces, and takes no edits of it'
          : null,
      send: (io, writes) => send(io, writes, sleep),
      find,
      erase,
    },
  }
}

/** By `contact_id`, or by the hash of the address, which is what hints know. */
export async function fetchMembers(io: Io, ids: readonly RemoteId[]): Promise<readonly Observation[]> {
  const target = targetOf(io)
  const found = await inParallel(ids, CONCURRENT, (id) => settle(readMember(io, target, id)))
  const observations = found.map((result, i): Observation => {
    if (result.status === 'rejected') throw result.reason
    return result.value === null ? { kind: 'absent', id: ids[i] ?? '' } : observe(result.value)
  })
  // Everybody is missing from an audience that is missing itself: that is no delete.
  if (observations.some((seen) => seen.kind === 'absent')) await assertListExists(io, target)
  return observations
}

async function assertListExists(io: Io, target: Target): Promise<void> {
  const path = `/lists/${encodeURIComponent(target.list)}`
  try {
    await ask(io, target, { method: 'GET', path, query: { fields: 'id,name' } }, list)
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
    throw noSuchList(target)
  }
}

async function settle<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([promise])
  return result
}

const STANDARD: readonly FieldInfo[] = [
  { path: 'email_address', label: 'Email address', required: true },
  { path: 'status', label: 'Subscription status (read only; consent has its own way)', required: false },
  { path: 'language', label: 'Language', required: false },
  { path: 'vip', label: 'VIP', required: false },
  { path: 'email_type', label: 'Email type (html or text)', required: false },
  { path: 'tags', label: 'Tags', required: false },
  { path: 'interests', label: 'Interests, by their ids', required: false },
  { path: 'marketing_permissions', label: 'Marketing permissions (read only)', required: false },
  { path: 'unsubscribe_reason', label: 'Reason for unsubscribing (read only)', required: false },
  { path: 'timestamp_signup', label: 'Signed up at (read only)', required: false },
  { path: 'timestamp_opt', label: 'Opted in at (read only)', required: false },
  { path: 'last_changed', label: 'Last changed at (read only)', required: false },
]
const ADDRESS_PARTS = ['addr1', 'addr2', 'city', 'state', 'zip', 'country']

/** The standard fields, then the audience's own: https://mailchimp.com/developer/marketing/docs/merge-fields/ */
async function discover(io: Io): Promise<readonly FieldInfo[]> {
  const target = targetOf(io)
  const path = `/lists/${encodeURIComponent(target.list)}/merge-fields`
  const own: FieldInfo[] = []
  for (let offset = 0; ; ) {
    const query = { count: '1000', offset: String(offset) }
    const page = await ask(io, target, { method: 'GET', path, query }, mergeFields)
    for (const { tag, name, type, required } of page.merge_fields) {
      own.push({ path: `merge_fields.${tag}`, label: name, required })
      if (type !== 'address') continue
      for (const part of ADDRESS_PARTS) {
        own.push({ path: `merge_fields.${tag}.${part}`, label: `${name}: ${part}`, required: false })
      }
    }
    offset += page.merge_fields.length
    if (page.merge_fields.length === 0 || offset >= page.total_items) return [...STANDARD, ...own]
  }
}
