import type { Line, Money } from '../../../core/model.ts'
import { shown } from '../../output.ts'
import { askApi } from '../api.ts'
import { NotSo, type Scene } from '../scene.ts'
import type { StripeInvoice } from '../wiring.ts'
import type { World } from '../world.ts'

type Deal = {
  readonly id: number
  readonly name: string
  readonly amount: Money
  readonly lines: readonly Line[]
  readonly email: string
  readonly contact: number
}

/** A deal is won, its invoice goes out and is paid; the deal shows it. */
export async function wonDeal(world: World, scene: Scene): Promise<void> {
  const { vendors } = world
  const deal = await openDeal(world)
  const invoicesOf = () => vendors.stripe.invoices().filter((invoice) => invoice.deal === String(deal.id))

  await scene.step(async () => {
    await askApi(world, `deals/${deal.id}`, { method: 'PATCH', body: { stage: 'Won' } })
    return `Somebody sets “${deal.name}” to Won, through the hub's API.`
  })
  let invoice: StripeInvoice | undefined
  await scene.step(async () => {
    const issued = await scene.until(
      'one finalised invoice',
      invoicesOf,
      (found) => found.length > 0 && found.every(({ status }) => status === 'open'),
    )
    scene.same('The number of invoices', issued.length, 1)
    invoice = issued[0]
    return `Stripe has one finalised invoice, ${invoice?.number}, for ${invoice?.email}.`
  })
  if (invoice === undefined) return
  const { id, number } = invoice
  await scene.step(async () => {
    await checkInvoice(world, deal, invoicesOf()[0])
    return `Its ${deal.lines.length} lines, ${shown({ ...deal.amount })} and the customer are those of the deal.`
  })
  await scene.step(async () => {
    vendors.stripe.pay(id)
    const status = await scene.until(
      'the deal is paid',
      async () => (await stateOf(world, deal.id)).paymentStatus,
      (seen) => seen === 'paid',
    )
    return `The customer pays ${number}: Stripe's webhook comes in, and the deal shows “${status}”.`
  })
  await scene.step(async () => {
    scene.same('The invoice in the hub', (await stateOf(world, deal.id)).invoice, ['paid'])
    scene.same('The invoices at Stripe', invoicesOf().length, 1)
    await scene.until(
      'no write is open',
      () => openFor(world, deal.id),
      (count) => count === 0,
    )
    return 'The hub has that one invoice, paid, and nothing left to send.'
  })
}

async function openDeal({ hub }: World): Promise<Deal> {
  const [deal] = await hub.db.sql<Deal[]>`
    select d.id, d.name, d.amount, d.lines, c.email, c.id as contact
    from deals d join contacts c on c.id = d.contact_id
    where d.stage = 'Negotiation' and d.amount_minor > 0 and jsonb_array_length(d.lines) > 1 and c.email is not null
    order by d.currency <> 'EUR', d.id limit 1`
  if (deal === undefined) throw new NotSo('There is no open deal with an amount, lines and a contact.')
  return deal
}

async function checkInvoice(world: World, deal: Deal, invoice: StripeInvoice | undefined): Promise<void> {
  if (invoice === undefined) throw new NotSo('The invoice is gone.')
  const { amount, currency } = deal.amount
  const wrong = (what: string, seen: unknown, wanted: unknown) => {
    if (JSON.stringify(seen) !== JSON.stringify(wanted))
      throw new NotSo(`${what} of the invoice: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`)
  }
  wrong('The currency', invoice.currency, currency.toLowerCase())
  wrong('The total', invoice.total, amount)
  const lines = deal.lines.map(({ description, quantity, unitAmount }) => ({
    description,
    quantity,
    amount: quantity * unitAmount,
  }))
  wrong('The lines', invoice.lines, lines)
  wrong('The address', invoice.email.toLowerCase(), deal.email)
  const linked = await world.hub.db.sql<{ customer: string }[]>`
    select l.remote_id as customer from links l join streams s on s.id = l.stream_id
    where l.record_id = ${deal.contact} and s.connection = 'stripe' and s.name = 'customers' and l.state = 'linked'`
  if (!linked.some(({ customer }) => customer === invoice.customer))
    throw new NotSo(`The invoice is for ${invoice.customer}, who is not the deal's contact.`)
}

async function stateOf(
  { hub }: World,
  id: number,
): Promise<{ readonly paymentStatus: string | null; readonly invoice: readonly string[] }> {
  const [row] = await hub.db.sql<{ paymentStatus: string | null; invoice: string[] }[]>`
    select payment_status as "paymentStatus",
      array(select status from invoices i where i.deal_id = d.id and i.archived_at is null) as invoice
    from deals d where d.id = ${id}`
  return row ?? { paymentStatus: null, invoice: [] }
}

async function openFor({ hub }: World, deal: number): Promise<number> {
  const [row] = await hub.db.sql<{ count: number }[]>`
    select count(*) as count from links l join invoices i on i.id = l.record_id
    where i.deal_id = ${deal} and l.wake > l.settled`
  return row?.count ?? 0
}
