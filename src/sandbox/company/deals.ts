import type { Dice } from './dice.ts'
import { REGULARS, type Firm, type Person } from './people.ts'
import { PRODUCTS } from './words.ts'

export type Line = { readonly description: string; readonly quantity: number; readonly unitAmount: number }

export type Deal = {
  readonly id: string
  readonly name: string
  readonly stage: string
  /** In minor units; null where nobody has filled it in. */
  readonly amount: number | null
  readonly currency: string
  readonly lines: readonly Line[]
  /** YYYY-MM-DD. */
  readonly closeDate: string
  readonly contact: Person | null
  readonly firm: Firm | null
}

const DAY_MS = 86_400_000

/** `now` in epoch milliseconds: deals close around it. */
export function makeDeals(
  dice: Dice,
  count: number,
  people: readonly Person[],
  now: number,
): readonly Deal[] {
  const customers = people.filter((person) => person.known.csv)
  return Array.from({ length: count }, (_, i): Deal => {
    // The first deals are whole ones, of people known everywhere.
    const whole = i < REGULARS
    const contact = whole
      ? (people[i] ?? null)
      : dice.chance(0.96)
        ? (customers[dice.below(customers.length)] ?? null)
        : null
    const firm = contact?.firm ?? null
    const currency = (firm ?? contact)?.country.currency ?? contact?.country.currency ?? 'USD'
    const lines = Array.from({ length: whole ? 3 : 1 + dice.below(3) }, () => line(dice, currency))
    const amount = lines.reduce((sum, { quantity, unitAmount }) => sum + quantity * unitAmount, 0)
    const stage = whole ? 'Negotiation' : dice.weighted(STAGES)
    const closed = stage === 'Won' || stage === 'Lost'
    const days = closed ? -dice.below(200) : 5 + dice.below(120)
    return {
      id: `d-${String(i + 1).padStart(5, '0')}`,
      name: `${lines[0]?.description ?? 'Order'} for ${firm?.name ?? contact?.family ?? 'somebody'}`,
      stage,
      amount: whole || dice.chance(stage === 'Won' ? 0.5 : 0.94) ? amount : null,
      currency,
      lines: whole || dice.chance(0.6) ? lines : [],
      closeDate: new Date(now + days * DAY_MS).toISOString().slice(0, 10),
      contact,
      firm,
    }
  })
}

const STAGES = [
  ['New', 24],
  ['Qualified', 24],
  ['Proposal', 22],
  ['Negotiation', 14],
  ['Lost', 14],
  ['Won', 2],
] as const

/** Yen have no minor unit, and a crown buys less than a euro. */
function line(dice: Dice, currency: string): Line {
  const quantity = 1 + dice.below(8)
  const euros = 40 + dice.below(960)
  const unitAmount =
    currency === 'JPY'
      ? euros * 160
      : currency === 'SEK'
        ? euros * 1100
        : euros * 100 + dice.pick([0, 0, 50, 95])
  return { description: dice.pick(PRODUCTS), quantity, unitAmount }
}
