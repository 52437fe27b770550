import type { Io } from '../connector.ts'
import { request } from './api.ts'
import { tagNames } from './profile.ts'
import { memberPath, readMember } from './read.ts'
import type { Target } from './settings.ts'
import type { Member } from './wire.ts'

/**
 * Makes the member's tags exactly these; null: the member is gone. Members are written without tags, which have a call
 * of their own. https://mailchimp.com/developer/marketing/api/list-member-tags/
 */
export async function setTags(
  io: Io,
  target: Target,
  member: Member,
  wanted: readonly string[],
): Promise<Member | null> {
  const present = tagNames(member.body['tags'])
  const tags = [
    ...missingFrom(present, wanted).map((name) => ({ name, status: 'active' })),
    ...missingFrom(wanted, present).map((name) => ({ name, status: 'inactive' })),
  ]
  if (tags.length === 0) return member
  const path = `${memberPath(target, member.contactId)}/tags`
  await request(io, target, { method: 'POST', path, body: { tags } })
  return readMember(io, target, member.contactId)
}

/** Those of `names` that `others` lack; the vendor compares them without case. */
function missingFrom(others: readonly string[], names: readonly string[]): readonly string[] {
  const known = new Set(others.map((name) => name.toLowerCase()))
  return names.filter((name) => !known.has(name.toLowerCase()))
}
