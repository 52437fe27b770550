import { Hono } from 'hono'
import { z } from 'zod'
import type { Vendor } from './consent.ts'
import { parseBody } from './member-body.ts'
import { page } from './paging.ts'
import { project } from './project.ts'
import { audienceOf, jsonBody, memberOf } from './request.ts'
import { isoSecond, touch, type Audience, type MailchimpState, type Member } from './state.ts'

const tagsBody = z.object({
  tags: z.array(z.object({ name: z.string().min(1), status: z.enum(['active', 'inactive']) })),
  is_syncing: z.boolean().optional(),
})

/** https://mailchimp.com/developer/marketing/api/list-member-tags/. No webhook tells of a tag. */
export function tagRoutes(vendor: Vendor, pageMax: number): Hono {
  const routes = new Hono()
  routes.get('/lists/:list/members/:member/tags', (c) => {
    const member = memberOf(audienceOf(vendor.state, c.req.param('list')), c.req.param('member'))
    const shown = page(member.tags, c.req.query(), pageMax)
    const tags = shown.map(({ id, name, addedAt }) => ({ id, name, date_added: isoSecond(addedAt) }))
    return c.json(project({ tags, total_items: member.tags.length }, c.req.query()))
  })
  routes.post('/lists/:list/members/:member/tags', async (c) => {
    const audience = audienceOf(vendor.state, c.req.param('list'))
    const { tags } = parseBody(tagsBody, await jsonBody(c))
    const member = memberOf(audience, c.req.param('member'))
    const before = member.tags
    for (const tag of tags) setTag(vendor.state, audience, member, tag.name, tag.status === 'active')
    if (before !== member.tags) touch(vendor.state, audience, member)
    return c.body(null, 204)
  })
  return routes
}

/** Adds or removes one tag; a member that already agrees is left as it is. Names compare without case. */
export function setTag(
  state: MailchimpState,
  audience: Audience,
  member: Member,
  name: string,
  active: boolean,
): void {
  const key = name.trim().toLowerCase()
  const has = member.tags.some((tag) => tag.name.toLowerCase() === key)
  if (active && !has) {
    const id = audience.tagIds.get(key) ?? audience.tagIds.size + 1
    audience.tagIds.set(key, id)
    member.tags = [...member.tags, { id, name: name.trim(), addedAt: Math.floor(state.now() / 1000) * 1000 }]
  }
  if (!active && has) member.tags = member.tags.filter((tag) => tag.name.toLowerCase() !== key)
}
