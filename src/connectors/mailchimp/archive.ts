import { failureOf, type Io, type Outcome, type RemoteId } from '../connector.ts'
import { request } from './api.ts'
import { observe } from './member.ts'
import { memberPath, readMember } from './read.ts'
import type { Target } from './settings.ts'

/**
 * DELETE archives; nothing here deletes for good. Already archived or gone counts as done.
 * https://mailchimp.com/developer/marketing/api/list-members/archive-list-member/
 */
export async function archive(io: Io, target: Target, id: RemoteId): Promise<Outcome> {
  let refusal: unknown = null
  try {
    await request(io, target, { method: 'DELETE', path: memberPath(target, id) })
  } catch (error) {
    const kind = failureOf(error)?.kind
    if (kind !== 'rejected' && kind !== 'missing') throw error
    if (kind === 'rejected') refusal = error
  }
  const now = await readMember(io, target, id)
  if (now === null) return { kind: 'applied', observation: { kind: 'absent', id } }
  if (refusal !== null && now.status !== 'archived') throw refusal
  return { kind: 'applied', observation: observe(now) }
}
