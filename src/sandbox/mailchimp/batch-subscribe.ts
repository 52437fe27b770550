import { Hono } from 'hono'
import { z } from 'zod'
import type { Vendor } from './consent.ts'
import { memberBody, parseBody, type MemberBody } from './member-body.ts'
import { createMember, editMember, type WriteOptions } from './member-writes.ts'
import { invalidEmail, invalidResource, memberExists, Problem } from './problem.ts'
import { audienceOf, isTrue, jsonBody } from './request.ts'
import { findMember, touch, type Audience, type Member } from './state.ts'
import { setTag } from './tags.ts'
import { memberView } from './view.ts'

const MEMBERS_MAX = 500
const BLANK = 'This value should not be blank.'

const body = z.object({
  members: z.array(z.unknown()),
  update_existing: z.boolean().optional(),
  sync_tags: z.boolean().optional(),
})

/**
 * Many members in one call: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/.
 * 200 says nothing about the members: those that failed are in `errors`, by address.
 */
export function batchSubscribeRoutes(vendor: Vendor): Hono {
  const routes = new Hono()
  routes.post('/lists/:list', async (c) => {
    const audience = audienceOf(vendor.state, c.req.param('list'))
    const request = parseBody(body, await jsonBody(c))
    if (request.members.length > MEMBERS_MAX) {
      const message = `This collection should contain ${MEMBERS_MAX} elements or less.`
      throw invalidResource([{ field: 'members', message }])
    }
    const options = {
      actor: 'api' as const,
      skipMergeValidation: isTrue(c.req.query('skip_merge_validation')),
    }
    const outcomes = request.members.map((given) => subscribeOne(vendor, audience, given, request, options))
    const created = outcomes.flatMap((o) => (o.kind === 'created' ? [memberView(audience, o.member)] : []))
    const updated = outcomes.flatMap((o) => (o.kind === 'updated' ? [memberView(audience, o.member)] : []))
    const errors = outcomes.flatMap((o) => (o.kind === 'failed' ? [errorView(o.email, o.problem)] : []))
    return c.json({
      new_members: created,
      updated_members: updated,
      errors,
      total_created: created.length,
      total_updated: updated.length,
      error_count: errors.length,
    })
  })
  return routes
}

type Outcome =
  | { kind: 'created' | 'updated'; member: Member }
  | { kind: 'failed'; email: string; problem: Problem }

function subscribeOne(
  vendor: Vendor,
  audience: Audience,
  given: unknown,
  request: z.infer<typeof body>,
  options: WriteOptions,
): Outcome {
  let email = ''
  try {
    const member = parseBody(memberBody, given)
    email = member.email_address ?? ''
    if (!email.includes('@')) throw invalidEmail()
    const found = findMember(audience, email)
    if (found === undefined) {
      const status = member.status ?? member.status_if_new
      if (status === undefined) throw invalidResource([{ field: 'status', message: BLANK }])
      return { kind: 'created', member: createMember(vendor, audience, email, status, member, options) }
    }
    if (!request.update_existing && found.status !== 'archived') throw memberExists(email)
    const edited = editMember(vendor, audience, found, member, options)
    updateTags(vendor, audience, edited, member, request.sync_tags ?? false)
    return { kind: 'updated', member: edited }
  } catch (error) {
    if (error instanceof Problem) return { kind: 'failed', email, problem: error }
    throw error
  }
}

/** Tags are added; with `sync_tags` those not sent are removed too. */
function updateTags(
  vendor: Vendor,
  audience: Audience,
  member: Member,
  given: MemberBody,
  sync: boolean,
): void {
  if (given.tags === undefined) return
  const wanted = given.tags.map((tag) => (typeof tag === 'string' ? tag : tag.name))
  const before = member.tags
  const unwanted = sync ? before.filter((tag) => !wanted.includes(tag.name)) : []
  for (const tag of unwanted) setTag(vendor.state, audience, member, tag.name, false)
  for (const name of wanted) setTag(vendor.state, audience, member, name, true)
  if (before !== member.tags) touch(vendor.state, audience, member)
}

function errorView(email: string, problem: Problem) {
  const [first] = problem.errors
  return {
    email_address: email,
    error: problem.detail,
    error_code: problem.title === 'Member Exists' ? 'ERROR_CONTACT_EXISTS' : 'ERROR_GENERIC',
    field: first?.field ?? '',
    field_message: first?.message ?? '',
  }
}
