import { Hono } from 'hono'
import { z } from 'zod'
import { parseBody } from './member-body.ts'
import { MERGE_FIELD_TYPES, mergeField, type MergeField } from './merge-fields.ts'
import { page } from './paging.ts'
import { invalidResource, notFound } from './problem.ts'
import { project } from './project.ts'
import { audienceOf, isTrue, jsonBody } from './request.ts'
import { isoSecond, type Audience, type MailchimpState } from './state.ts'
import { mergeFieldView } from './view.ts'

const mergeFieldBody = z.object({
  tag: z.string().max(10).optional(),
  name: z.string().min(1),
  type: z.enum(MERGE_FIELD_TYPES).optional(),
  required: z.boolean().optional(),
  default_value: z.string().optional(),
  public: z.boolean().optional(),
  display_order: z.number().optional(),
  help_text: z.string().optional(),
  options: z
    .object({
      choices: z.array(z.string()).optional(),
      phone_format: z.string().optional(),
      date_format: z.string().optional(),
    })
    .optional(),
})

/** The account, its audiences and their merge fields: https://mailchimp.com/developer/marketing/api/ */
export function listRoutes(state: MailchimpState): Hono {
  const routes = new Hono()
  routes.get('/ping', (c) => c.json({ health_status: "Everything's Chimpy!" }))
  routes.get('/', (c) => c.json(project(accountView(state), c.req.query())))

  routes.get('/lists', (c) => {
    const all = [...state.audiences.values()]
    const lists = page(all, c.req.query(), Infinity).map(listView)
    const constraints = { may_create: false, max_instances: all.length, current_total_instances: all.length }
    return c.json(project({ lists, total_items: all.length, constraints }, c.req.query()))
  })
  routes.get('/lists/:list', (c) => {
    return c.json(project(listView(audienceOf(state, c.req.param('list'))), c.req.query()))
  })

  routes.get('/lists/:list/merge-fields', (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    const { type, required } = c.req.query()
    const all = audience.mergeFields
      .filter((field) => type === undefined || field.type === type)
      .filter((field) => required === undefined || field.required === isTrue(required))
    const fields = page(all, c.req.query(), Infinity).map((field) => mergeFieldView(audience, field))
    const body = { merge_fields: fields, list_id: audience.id, total_items: all.length }
    return c.json(project(body, c.req.query()))
  })
  routes.post('/lists/:list/merge-fields', async (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    const field = newMergeField(audience, await jsonBody(c))
    audience.mergeFields.push(field)
    return c.json(mergeFieldView(audience, field))
  })
  routes.get('/lists/:list/merge-fields/:id', (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    return c.json(mergeFieldView(audience, mergeFieldOf(audience, c.req.param('id'))))
  })
  routes.patch('/lists/:list/merge-fields/:id', async (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    const field = mergeFieldOf(audience, c.req.param('id'))
    const body = parseBody(mergeFieldBody.partial(), await jsonBody(c))
    field.name = body.name ?? field.name
    field.required = body.required ?? field.required
    field.choices = body.options?.choices ?? field.choices
    field.helpText = body.help_text ?? field.helpText
    return c.json(mergeFieldView(audience, field))
  })
  return routes
}

/** Tags are upper case, at most 10 long; one is made up when none is sent. */
function newMergeField(audience: Audience, json: unknown): MergeField {
  const body = parseBody(mergeFieldBody, json)
  const { type } = body
  if (type === undefined)
    throw invalidResource([{ field: 'type', message: 'This value should not be blank.' }])
  const id = Math.max(0, ...audience.mergeFields.map((field) => field.id)) + 1
  const tag = (body.tag || `MMERGE${id}`).toUpperCase()
  if (tag === 'EMAIL' || audience.mergeFields.some((field) => field.tag === tag)) {
    throw invalidResource([
      { field: 'tag', message: `A Merge Field with the tag "${tag}" already exists for this list.` },
    ])
  }
  return mergeField({
    id,
    tag,
    name: body.name,
    type,
    required: body.required ?? false,
    defaultValue: body.default_value ?? '',
    public: body.public ?? false,
    displayOrder: body.display_order ?? id + 1,
    helpText: body.help_text ?? '',
    choices: body.options?.choices ?? [],
    phoneFormat: body.options?.phone_format ?? 'none',
  })
}

function mergeFieldOf(audience: Audience, id: string): MergeField {
  const field = audience.mergeFields.find((candidate) => String(candidate.id) === id)
  if (field === undefined) throw notFound()
  return field
}

function accountView(state: MailchimpState) {
  const counted = [...state.audiences.values()].map((audience) => audience.members.size)
  return {
    account_id: state.accountId,
    login_id: state.loginId,
    account_name: 'Sandbox Ltd',
    email: 'owner@sandbox.example',
    first_name: 'Sandbox',
    last_name: 'Owner',
    username: 'sandbox',
    role: 'owner',
    account_timezone: 'Europe/Berlin',
    pricing_plan_type: 'monthly',
    total_subscribers: counted.reduce((sum, size) => sum + size, 0),
  }
}

function listView(audience: Audience) {
  let [members, unsubscribed, cleaned] = [0, 0, 0]
  for (const { status } of audience.order) {
    if (status === 'subscribed') members += 1
    if (status === 'unsubscribed') unsubscribed += 1
    if (status === 'cleaned') cleaned += 1
  }
  return {
    id: audience.id,
    web_id: audience.webId,
    name: audience.name,
    permission_reminder: 'You signed up on our site.',
    email_type_option: false,
    date_created: isoSecond(audience.createdAt),
    double_optin: false,
    marketing_permissions: audience.marketingPermissions.length > 0,
    visibility: 'prv',
    stats: {
      member_count: members,
      unsubscribe_count: unsubscribed,
      cleaned_count: cleaned,
      total_contacts: audience.order.length,
      merge_field_count: audience.mergeFields.length,
    },
  }
}
