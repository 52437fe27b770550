import { beforeEach, describe, expect, it } from 'vitest'
import { failureOf } from '../../src/connectors/connector.ts'
import {
  bodyOf,
  cursorOf,
  DAY,
  drain,
  idsIn,
  MINUTE,
  seenIn,
  T0,
  world,
  type World,
} from './stripe.support.ts'

let at: World
beforeEach(() => {
  at = world()
})

const people = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `cus_${String(i).padStart(4, '0')}`,
    email: `p${i}@example.com`,
    created: Math.floor(T0 / 1000) - count + i,
  }))

describe('listing customers', () => {
  it('brings every one once, and says so only on its last page', async () => {
    at.vendor.admin.seed(people(250))
    const pages = await drain(at.customers, at.io)
    expect(pages.map((page) => page.observations.length)).toEqual([100, 100, 50])
    expect(pages.map((page) => page.listed)).toEqual([undefined, undefined, 'everything'])
    expect(new Set(idsIn(pages)).size).toBe(250)
  })

  it('keeps what a mapping may use, and a version that depends on nothing else', async () => {
    const made = at.vendor.admin.createCustomer({
      email: 'ada@example.com',
      name: 'Ada',
      address: { city: 'London', country: 'GB' },
      metadata: { tier: 'gold', since: '2020' },
    })
    const [first] = seenIn(await drain(at.customers, at.io))
    expect(first).toMatchObject({ kind: 'present', id: made.id, modifiedAt: null })
    expect(bodyOf(first)).toEqual({
      id: made.id,
      email: 'ada@example.com',
      name: 'Ada',
      phone: null,
      description: null,
      address: { line1: null, line2: null, city: 'London', state: null, postal_code: null, country: 'GB' },
      metadata: { tier: 'gold', since: '2020' },
      currency: null,
      preferred_locales: [],
      created: T0 / 1000,
    })
    at.vendor.admin.editCustomer(made.id, { balance: 100, metadata: { since: '' } })
    at.vendor.admin.editCustomer(made.id, { metadata: { since: '2020' } })
    const [again] = await at.customers.fetch(at.io, [made.id])
    expect(again).toEqual(first)
  })

  it('misses no change that is made while it runs', async () => {
    at.vendor.admin.seed(people(150))
    const first = await at.customers.pull(at.io, null)
    at.vendor.admin.editCustomer('cus_0149', { name: 'Changed after its page' })
    const newcomer = at.vendor.admin.createCustomer({ email: 'new@example.com' })
    at.vendor.admin.deleteCustomer('cus_0148')
    const rest = await drain(at.customers, at.io, first.cursor)
    const changes = await drain(at.customers, at.io, cursorOf(rest))
    expect(idsIn(changes).toSorted()).toEqual(['cus_0148', 'cus_0149', newcomer.id].toSorted())
    expect(seenIn(changes)).toContainEqual({ kind: 'absent', id: 'cus_0148' })
  })

  it('goes on where the last customer of a page is gone without a trace', async () => {
    at.vendor.admin.seed(people(150))
    const first = await at.customers.pull(at.io, null)
    const cursor = { ...first.cursor, after: { id: 'cus_neverwas', created: T0 / 1000 - 101 } }
    const rest = await drain(at.customers, at.io, cursor)
    expect(new Set([...idsIn([first]), ...idsIn(rest)]).size).toBe(150)
  })
})

