import { createRecord } from '../../../runtime/edit.ts'
import { number, plural } from '../../output.ts'
import { NotSo, type Scene } from '../scene.ts'
import { openWrites } from '../sights.ts'
import type { World } from '../world.ts'

/** How many orders come in at once: fewer in a small company. */
const MOST_ORDERS = 24
const FEWEST_ORDERS = 9
/** So that the end comes while requests are on their way. */
const SLOW_MS = 40
const PATIENCE_MS = 60_000

type Order = { readonly deal: number; readonly email: string; readonly amount: number }

/** A worker process is killed in the middle of its writes; answers are lost after the vendor has acted. */
export async function crash(world: World, scene: Scene): Promise<void> {
  const { vendors, programs, workers, hub } = world
  const count = Math.max(FEWEST_ORDERS, Math.min(MOST_ORDERS, Math.round(vendors.company.people / 50)))
  const more = Math.round(count / 2)
  await workers.stop()
  try {
    const orders: Order[] = []
    await scene.step(async () => {
      const worker = programs.worker()
      // Some orders are done then, some half done, some not begun.
      const dies = diesAt(world, Math.ceil(count / 3), () => worker.kill())
      orders.push(...(await placeOrders(world, 'fair', count)))
      const { signal, said } = await Promise.race([worker.ended, tooLate(scene)])
      vendors.stripe.setFaults(null)
      if (signal !== 'SIGKILL' || !dies.done)
        throw new NotSo(`The worker ended by itself (${signal}): ${said}`)
      return `${count} orders come in at once. A “concord worker” process is sending them to Stripe when kill -9 hits it.`
    })
    await scene.step(async () => {
      const { customers, invoices, drafts } = soFar(world, orders)
      const unknown = await openWrites(hub)
      return `At that moment Stripe has ${plural(customers, 'customer')}, ${plural(invoices, 'finished invoice')} and ${plural(drafts, 'half made one')}. Of ${plural(unknown, 'write')} the hub does not know the outcome.`
    })
    const worker = programs.worker()
    await scene.step(async () => {
      await allInvoiced(world, scene, orders)
      return `A new worker starts, looks up what became of them, and goes on.`
    })
    await scene.step(async () => {
      checkOnce(world, scene, orders)
      return `Stripe has each of the ${count} customers once and each of the ${count} invoices once, finalised, with the right amount.`
    })
    await scene.step(async () => {
      loseAnswers(world)
      const before = vendors.stripe.faultsFired('timeout-after-commit')
      const late = await placeOrders(world, 'webshop', more)
      await allInvoiced(world, scene, late)
      const lost = vendors.stripe.faultsFired('timeout-after-commit') - before
      vendors.stripe.setFaults(null)
      if (lost === 0) throw new NotSo('No answer was lost, so nothing was shown.')
      checkOnce(world, scene, late)
      return `${more} more orders while every third answer of Stripe is lost after it has acted (${number(lost)} were): again each customer and each invoice is there once.`
    })
    await scene.step(async () => {
      await worker.stop()
      scene.same('The writes without outcome', await openWrites(hub), 0)
      return 'No write is left without an outcome, and the worker ends when asked to.'
    })
  } finally {
    vendors.stripe.setFaults(null)
    await workers.start()
  }
}

/** Slows Stripe down, and runs `act` in the middle of the n-th request to finalise an invoice. */
function diesAt({ vendors }: World, n: number, act: () => void): { done: boolean } {
  const state = { done: false }
  let invoices = 0
  vendors.stripe.setFaults(({ method, path }) => {
    if (method === 'POST' && path.endsWith('/finalize') && ++invoices === n) {
      state.done = true
      act()
    }
    return { kind: 'slow', ms: SLOW_MS }
  })
  return state
}

function loseAnswers({ vendors }: World): void {
  let posts = 0
  vendors.stripe.setFaults(({ method }) =>
    method === 'POST' && ++posts % 3 === 0 ? { kind: 'timeout-after-commit' } : null,
  )
}

const GIVEN =
  'Abeni Bjarne Chiara Dragan Eilidh Fausto Gudrun Hamza Ioana Joaquin Kalinda Leif Mireille Nuno Oksana Piotr Quirin Rasa Soren Tadeo Ulrika Vesna Wanjiru Yusuf'.split(
    ' ',
  )
