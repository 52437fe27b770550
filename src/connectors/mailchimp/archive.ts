import { failureOf, type Io, type Outcome, outcomeOf, type RemoteId } from '../connector.ts'
import { request } from './api.ts'
import { observe } from './member.ts'
import { memberPath, readMember } from './read.ts'
import type { Target } from './settings.ts'

/**
 * DELETE archives; nothing here deletes for good. Already archived or gone counts as done.
 * https://mailchimp.com/developer/marketing/api/list-members/archive-list-member/
 */
export async function archive(io: Io, target: Target, id: RemoteId): Promise<Outcome> {
  const refusal = await archived(io, target, id)
  const now = await readMember(io, target, id)
  if (now === null) return { kind: 'applied', observation: { kind: 'absent', id } }
  return refusal === null || now.status === 'archived'
    ? { kind: 'applied', observation: observe(now) }
    : outcomeOf(refusal)
}

/** Null, or why the vendor would not. */
async function archived(io: Io, target: Target, id: RemoteId): Promise<unknown> {
  try {
    await request(io, target, { method: 'DELETE', path: memberPath(target, id) })
    return null
  } catch (error) {
    switch (failureOf(error)?.kind) {
      case 'missing':
        return null
      case 'rejected':
        return error
      default:
        throw error
    }
  }
}
