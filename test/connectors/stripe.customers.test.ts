import { beforeEach, describe, expect, it } from 'vitest'
import type { Observation, Outcome, Write } from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { appliedOf, bodyOf, creation, DAY, pushOf, T0, world, type World } from './stripe.support.ts'

let at: World
beforeEach(() => {
  at = world()
})

async function send(write: Write): Promise<Outcome | undefined> {
  const [outcome] = await pushOf(at.customers).send(at.io, [write])
  return outcome
}
async function seen(id: string): Promise<Observation & { kind: 'present' }> {
  const [found] = await at.customers.fetch(at.io, [id])
  if (found?.kind !== 'present') throw new Error('absent')
  return found
}
async function update(id: string, patch: JsonObject, key = 'k1') {
  const { version, body } = await seen(id)
  return send({ op: 'update', key, id, version, patch, observed: body })
}

describe('creating a customer', () => {
  it('marks it with the record it was made for, beside its own metadata', async () => {
    const outcome = await send(
      creation(7, { email: 'ada@example.com', metadata: { tier: 'gold', seats: 3 } }),
    )
    expect(bodyOf(appliedOf(outcome))).toMatchObject({
      email: 'ada@example.com',
      metadata: { tier: 'gold', seats: '3', concord_record: '7' },
    })
  })

  it('makes one for one key, however often it is sent', async () => {
    const write = creation(7, { email: 'ada@example.com' })
    const first = appliedOf(await send(write))
    expect(appliedOf(await send(write)).id).toBe(first.id)
    expect(at.vendor.admin.customers()).toHaveLength(1)
  })

  it('is uncertain, not refused, where its key was used with other fields', async () => {
    await send(creation(7, { email: 'ada@example.com' }))
    expect(await send(creation(7, { email: 'ada@example.org' }))).toMatchObject({ kind: 'uncertain' })
  })

  it.each(['timeout-after-commit', 'truncated'] as const)(
    'is uncertain after %s, and then found',
    async (kind) => {
      const write = creation(7, { email: 'ada@example.com' })
      at.vendor.faults.plan = ({ method }) => (method === 'POST' ? { kind } : null)
      expect(await send(write)).toMatchObject({ kind: 'uncertain' })
      at.vendor.faults.plan = null
      const [found] = await pushOf(at.customers).find(at.io, [write])
      expect(bodyOf(found)).toMatchObject({ metadata: { concord_record: '7' } })
      expect(appliedOf(await send(write)).id).toBe(found?.id)
    },
  )

  it.each(['before', 'after-commit'] as const)(
    'never concludes from a 500, whose replays go on (%s)',
    async (moment) => {
      const write = creation(7, { email: 'ada@example.com' })
      at.vendor.state.switches.crash = ({ method }) => (method === 'POST' ? moment : null)
      expect(await send(write)).toMatchObject({ kind: 'uncertain' })
      at.vendor.state.switches.crash = null
      expect(await send(write)).toMatchObject({ kind: 'uncertain' })
      const [found] = await pushOf(at.customers).find(at.io, [write])
      expect(found === null).toBe(moment === 'before')
      if (found === null) appliedOf(await send({ ...write, key: 'another' }))
      expect(at.vendor.admin.customers()).toHaveLength(1)
    },
  )

  it('waits for a lock, and for its own request still running', async () => {
    at.vendor.state.switches.lockTimeout = () => 409
    expect(await send(creation(7, {}))).toEqual({ kind: 'retry', at: T0 + 1000, message: expect.any(String) })
  })

  it('names the field that Stripe or the connector refuses', async () => {
    expect(await send(creation(1, { email: 'not an address' }))).toMatchObject({
      kind: 'rejected',
      code: 'email_invalid',
      field: 'email',
    })
    expect(await send(creation(2, { currency: 'eur' }))).toMatchObject({
      kind: 'rejected',
      field: 'currency',
    })
    expect(await send(creation(3, { address: { planet: 'Mars' } }))).toMatchObject({
      field: 'address.planet',
    })
    expect(await send(creation(4, { metadata: { note: 'x'.repeat(501) } }))).toMatchObject({
      kind: 'rejected',
    })
  })

  it('throws what concerns the whole connection', async () => {
    const io = { ...at.io, secrets: { apiKey: 'sk_test_other' } }
    await expect(pushOf(at.customers).send(io, [creation(1, {})])).rejects.toThrow(/connection/)
  })
})

describe('a text cut in the middle of a character', () => {
  it('is sent with U+FFFD in its place, and stops nobody else', async () => {
    const writes = [
      creation(1, { name: 'fox \ud83e', email: 'a@b.org' }, 'k1'),
      creation(2, { name: 'Ann' }, 'k2'),
    ]
    const [fox, ann] = await pushOf(at.customers).send(at.io, writes)
    expect(bodyOf(appliedOf(fox))['name']).toBe('fox \ufffd')
    expect(bodyOf(appliedOf(ann))['name']).toBe('Ann')
    expect(await pushOf(at.customers).find(at.io, [creation(3, { email: '\ud83e@b.org' }, 'k3')])).toEqual([
      null,
    ])
  })
})