const FAMILY =
  'Adeyemi Brekke Castellani Djordjevic Erskine Ferraro Gudmundsson Haddad Ionescu Jurado Kowalczyk Lindgaard Montreuil Nogueira Ostapenko Pawlak Quandt Radvilas Straume Tejada Ullberg Vukovic Wainaina Yilmaz'.split(
    ' ',
  )

/** Nobody looks like anybody else: those who order are no duplicates for the inbox to ask about. */
function nameOf(where: string, i: number) {
  const shift = where.length
  return {
    givenName: GIVEN[i % GIVEN.length] ?? '',
    familyName: FAMILY[(i * 5 + shift) % FAMILY.length] ?? '',
  }
}

/** New contacts with a won deal each, made in the hub as its API makes them. */
async function placeOrders({ hub }: World, where: string, count: number): Promise<readonly Order[]> {
  const orders: Order[] = []
  for (let i = 1; i <= count; i++) {
    const email = `guest${String(i).padStart(2, '0')}@${where}.example`
    const person = await createRecord(hub, 'contact', { ...nameOf(where, i), emails: [email] }, 'api')
    if (person.kind !== 'saved') throw new NotSo(`A contact could not be made: ${JSON.stringify(person)}`)
    const amount = 10_000 + i * 25
    const fields = {
      name: `Order ${i} of the ${where}`,
      pipeline: 'Sales',
      stage: 'Won',
      amount: { amount, currency: 'EUR' },
      contact: person.record.id,
    }
    const deal = await createRecord(hub, 'deal', fields, 'api')
    if (deal.kind !== 'saved') throw new NotSo(`A deal could not be made: ${JSON.stringify(deal)}`)
    orders.push({ deal: deal.record.id, email, amount })
  }
  return orders
}

function soFar({ vendors }: World, orders: readonly Order[]) {
  const emails = new Set(orders.map(({ email }) => email))
  const deals = new Set(orders.map(({ deal }) => String(deal)))
  const made = vendors.stripe.invoices().filter(({ deal }) => deals.has(deal))
  const drafts = made.filter(({ status }) => status === 'draft').length
  return {
    customers: vendors.stripe.customers().filter(({ email }) => emails.has(email ?? '')).length,
    invoices: made.length - drafts,
    drafts,
  }
}

async function allInvoiced({ hub }: World, scene: Scene, orders: readonly Order[]): Promise<void> {
  const ids = orders.map(({ deal }) => deal)
  const left = async () => {
    const [row] = await hub.db.sql<{ count: number }[]>`
      select count(*) as count from deals where id = any(${ids}) and payment_status is distinct from 'invoiced'`
    return { withoutInvoice: row?.count ?? 0, open: await openWrites(hub) }
  }
  await scene.until(
    'every order has its invoice',
    left,
    (seen) => seen.withoutInvoice + seen.open === 0,
    PATIENCE_MS,
  )
}

/** Counted at the vendor, by address and by deal. */
function checkOnce({ vendors }: World, scene: Scene, orders: readonly Order[]): void {
  const customers = Map.groupBy(vendors.stripe.customers(), ({ email }) => email)
  const invoices = Map.groupBy(vendors.stripe.invoices(), ({ deal }) => deal)
  for (const { deal, email, amount } of orders) {
    const found = invoices.get(String(deal)) ?? []
    scene.same(`The customers ${email} at Stripe`, customers.get(email)?.length, 1)
    const facts = found.map(({ status, total, currency, customer }) => ({
      status,
      total,
      currency,
      customer,
    }))
    const wanted = { status: 'open', total: amount, currency: 'eur', customer: customers.get(email)?.[0]?.id }
    scene.same(`The invoices of deal ${deal}`, facts, [wanted])
  }
}

/** A promise that rejects when Ctrl-C comes or too much time has passed. */
async function tooLate(scene: Scene): Promise<never> {
  await scene.until(
    'the worker is killed',
    () => false,
    (seen) => seen,
    PATIENCE_MS,
  )
  throw new NotSo('never')
}
