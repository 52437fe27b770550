import type Stripe from 'stripe'
import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { FieldInfo, RemoteId } from '../connector.ts'
import { customerWire } from './wire.ts'

const clearable = z
  .string()
  .nullable()
  .transform((value) => value ?? '')
const addressParts = z.strictObject({
  line1: clearable.exactOptional(),
  line2: clearable.exactOptional(),
  city: clearable.exactOptional(),
  state: clearable.exactOptional(),
  postal_code: clearable.exactOptional(),
  country: clearable.exactOptional(),
})
/** Keys that are given are set, keys given as null are removed, all others stay: https://docs.stripe.com/api/metadata. */
export const metadataChange = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null()]).transform((v) => (v === null ? '' : String(v))),
)

/** What may be written of a customer; null clears, and Stripe wants that as empty text. */
export const customerChange = z.strictObject({
  email: clearable.exactOptional(),
  name: clearable.exactOptional(),
  phone: clearable.exactOptional(),
  description: clearable.exactOptional(),
  address: addressParts.nullable().exactOptional(),
  metadata: metadataChange.exactOptional(),
  preferred_locales: z.array(z.string()).min(1).exactOptional(),
})
export type CustomerChange = z.output<typeof customerChange>

/**
 * Stripe does not say what becomes of address parts that are left out, so all of them are sent: those of the change,
 * and the others as they are in `observed`.
 */
export function customerParams(change: CustomerChange, observed: JsonObject): Stripe.CustomerUpdateParams {
  const { address, ...plain } = change
  if (address === undefined) return plain
  const before = addressParts.safeParse(observed['address'])
  const whole = { ...NO_ADDRESS, ...(before.success ? before.data : {}), ...address }
  const empty = address === null || Object.values(whole).every((part) => part === '')
  return { ...plain, address: empty ? '' : whole }
}
const NO_ADDRESS = { line1: '', line2: '', city: '', state: '', postal_code: '', country: '' }

export const CUSTOMER_FIELDS: readonly FieldInfo[] = [
  { path: 'email', label: 'Email', required: false },
  { path: 'name', label: 'Name', required: false },
  { path: 'phone', label: 'Phone', required: false },
  { path: 'description', label: 'Description', required: false },
  ...['line1', 'line2', 'city', 'state', 'postal_code', 'country'].map((part) => ({
    path: `address.${part}`,
    label: `Address: ${part.replace('_', ' ')}`,
    required: false,
  })),
  { path: 'preferred_locales', label: 'Preferred languages, the first counts', required: false },
  {
    path: 'metadata',
    label: 'Metadata: any key as metadata.<key>, at most 50 keys of 40 characters with texts of 500',
    required: false,
  },
  { path: 'currency', label: 'Billing currency (read only)', required: false },
  { path: 'created', label: 'Created, Unix seconds (read only)', required: false },
]

/** The id of the record a customer was made for, if Concord made it. */
export function madeFor(raw: unknown): { readonly id: RemoteId; readonly record: string | null } | null {
  const read = customerWire.safeParse(raw)
  return read.success ? { id: read.data.id, record: read.data.metadata['concord_record'] ?? null } : null
}
