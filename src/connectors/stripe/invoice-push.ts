import type Stripe from 'stripe'
import { z } from 'zod'
import { unreachable } from '../../core/json.ts'
import {
  failureOf,
  type CreateWrite,
  type Io,
  type Observation,
  type Outcome,
  type Write,
} from '../connector.ts'
import { stripeFor } from './client.ts'
import { metadataChange } from './customer-body.ts'
import { observe, observeAnswer } from './feed.ts'
import { invoiceFeed } from './invoice-feed.ts'
import { heldFor, issue } from './invoice-issue.ts'
import { rejected, unfit } from './sending.ts'

/** What a draft may still become: https://docs.stripe.com/api/invoices/update. */
const draftChange = z.strictObject({
  description: z
    .string()
    .nullable()
    .transform((text) => text ?? '')
    .exactOptional(),
  days_until_due: z.number().int().nonnegative().exactOptional(),
  metadata: metadataChange.exactOptional(),
})

export async function sendToInvoice(client: Stripe, write: Write): Promise<Outcome> {
  switch (write.op) {
    case 'create':
      return create(client, write)
    case 'update':
      return update(client, write)
    case 'archive':
      return archive(client, write.id)
    case 'consent':
      return rejected('unfit', null, 'An invoice states no consent')
    default:
      return unreachable(write)
  }
}

async function create(client: Stripe, write: CreateWrite): Promise<Outcome> {
  try {
    return await issue(client, write)
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
    return rejected('missing', null, 'The draft was deleted in Stripe while the invoice was being issued')
  }
}

async function update(client: Stripe, write: Extract<Write, { op: 'update' }>): Promise<Outcome> {
  const now = await observe(invoiceFeed, client, write.id)
  if (now.kind === 'absent') return { kind: 'stale' }
  if (now.body['status'] !== 'draft')
    return rejected(
      'finalised',
      Object.keys(write.patch)[0] ?? null,
      `Invoice ${write.id} is out and stays as it is. Void it and issue it again, or adjust it in Stripe.`,
    )
  if (write.version !== null && now.version !== write.version) return { kind: 'stale' }
  const read = draftChange.safeParse(write.patch)
  if (!read.success) return unfit(read.error)
  const answer = await client.invoices.update(write.id, read.data, { idempotencyKey: write.key })
  return { kind: 'applied', observation: await observeAnswer(invoiceFeed, client, answer) }
}

/** Voiding is a statement to the customer and the tax office: it is never a by-product of archiving a record. */
async function archive(client: Stripe, id: string): Promise<Outcome> {
  const now = await observe(invoiceFeed, client, id)
  if (now.kind === 'absent' || now.body['status'] === 'void') return { kind: 'applied', observation: now }
  return rejected('archive', null, `Invoice ${id} stays in Stripe. Void or delete it there if it should not.`)
}

/**
 * The invoices that are out. A draft that was left half way is not one: sending the write again, with whatever key,
 * goes on with it.
 */
export async function findInvoices(
  io: Io,
  creates: readonly CreateWrite[],
): Promise<readonly (Observation | null)[]> {
  const client = stripeFor(io)
  return Promise.all(
    creates.map(async (write) => {
      const { customer } = write.body
      const held = typeof customer === 'string' ? await heldFor(client, customer, write) : null
      return held === null || held.status === 'draft' ? null : observe(invoiceFeed, client, held.id)
    }),
  )
}
