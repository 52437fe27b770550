import { failureOf, type Io, type RemoteId } from '../connector.ts'
import { ask } from './api.ts'
import type { Target } from './settings.ts'
import { member, type Member, MEMBER_FIELDS } from './wire.ts'

/** Null: there is no such member. */
export async function readMember(io: Io, target: Target, id: RemoteId): Promise<Member | null> {
  try {
    return await ask(io, target, memberCall(target, id), member)
  } catch (error) {
    if (failureOf(error)?.kind === 'missing') return null
    throw error
  }
}

export function memberCall(target: Target, id: RemoteId) {
  return { method: 'GET', path: memberPath(target, id), query: { fields: MEMBER_FIELDS.join() } } as const
}

export function memberPath(target: Target, id: RemoteId): string {
  return `/lists/${encodeURIComponent(target.list)}/members/${encodeURIComponent(id)}`
}