describe('following events', () => {
  async function settled() {
    at.vendor.admin.seed(people(3))
    at.vendor.admin.editCustomer('cus_0000', { name: 'First' })
    at.clock.now += 5 * MINUTE
    const cursor = cursorOf(await drain(at.customers, at.io, cursorOf(await drain(at.customers, at.io))))
    at.sent.length = 0
    return cursor
  }

  it('gives an equal cursor for a few requests while nothing happens', async () => {
    const cursor = await settled()
    at.clock.now += 60 * MINUTE
    const page = await at.customers.pull(at.io, cursor)
    expect(page).toEqual({ observations: [], bad: [], cursor, more: false })
    expect(at.sent).toHaveLength(1)
  })

  it('fetches an object once for all the events of a page', async () => {
    const cursor = await settled()
    for (const name of ['A', 'B', 'C']) at.vendor.admin.editCustomer('cus_0001', { name })
    const page = await at.customers.pull(at.io, cursor)
    expect(page.observations.map(bodyOf)).toMatchObject([{ id: 'cus_0001', name: 'C' }])
    expect(at.sent.filter(({ path }) => path.startsWith('/v1/customers'))).toHaveLength(1)
  })

  it('trusts no payload: an event frozen at another API version brings the object of now', async () => {
    const cursor = await settled()
    at.vendor.state.apiVersion = '2019-01-01'
    at.vendor.admin.editCustomer('cus_0001', { name: 'Then' })
    at.vendor.state.apiVersion = '2026-10-28.endive'
    at.vendor.admin.editCustomer('cus_0001', { name: 'Now' })
    const page = await at.customers.pull(at.io, cursor)
    expect(page.observations.map(bodyOf)).toMatchObject([{ name: 'Now' }])
  })

  it('reads hundreds of events of one second forward, none lost, none left over', async () => {
    const cursor = await settled()
    const made = Array.from({ length: 250 }, (_, i) => at.vendor.admin.createCustomer({ name: `N${i}` }).id)
    const pages = await drain(at.customers, at.io, cursor)
    expect(pages.map((page) => page.observations.length)).toEqual([100, 100, 50])
    expect(idsIn(pages)).toEqual(made)
    at.clock.now += 5 * MINUTE
    const again = await drain(at.customers, at.io, cursorOf(pages))
    at.clock.now += 5 * MINUTE
    expect((await at.customers.pull(at.io, cursorOf(again))).observations).toEqual([])
  })

  it('reads young events again, as older ones may still appear before them', async () => {
    const cursor = await settled()
    at.vendor.admin.editCustomer('cus_0001', { name: 'Young' })
    const first = await at.customers.pull(at.io, cursor)
    expect(first.cursor).toEqual(cursor)
    at.clock.now += 2 * MINUTE
    const second = await at.customers.pull(at.io, first.cursor)
    expect(idsIn([second])).toEqual(['cus_0001'])
    expect(idsIn([await at.customers.pull(at.io, second.cursor)])).toEqual([])
  })

  it('reports deletes, of a customer never seen too', async () => {
    const cursor = await settled()
    const brief = at.vendor.admin.createCustomer({ email: 'brief@example.com' })
    at.vendor.admin.deleteCustomer(brief.id)
    at.vendor.admin.deleteCustomer('cus_0002')
    const page = await at.customers.pull(at.io, cursor)
    expect(page.observations).toEqual([
      { kind: 'absent', id: brief.id },
      { kind: 'absent', id: 'cus_0002' },
    ])
  })

  it('is not disturbed by what happens to other objects', async () => {
    const cursor = await settled()
    at.vendor.admin.addWebhookEndpoint({ url: 'https://hub.test/x', enabled_events: ['*'] })
    const page = await at.invoices.pull(at.io, cursorOf(await drain(at.invoices, at.io)))
    expect(page.observations).toEqual([])
    expect((await at.customers.pull(at.io, cursor)).cursor).toEqual(cursor)
  })

  it('follows an account that had no event at all, through a burst of them', async () => {
    const cursor = cursorOf(await drain(at.customers, at.io))
    at.clock.now += 10 * MINUTE
    expect((await at.customers.pull(at.io, cursor)).cursor).toEqual(cursor)
    const made = Array.from({ length: 230 }, () => at.vendor.admin.createCustomer({}).id)
    at.clock.now += 10 * MINUTE
    const pages = await drain(at.customers, at.io, cursor)
    expect(new Set(idsIn(pages))).toEqual(new Set(made))
    at.clock.now += 10 * MINUTE
    expect((await at.customers.pull(at.io, cursorOf(pages))).observations).toEqual([])
  })

  it('stays alive for months without an event, and still sees the next one', async () => {
    let cursor = await settled()
    for (let day = 0; day < 90; day++) {
      at.clock.now += DAY
      const page = await at.customers.pull(at.io, cursor)
      expect(page.observations).toEqual([])
      cursor = page.cursor
    }
    at.vendor.admin.editCustomer('cus_0002', { name: 'At last' })
    expect(idsIn([await at.customers.pull(at.io, cursor)])).toEqual(['cus_0002'])
  })

  it('starts over once events it never read are gone', async () => {
    const cursor = await settled()
    at.clock.now += 29 * DAY + MINUTE
    const error = await at.customers.pull(at.io, cursor).catch((thrown: unknown) => thrown)
    expect(failureOf(error)?.kind).toBe('cursor-expired')
  })

  it('starts over from a cursor that names an unknown event, or that it cannot read', async () => {
    const place = { id: 'evt_unknown', created: T0 / 1000 }
    for (const cursor of [{ kind: 'events', from: place, at: null, readAt: T0 }, { page: 7 }, {}]) {
      const error = await at.customers.pull(at.io, cursor).catch((thrown: unknown) => thrown)
      expect(failureOf(error)?.kind).toBe('cursor-expired')
    }
  })
})

describe('fetching', () => {
  it('gives what is there, and absent for the deleted and the unknown', async () => {
    at.vendor.admin.seed(people(2))
    at.vendor.admin.deleteCustomer('cus_0001')
    const ids = ['cus_0000', 'cus_0001', 'cus_none', 'cus_0000']
    const seen = await at.customers.fetch(at.io, ids)
    expect(seen.map(({ kind, id }) => [kind, id])).toEqual([
      ['present', 'cus_0000'],
      ['absent', 'cus_0001'],
      ['absent', 'cus_none'],
    ])
  })

  it('quarantines what it cannot read and goes on', async () => {
    at.vendor.admin.seed([...people(2), { id: 'cus_poison', created: T0 / 1000 + 0.5 }])
    const [page] = await drain(at.customers, at.io)
    expect(page?.observations).toHaveLength(2)
    expect(page?.bad).toMatchObject([{ id: 'cus_poison', where: 'customer cus_poison' }])
    expect(await at.customers.fetch(at.io, ['cus_poison', 'cus_0000'])).toHaveLength(1)
  })
})
