import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { explainedOf, foundOf, healedOf, leftOf } from '../../src/core/reconcile.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { comparisons, lastComparisons, type StreamReconciliation } from '../../src/runtime/reconcile.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'

const ALL = ['csv', 'mailchimp', 'stripe']
let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

async function pass(mode: 'changes' | 'sweep', names: readonly string[] = ALL): Promise<void> {
  for (const { problem } of await syncAll(world.hub, names, mode)) expect(problem).toBeNull()
  world.clock.now += 86_400_000
}

async function last(stream: string): Promise<StreamReconciliation> {
  const found = (await lastComparisons(world.hub, ALL)).find((row) => row.stream === stream)
  if (found === undefined) throw new Error(`${stream} was not compared`)
  return found
}

const row = (i: number, title = 'Engineer') => [
  `c${i}`,
  `p${i}@example.com`,
  `P${i}`,
  'X',
  '',
  title,
  '',
  '',
  '',
]
const people = (count: number) => Array.from({ length: count }, (_, i) => i)

async function settled(): Promise<void> {
  world.export('contacts', [COLUMNS.contacts, ...people(8).map((i) => row(i))])
  for (const i of people(6)) world.mailchimp.admin.subscribe(`p${i}@example.com`, { FNAME: `P${i}` })
  for (const i of people(5))
    world.stripe.admin.createCustomer({ email: `p${i}@example.com`, name: `P${i} X` })
  await pass('changes')
  // Feeds read their last moments again: another change leaves those behind.
  world.mailchimp.admin.subscribe('p6@example.com', { FNAME: 'P6' })
  world.stripe.admin.createCustomer({ email: 'p6@example.com', name: 'P6 X' })
  await pass('changes')
  await pass('changes')
}

const NOTHING = {
  missing: 0,
  changed: 0,
  gone: 0,
  kept: 0,
  missed: 0,
  unreadable: 0,
  complete: true,
  first: false,
}

