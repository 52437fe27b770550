import { Hono } from 'hono'
import { assertMayArchive, enterStatus, type Vendor } from './consent.ts'
import { listMembers } from './listing.ts'
import { memberBody, parseBody, type MemberBody } from './member-body.ts'
import { createMember, editMember, type WriteOptions } from './member-writes.ts'
import { page } from './paging.ts'
import { invalidResource, memberExists } from './problem.ts'
import { project } from './project.ts'
import { audienceOf, isTrue, jsonBody, memberOf } from './request.ts'
import { findMember, removeMember, touch, type Actor, type Audience, type Member } from './state.ts'
import { memberView } from './view.ts'

/** https://mailchimp.com/developer/marketing/api/list-members/ */
export function memberRoutes(vendor: Vendor, pageMax: number): Hono {
  const routes = new Hono()
  const audience = (id: string): Audience => audienceOf(vendor.state, id)

  routes.get('/lists/:list/members', (c) => {
    const list = audience(c.req.param('list'))
    const all = listMembers(list, c.req.query())
    const members = page(all, c.req.query(), pageMax).map((member) => memberView(list, member))
    return c.json(project({ members, list_id: list.id, total_items: all.length }, c.req.query()))
  })

  routes.post('/lists/:list/members', async (c) => {
    const list = audience(c.req.param('list'))
    const body = parseBody(memberBody, await jsonBody(c))
    const options = writeOptions(c.req.query('skip_merge_validation'))
    return c.json(memberView(list, addByApi(vendor, list, body, options)))
  })

  routes.get('/lists/:list/members/:member', (c) => {
    const list = audience(c.req.param('list'))
    return c.json(project(memberView(list, memberOf(list, c.req.param('member'))), c.req.query()))
  })

  routes.put('/lists/:list/members/:member', async (c) => {
    const list = audience(c.req.param('list'))
    const body = parseBody(memberBody, await jsonBody(c))
    const options = writeOptions(c.req.query('skip_merge_validation'))
    const found = findMember(list, c.req.param('member'))
    const member =
      found === undefined
        ? upsertNew(vendor, list, body, options)
        : editMember(vendor, list, found, body, options)
    return c.json(memberView(list, member))
  })

  routes.patch('/lists/:list/members/:member', async (c) => {
    const list = audience(c.req.param('list'))
    const body = parseBody(memberBody, await jsonBody(c))
    const options = writeOptions(c.req.query('skip_merge_validation'))
    const member = editMember(vendor, list, memberOf(list, c.req.param('member')), body, options)
    return c.json(memberView(list, member))
  })

  routes.delete('/lists/:list/members/:member', (c) => {
    const list = audience(c.req.param('list'))
    const member = memberOf(list, c.req.param('member'))
    assertMayArchive(member)
    archiveMember(vendor, list, member, 'api')
    return c.body(null, 204)
  })

  routes.post('/lists/:list/members/:member/actions/delete-permanent', (c) => {
    const list = audience(c.req.param('list'))
    forgetMember(vendor, list, memberOf(list, c.req.param('member')), 'api')
    return c.body(null, 204)
  })
  return routes
}

/** Archiving forgets whether the person had unsubscribed. */
export function archiveMember(vendor: Vendor, audience: Audience, member: Member, actor: Actor): void {
  enterStatus(vendor, audience, member, 'archived', actor)
  touch(vendor.state, audience, member)
}

/** Gone from every listing, and barred from being added again by API. */
export function forgetMember(vendor: Vendor, audience: Audience, member: Member, actor: Actor): void {
  removeMember(audience, member)
  audience.forgotten.add(member.id)
  if (member.status === 'archived') return
  vendor.webhooks.emit(audience, actor, { type: 'unsubscribe', member, action: 'delete', reason: 'manual' })
}

/** POST: an archived address may be added again; any other that is there already is refused. */
function addByApi(vendor: Vendor, audience: Audience, body: MemberBody, options: WriteOptions): Member {
  const email = required('email_address', body.email_address)
  const status = required('status', body.status)
  const found = email.includes('@') ? findMember(audience, email) : undefined
  if (found === undefined) return createMember(vendor, audience, email, status, body, options)
  if (found.status !== 'archived') throw memberExists(email)
  return editMember(vendor, audience, found, body, options)
}

function upsertNew(vendor: Vendor, audience: Audience, body: MemberBody, options: WriteOptions): Member {
  const email = required('email_address', body.email_address)
  if (email.includes('@') && findMember(audience, email) !== undefined) throw memberExists(email)
  const status = required('status_if_new', body.status_if_new ?? body.status)
  return createMember(vendor, audience, email, status, body, options)
}

function required<T>(field: string, value: T | undefined): T {
  if (value === undefined) throw invalidResource([{ field, message: 'This value should not be blank.' }])
  return value
}

function writeOptions(skipMergeValidation: string | undefined): WriteOptions {
  return { actor: 'api', skipMergeValidation: isTrue(skipMergeValidation) }
}
