import { type Io, type Outcome, outcomeOf, type RemoteId } from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { CONCURRENT, request } from './api.ts'
import { addressHash } from './member.ts'
import { memberPath, readMember } from './read.ts'
import { type Target, targetOf } from './settings.ts'

/**
 * Deletes members permanently: they vanish from every report, and the API never takes their address again; only a form
 * of the vendor's, filled in by the person, does. Its path is documented for the hash of the address alone.
 * https://mailchimp.com/developer/marketing/api/list-members/delete-list-member/
 */
export async function erase(io: Io, ids: readonly RemoteId[]): Promise<readonly Outcome[]> {
  const target = targetOf(io)
  const ends = await inParallel(ids, CONCURRENT, async (id) => {
    const [end] = await Promise.allSettled([eraseOne(io, target, id)])
    return end
  })
  return ends.map((end) => (end.status === 'fulfilled' ? end.value : outcomeOf(end.reason)))
}

async function eraseOne(io: Io, target: Target, id: RemoteId): Promise<Outcome> {
  const gone: Outcome = { kind: 'applied', observation: { kind: 'absent', id } }
  const member = await readMember(io, target, id)
  if (member === null) return gone
  const email = member.body['email_address']
  const name = typeof email === 'string' ? addressHash(email) : id
  await request(io, target, {
    method: 'POST',
    path: `${memberPath(target, name)}/actions/delete-permanent`,
  })
  return gone
}
