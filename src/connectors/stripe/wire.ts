import { z } from 'zod'
import { VendorError } from '../connector.ts'

/** What is read of API version 2026-10-28.endive. Everything else is dropped here. Times are Unix seconds. */

const orNull = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? null)
const text = orNull(z.string())
const seconds = z.number().int()
const metadata = z
  .record(z.string(), z.string())
  .nullish()
  .transform((pairs) => pairs ?? {})
/** A reference is an id, or the object itself where it was expanded. */
const ref = orNull(z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]))

const address = z.object({
  line1: text,
  line2: text,
  city: text,
  state: text,
  postal_code: text,
  country: text,
})

/** https://docs.stripe.com/api/customers/object */
export const customerWire = z.object({
  id: z.string(),
  object: z.literal('customer'),
  email: text,
  name: text,
  phone: text,
  description: text,
  address: orNull(address),
  metadata,
  currency: text,
  preferred_locales: z
    .array(z.string())
    .nullish()
    .transform((locales) => locales ?? []),
  created: seconds,
})

/** Deleted customers are still answered, as stubs. */
export const stubWire = z.object({ id: z.string(), deleted: z.literal(true) })

/** https://docs.stripe.com/api/invoice-line-item/object. The SDK makes objects of decimals. */
export const lineWire = z.object({
  id: z.string(),
  description: text,
  quantity: orNull(z.number()),
  quantity_decimal: orNull(z.coerce.number()),
  amount: z.number().int(),
  currency: z.string(),
  metadata,
  pricing: orNull(z.object({ unit_amount_decimal: orNull(z.coerce.number()) })),
})
export type LineWire = z.output<typeof lineWire>

/** https://docs.stripe.com/api/invoices/object */
export const invoiceWire = z.object({
  id: z.string(),
  object: z.literal('invoice'),
  customer: ref,
  status: text,
  number: text,
  currency: z.string(),
  total: z.number().int(),
  amount_due: z.number().int(),
  amount_paid: z.number().int(),
  amount_remaining: z.number().int(),
  hosted_invoice_url: text,
  metadata,
  due_date: orNull(seconds),
  description: text,
  lines: z.object({ data: z.array(lineWire), has_more: z.boolean() }),
  created: seconds,
  status_transitions: z.object({
    finalized_at: orNull(seconds),
    marked_uncollectible_at: orNull(seconds),
    paid_at: orNull(seconds),
    voided_at: orNull(seconds),
  }),
})
export type InvoiceWire = z.output<typeof invoiceWire>

/** What an event or webhook is about. `invoice.upcoming` has an object without an id. */
export const subjectWire = z.object({
  object: z.string(),
  id: text,
  invoice: orNull(z.unknown()),
})
export type SubjectWire = z.output<typeof subjectWire>

/** https://docs.stripe.com/api/events/object. The payload itself is frozen at another API version: only ids are read. */
export const eventWire = z.object({
  id: z.string(),
  type: z.string(),
  created: seconds,
  data: z.object({ object: subjectWire }),
})
export type EventWire = z.output<typeof eventWire>

export const accountWire = z.object({
  id: z.string(),
  email: text,
  business_profile: orNull(z.object({ name: text })),
  settings: orNull(z.object({ dashboard: orNull(z.object({ display_name: text })) })),
})

export const listWire = z.object({ data: z.array(z.unknown()), has_more: z.boolean() })
export type ListWire = z.output<typeof listWire>
export const idWire = z.object({ id: z.string() })
export const placeWire = z.object({ id: z.string(), created: seconds })

/** For what was read; an answer to a write is never lost over its shape. */
export function parse<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> {
  const read = schema.safeParse(raw)
  if (read.success) return read.data
  throw new VendorError({ kind: 'malformed', committed: 'no', message: problemOf(read.error) })
}

export function problemOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
}
