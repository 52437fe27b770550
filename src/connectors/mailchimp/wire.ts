import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'

/**
 * What is kept of a member: https://mailchimp.com/developer/marketing/api/list-members/. Statistics, location and
 * addresses of machines are left out: they change by themselves and nobody maps them.
 */
export const MEMBER_FIELDS = [
  'id',
  'contact_id',
  'unique_email_id',
  'email_address',
  'status',
  'unsubscribe_reason',
  'merge_fields',
  'interests',
  'language',
  'vip',
  'email_type',
  'tags',
  'marketing_permissions',
  'timestamp_signup',
  'timestamp_opt',
  'last_changed',
] as const

export type Member = {
  readonly contactId: string
  readonly email: string
  /** subscribed, unsubscribed, cleaned (bounced), pending, transactional or archived. */
  readonly status: string
  readonly body: JsonObject
}

const parts = z.object({
  contact_id: z.string().min(1),
  email_address: z.string(),
  status: z.string().min(1),
})

/** A member of which only `MEMBER_FIELDS` are kept. */
export const member = z.record(z.string(), z.unknown()).transform((raw, context): Member => {
  const named = parts.safeParse(raw)
  const kept = Object.fromEntries(MEMBER_FIELDS.flatMap((key) => (key in raw ? [[key, raw[key]]] : [])))
  const body = z.record(z.string(), z.json()).safeParse(kept)
  if (named.success && body.success) {
    const { contact_id: contactId, email_address: email, status } = named.data
    return { contactId, email, status, body: body.data }
  }
  for (const issue of [...(named.error?.issues ?? []), ...(body.error?.issues ?? [])]) {
    context.addIssue({ code: 'custom', message: issue.message, path: issue.path })
  }
  return z.NEVER
})

/** Rows stay unparsed, so that one bad row does not cost the page. */
export const memberList = z.object({
  members: z.array(z.unknown()),
  total_items: z.number().int().nonnegative(),
})

export const account = z.object({ account_id: z.string(), account_name: z.string() })
export const list = z.object({ id: z.string(), name: z.string() })
export const lists = z.object({ lists: z.array(list) })

export const mergeFields = z.object({
  merge_fields: z.array(
    z.object({ tag: z.string(), name: z.string(), type: z.string(), required: z.boolean() }),
  ),
  total_items: z.number(),
})

export const webhookList = z.object({ webhooks: z.array(z.object({ id: z.string(), url: z.string() })) })
export const webhook = z.object({ id: z.string() })

/** https://mailchimp.com/developer/marketing/api/batch-operations/ */
export const batch = z.object({
  id: z.string(),
  status: z.string(),
  response_body_url: z.string().optional(),
})
/** `response` is the body of the operation's reply, as text. */
export const batchResults = z.array(
  z.object({ status_code: z.number(), operation_id: z.string().nullish(), response: z.string() }),
)

/** https://mailchimp.com/developer/marketing/docs/errors/ */
export const problem = z.object({
  title: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.object({ field: z.string().optional(), message: z.string().optional() })).optional(),
})
export type Problem = z.infer<typeof problem>