describe('finding a customer whose create was uncertain', () => {
  it('never asks search, which lags', async () => {
    at.vendor.state.switches.searchLagMs = 60 * 60_000
    const write = creation(7, { email: 'ada@example.com' })
    await send(write)
    const [found] = await pushOf(at.customers).find(at.io, [write])
    expect(found?.kind).toBe('present')
    expect(at.sent.some(({ path }) => path.includes('search'))).toBe(false)
  })

  it('is not misled by others with the same email', async () => {
    for (let i = 0; i < 120; i++) at.vendor.admin.createCustomer({ email: 'office@example.com' })
    const write = creation(7, { email: 'office@example.com' })
    expect(await pushOf(at.customers).find(at.io, [write])).toEqual([null])
    const made = appliedOf(await send(write))
    for (let i = 0; i < 120; i++) at.vendor.admin.createCustomer({ email: 'office@example.com' })
    const [found] = await pushOf(at.customers).find(at.io, [write])
    expect(found?.id).toBe(made.id)
  })

  it('looks through recent customers where there is no email, and answers in order', async () => {
    const writes = [
      creation(1, { name: 'A' }),
      creation(2, { email: 'b@example.com' }),
      creation(3, { name: 'C' }),
    ]
    await pushOf(at.customers).send(at.io, writes.slice(1))
    for (let i = 0; i < 150; i++) at.vendor.admin.createCustomer({ name: `Other ${i}` })
    at.clock.now += 2 * DAY
    const found = await pushOf(at.customers).find(at.io, writes)
    expect(found.map((one) => (one === null ? null : bodyOf(one)['metadata']))).toEqual([
      null,
      { concord_record: '2' },
      { concord_record: '3' },
    ])
  })
})

describe('updating a customer', () => {
  const full = {
    email: 'ada@example.com',
    name: 'Ada',
    phone: '+44 20 7946 0000',
    address: { line1: '1 Main St', line2: 'Flat 2', city: 'London', country: 'GB' },
    metadata: { kept: 'yes', gone: 'soon' },
  }

  it('sends the patch only: what it does not name stays', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const body = bodyOf(appliedOf(await update(id, { name: 'Ada L.' })))
    expect(body).toMatchObject({ name: 'Ada L.', phone: full.phone, address: full.address })
    expect(at.sent.at(-1)).toMatchObject({ method: 'POST', key: 'k1', form: { name: 'Ada L.' } })
  })

  it('clears with null, removes one metadata key, and keeps the other parts of an address', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const patch = { phone: null, metadata: { gone: null, added: 'new' }, address: { line2: null } }
    expect(bodyOf(appliedOf(await update(id, patch)))).toMatchObject({
      phone: null,
      metadata: { kept: 'yes', added: 'new' },
      address: { line1: '1 Main St', line2: null, city: 'London', country: 'GB' },
    })
    // All parts are said: whether Stripe would keep or clear the others is not documented.
    expect(at.sent.at(-1)?.form).toMatchObject({
      'address[line1]': '1 Main St',
      'address[line2]': '',
      'address[state]': '',
    })
    expect(bodyOf(appliedOf(await update(id, { address: null }, 'k2')))['address']).toBeNull()
  })

  it('is stale where the customer was changed meanwhile, and leaves that change alone', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const { version, body } = await seen(id)
    at.vendor.admin.editCustomer(id, { name: 'Edited there' })
    const write = {
      op: 'update',
      key: 'k',
      id,
      version,
      patch: { name: 'Edited here' },
      observed: body,
    } as const
    expect(await send(write)).toEqual({ kind: 'stale' })
    expect(bodyOf(await seen(id))['name']).toBe('Edited there')
  })

  it('is stale where the customer was deleted meanwhile', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const { version, body } = await seen(id)
    at.vendor.admin.deleteCustomer(id)
    const write = { op: 'update', key: 'k', id, version, patch: { name: 'x' }, observed: body } as const
    expect(await send(write)).toEqual({ kind: 'stale' })
  })

  it('sees its own write as it was answered: the echo has the same version', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const applied = appliedOf(await update(id, { name: 'Ada L.' }))
    expect(await seen(id)).toEqual(applied)
  })

  it('states consent as metadata, whatever else changed', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const patch = { metadata: { marketing: 'out' } }
    const applied = appliedOf(await send({ op: 'consent', key: 'c', id, state: 'out', patch }))
    expect(bodyOf(applied)).toMatchObject({ name: 'Ada', metadata: { kept: 'yes', marketing: 'out' } })
  })

  it('keeps an archived customer and marks it', async () => {
    const { id } = at.vendor.admin.createCustomer(full)
    const applied = appliedOf(await send({ op: 'archive', key: 'a', id, version: null }))
    expect(bodyOf(applied)).toMatchObject({ metadata: { concord_archived: 'true', kept: 'yes' } })
  })

  it('sends the writes to one customer in their order, those to others beside them', async () => {
    const [a, b] = [at.vendor.admin.createCustomer(full), at.vendor.admin.createCustomer(full)]
    const out = { metadata: { marketing: 'out' } }
    const writes: Write[] = [
      { op: 'consent', key: '1', id: a.id, state: 'out', patch: out },
      { op: 'update', key: '2', id: b.id, version: null, patch: { email: 'bad' }, observed: {} },
      { op: 'update', key: '3', id: a.id, version: null, patch: { name: 'After' }, observed: {} },
    ]
    const outcomes = await pushOf(at.customers).send(at.io, writes)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['applied', 'rejected', 'applied'])
    expect(bodyOf(appliedOf(outcomes[2]))).toMatchObject({ name: 'After', metadata: { marketing: 'out' } })
  })
})

it('tells a mapping which fields there are', async () => {
  const paths = (await at.customers.discover(at.io)).map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining(['email', 'address.city', 'metadata']))
})