describe('a full comparison', () => {
  it('finds nothing where nothing drifted, on any stream', async () => {
    await settled()
    await pass('sweep')
    for (const stream of ['csv/contacts', 'mailchimp/members', 'stripe/customers']) {
      const { drift, source, hub } = await last(stream)
      expect([stream, drift.in]).toEqual([stream, { ...NOTHING, filtered: 0, unlisted: 0 }])
      expect(foundOf(drift)).toBe(0)
      expect([stream, source]).toEqual([stream, hub])
    }
    expect(leftOf((await last('csv/contacts')).drift)).toEqual([])
  })

  it('takes all of a first reading as new, and none of it as drift', async () => {
    await settled()
    const rows = await comparisons(world.hub, { connection: 'csv', before: null, limit: 50 })
    const first = rows.findLast(({ stream }) => stream === 'csv/contacts')
    expect(first).toMatchObject({ source: 8, hub: 0, drift: { in: { first: true, missing: 8 } } })
    expect(first && foundOf(first.drift)).toBe(0)
  })

  it('finds what is missing here, and heals it', async () => {
    await settled()
    await world.db.sql`
      delete from links where remote_id is not null
        and id in (select min(l.id) from links l join streams s on s.id = l.stream_id where state = 'linked' group by s.connection)`
    await pass('sweep')
    for (const stream of ['csv/contacts', 'mailchimp/members', 'stripe/customers']) {
      const { drift, source, hub } = await last(stream)
      expect([stream, drift.in]).toEqual([
        stream,
        { ...NOTHING, missing: 1, missed: 1, filtered: 0, unlisted: 0 },
      ])
      expect([foundOf(drift), healedOf(drift), source - hub]).toEqual([1, 1, 1])
    }
    await pass('sweep')
    expect(foundOf((await last('stripe/customers')).drift)).toBe(0)
  })

  it('finds what changed without a word, and heals it', async () => {
    await settled()
    const member = world.mailchimp.admin.member('p1@example.com')
    const customer = world.stripe.admin.customers().find(({ email }) => email === 'p2@example.com')
    member?.mergeFields.set('FNAME', 'Renamed')
    if (customer !== undefined) world.stripe.state.customers.put({ ...customer, name: 'Renamed Too' })
    await pass('changes')
    const name = async (email: string) =>
      (await world.db.sql`select given_name from contacts where email = ${email}`)[0]
    expect(await name('p1@example.com')).toEqual({ given_name: 'P1' })
    await pass('sweep')
    expect((await last('mailchimp/members')).drift.in).toMatchObject({ changed: 1, missed: 1 })
    expect((await last('stripe/customers')).drift.in).toMatchObject({ changed: 1, missed: 1 })
    expect(await name('p1@example.com')).toEqual({ given_name: 'Renamed' })
  })

  it('finds what is gone there, and says so', async () => {
    await settled()
    world.mailchimp.admin.deletePermanently('p3@example.com')
    const customer = world.stripe.admin.customers()[0]?.id ?? ''
    world.stripe.state.customers.remove(customer)
    world.export('contacts', [COLUMNS.contacts, ...people(7).map((i) => row(i))])
    await pass('sweep', ['mailchimp', 'stripe'])
    await pass('sweep', ['csv'])
    expect((await last('mailchimp/members')).drift.in).toMatchObject({ gone: 1, kept: 0, missed: 0 })
    expect((await last('stripe/customers')).drift.in).toMatchObject({ gone: 1, kept: 0 })
    expect(healedOf((await last('mailchimp/members')).drift)).toBe(1)
    expect(explainedOf((await last('mailchimp/members')).drift)).toContainEqual({
      count: 1,
      what: 'deleted there, and not made again',
    })
  })

  it('does not call a change missed that the feed would have brought a moment later', async () => {
    await settled()
    world.clock.now += 10_000
    const member = world.mailchimp.admin.member('p1@example.com')
    member?.mergeFields.set('FNAME', 'Renamed')
    if (member !== undefined) Object.assign(member, { lastChangedAt: world.clock.now })
    await pass('sweep')
    expect((await last('mailchimp/members')).drift.in).toMatchObject({ missed: 0 })
  })

  it('counts what cannot be read, and what the guard holds, as left', async () => {
    await settled()
    world.export('contacts', [
      COLUMNS.contacts,
      row(0),
      ['c1', 'short'],
      ...people(7)
        .slice(2)
        .map((i) => row(i)),
    ])
    await pass('sweep', ['csv'])
    const { drift } = await last('csv/contacts')
    expect(drift.in).toMatchObject({ unreadable: 1 })
    expect(leftOf(drift).map(({ what }) => what)).toContain('unreadable')
  })

  it('counts the other direction after everything was sent: what waits and what was refused', async () => {
    await settled()
    await world.db.sql`
      update links set problem = 'refused' where id in (
        select min(l.id) from links l join streams s on s.id = l.stream_id where s.connection = 'mailchimp' and state = 'linked')`
    await pass('sweep', ['mailchimp'])
    const { drift } = await last('mailchimp/members')
    expect(drift.out).toMatchObject({ waiting: 0 })
    expect(
      leftOf({ in: null, out: { waiting: 2, rejected: 1, filtered: 3, ended: 4, unlinked: 5 } }),
    ).toMatchObject([{ count: 1 }, { count: 2 }, { count: 5 }])
  })

  it('counts whom it links to a record that was to be made there, and asks for none of them again', async () => {
    world.export('contacts', [COLUMNS.contacts, ...people(8).map((i) => row(i))])
    for (const i of people(6)) world.mailchimp.admin.subscribe(`p${i}@example.com`, { FNAME: `P${i}` })
    await pass('changes', ['csv'])
    await pass('changes', ['mailchimp'])
    const { source, drift } = await last('mailchimp/members')
    expect(source).toBe(6)
    expect(drift.in).toEqual({ ...NOTHING, first: true, missing: 6, changed: 0, filtered: 0, unlisted: 0 })
  })

  it('counts an object once that two pages of a listing show', async () => {
    // Pages of a thousand overlap where more than that share one second.
    for (const i of people(1_030)) world.mailchimp.admin.subscribe(`p${i}@example.com`, { FNAME: `P${i}` })
    await pass('sweep', ['mailchimp'])
    const { source, drift } = await last('mailchimp/members')
    expect([source, drift.in?.missing]).toEqual([1_030, 1_030])
  })

  it('says that nothing is said to be gone, where a row of an export shows no id', async () => {
    await settled()
    world.export('contacts', [COLUMNS.contacts, ...people(8).map((i) => row(i)), ['', ...row(9).slice(1)]])
    await pass('sweep', ['csv'])
    const { source, drift } = await last('csv/contacts')
    expect(source).toBe(9)
    expect(drift.in).toMatchObject({ complete: false, unreadable: 1, gone: 0 })
    // The inbox tells of the row: no alarm comes on top of it.
    expect(leftOf(drift).map(({ what, isDrift }) => [what, isDrift])).toEqual([
      ['unreadable', false],
      ['incomplete listing, so that nothing is said to be gone', false],
    ])
  })

  it('does not send a person to the inbox for what the vendor takes no edits of', async () => {
    await settled()
    world.mailchimp.admin.clean('p1@example.com')
    await pass('changes')
    world.export('contacts', [COLUMNS.contacts, ...people(8).map((i) => row(i, 'Director'))])
    await pass('changes')
    await pass('sweep')
    const { drift } = await last('mailchimp/members')
    expect(drift.out).toMatchObject({ rejected: 0, frozen: 1 })
    expect(leftOf(drift)).toEqual([])
    expect(explainedOf(drift).map(({ count }) => count)).toContain(1)
  })

  it('is remembered row by row, and listed from the latest on', async () => {
    await settled()
    await pass('sweep')
    await pass('sweep')
    const page = await comparisons(world.hub, { connection: 'csv', before: null, limit: 2 })
    expect(page).toHaveLength(2)
    const before = page.at(-1)?.id ?? 0
    const more = await comparisons(world.hub, { connection: 'csv', before, limit: 100 })
    expect(more.every(({ id }) => id < before)).toBe(true)
    expect(more.length).toBeGreaterThan(0)
  })
})
