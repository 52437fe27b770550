import Stripe from 'stripe'
import { z } from 'zod'
import { parsedJson, type Instant } from '../../core/json.ts'
import { VendorError, type Hint, type Io, type RawRequest, type Receipt } from '../connector.ts'
import { stripeFor } from './client.ts'
import { customerFeed } from './customer-feed.ts'
import { invoiceFeed } from './invoice-feed.ts'
import { everyRow, PAGE } from './paging.ts'
import { subjectWire, type SubjectWire } from './wire.ts'

const TOLERANCE_SECONDS = 300

const snapshot = z.object({
  id: z.string(),
  object: z.literal('event'),
  data: z.object({ object: subjectWire }),
})
/** https://docs.stripe.com/event-destinations#thin-payload; the SDK's `constructEvent` throws at it. */
const thin = z.object({
  id: z.string(),
  object: z.literal('v2.core.event'),
  related_object: z.object({ id: z.string(), type: z.string() }).nullish(),
})

/**
 * https://docs.stripe.com/webhooks/signature, by the SDK, which accepts any one of several `v1` (while a secret is being
 * replaced) and refuses old timestamps but not future ones. Either payload style is a hint of what to fetch.
 */
export function receive(raw: RawRequest, secret: string, now: Instant): Receipt {
  const header = raw.headers.get('stripe-signature') ?? ''
  const { signature } = Stripe.webhooks
  if (signature === null) throw new Error('The Stripe SDK cannot verify signatures here')
  try {
    signature.verifyHeader(raw.body, header, secret, TOLERANCE_SECONDS, undefined, now)
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return refused(error.message)
    throw error
  }
  if (signedAt(header) - now / 1000 > TOLERANCE_SECONDS) return refused('The timestamp lies in the future')
  const event = readEvent(raw.body)
  if (event === null) return refused('The body is not an event')
  return { kind: 'hints', eventId: event.id, hints: hintsOf(event.subject), status: 200 }
}

function refused(reason: string): Receipt {
  return { kind: 'refused', status: 400, reason }
}

/** Unix seconds. The SDK, too, takes the last `t`. */
function signedAt(header: string): number {
  const times = header.split(',').filter((part) => part.startsWith('t='))
  return Number.parseInt(times.at(-1)?.slice(2) ?? '', 10)
}

function readEvent(body: Uint8Array): { readonly id: string; readonly subject: SubjectWire | null } | null {
  const json = parsedJson(new TextDecoder().decode(body))
  const full = snapshot.safeParse(json)
  if (full.success) return { id: full.data.id, subject: full.data.data.object }
  const notice = thin.safeParse(json)
  if (!notice.success) return null
  const about = notice.data.related_object ?? null
  const subject = about === null ? null : { object: about.type, id: about.id, invoice: null }
  return { id: notice.data.id, subject }
}

/** By what the event is about, not by its name: `customer.subscription.updated` says nothing about the customer. */
function hintsOf(subject: SubjectWire | null): readonly Hint[] {
  if (subject === null) return []
  const customer = customerFeed.subject(subject)
  const invoice = invoiceFeed.subject(subject)
  return [
    ...(customer === null ? [] : [{ resource: 'customers', id: customer }]),
    ...(invoice === null ? [] : [{ resource: 'invoices', id: invoice }]),
  ]
}

/**
 * https://docs.stripe.com/api/webhook_endpoints/create. A secret is told once, at creation, so an endpoint that is there
 * already is replaced: the new one first, then the others with this URL go. What is delivered to those in between is
 * refused by the new secret, and found by polling.
 */
export async function subscribe(io: Io, url: string): Promise<{ secret: string | null; renewBefore: null }> {
  const client = stripeFor(io)
  const older: string[] = []
  for await (const raw of everyRow((after) => client.webhookEndpoints.list({ limit: PAGE, ...after }))) {
    const read = endpoint.safeParse(raw)
    if (read.success && read.data.url === url) older.push(read.data.id)
  }
  const made: unknown = await client.webhookEndpoints.create({
    url,
    api_version: Stripe.API_VERSION,
    enabled_events: EVENTS,
    description: 'Concord',
  })
  const read = created.safeParse(made)
  if (!read.success)
    throw new VendorError({
      kind: 'malformed',
      committed: 'unknown',
      message: 'Stripe told no webhook secret',
    })
  for (const id of older) await client.webhookEndpoints.del(id)
  return { secret: read.data.secret, renewBefore: null }
}

const endpoint = z.object({ id: z.string(), url: z.string() })
const created = z.object({ secret: z.string() })
const EVENTS = [...customerFeed.eventTypes, ...invoiceFeed.eventTypes]
