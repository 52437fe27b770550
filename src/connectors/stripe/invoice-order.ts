import Stripe from 'stripe'
import { z } from 'zod'
import type { CreateWrite, Outcome } from '../connector.ts'
import { metadataChange } from './customer-body.ts'
import { toStripe } from './money.ts'
import { rejected, unfit } from './sending.ts'

const line = z.object({
  description: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  quantity: z.number().positive(),
  unit_amount: z.number(),
})
/** Amounts in ISO minor units. The lines may also come in the shape they are read in. */
const orderBody = z.strictObject({
  customer: z.string().min(1),
  currency: z.string().length(3),
  description: z.string().nullish(),
  days_until_due: z.number().int().nonnegative(),
  lines: z.union([z.array(line), z.object({ data: z.array(line) }).transform(({ data }) => data)]),
  metadata: metadataChange.nullish(),
})

/** An invoice to issue, its amounts in Stripe's units. */
export type Order = {
  readonly customer: string
  readonly currency: string
  readonly description: string | null
  readonly daysUntilDue: number
  readonly lines: readonly OrderLine[]
  readonly total: number
  readonly metadata: Readonly<Record<string, string>>
}
export type OrderLine = {
  readonly description: string
  readonly quantity: number
  readonly unitAmount: number
  readonly amount: number
}

export function readOrder(
  write: CreateWrite,
):
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'refused'; readonly outcome: Outcome } {
  const refuse = (outcome: Outcome) => ({ kind: 'refused', outcome }) as const
  const read = orderBody.safeParse(write.body)
  if (!read.success) return refuse(unfit(read.error))
  const { customer, currency, description, days_until_due, metadata } = read.data
  const lines: OrderLine[] = []
  for (const [i, { quantity, unit_amount, description: text }] of read.data.lines.entries()) {
    const unit = toStripe(unit_amount, currency)
    if (unit.kind === 'refused')
      return refuse(
        rejected(unit.code, unit.code === 'currency' ? 'currency' : `lines.${i}.unit_amount`, unit.problem),
      )
    const amount = times(unit.amount, quantity)
    lines.push({ description: text, quantity, unitAmount: unit.amount, amount })
  }
  const total = lines.reduce((sum, { amount }) => sum + amount, 0)
  if (total <= 0)
    return refuse(
      rejected(
        'empty',
        'lines',
        'The lines come to nothing that could be billed. Give the deal lines with an amount.',
      ),
    )
  return {
    kind: 'order',
    order: {
      customer,
      currency: currency.toLowerCase(),
      description: description ?? null,
      daysUntilDue: days_until_due,
      lines,
      total,
      metadata: metadata ?? {},
    },
  }
}

/** Rounded half away from zero, as Stripe rounds lines. */
function times(unitAmount: number, quantity: number): number {
  const exact = Stripe.Decimal.from(unitAmount).mul(Stripe.Decimal.from(quantity))
  return exact.round('half-up', { mode: 'decimal-places', value: 0 }).toNumber()
}
