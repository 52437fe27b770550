import { z } from 'zod'
import { invalidResource } from './problem.ts'

const given = z.enum(['subscribed', 'unsubscribed', 'cleaned', 'pending', 'transactional'])

/** Instants an API client may set; anything `Date.parse` cannot read is refused. */
const instant = z
  .string()
  .refine((text) => text === '' || !Number.isNaN(Date.parse(text)), 'This value is not a valid datetime.')

/** Every way of writing a member; unknown keys are dropped without a word. */
export const memberBody = z.object({
  email_address: z.string().optional(),
  status: given.optional(),
  status_if_new: given.optional(),
  email_type: z.string().optional(),
  merge_fields: z.record(z.string(), z.unknown()).optional(),
  language: z.string().optional(),
  vip: z.boolean().optional(),
  tags: z.array(z.union([z.string(), z.object({ name: z.string() })])).optional(),
  timestamp_signup: instant.optional(),
  timestamp_opt: instant.optional(),
  ip_signup: z.string().optional(),
  ip_opt: z.string().optional(),
  marketing_permissions: z
    .array(z.object({ marketing_permission_id: z.string(), enabled: z.boolean() }))
    .optional(),
})
export type MemberBody = z.infer<typeof memberBody>

/** Parses or throws the vendor's 400, which names the fields. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw invalidResource(
    parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message })),
  )
}
