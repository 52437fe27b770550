import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { openApi, type Answer, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi()
})
afterEach(async () => {
  await api.close()
})

const ADA = { givenName: 'Ada', familyName: 'Lovelace', emails: ['Ada@Example.com '] }

async function created(fields: Parameters<Api['call']>[2] = ADA, place = 'contacts'): Promise<number> {
  const { status, body } = await api.call('POST', `/api/${place}`, fields)
  expect(status).toBe(201)
  return Number(body['id'])
}

describe('reading and writing records', () => {
  test('a contact is made, read, changed and archived', async () => {
    const made = await api.call('POST', '/api/contacts', ADA)
    const id = Number(made.body['id'])
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/api/contacts/${id}`)
    expect(made.headers.get('etag')).toBe('"1"')
    const { fields, ...rest } = made.body
    expect(fields).toMatchObject({ givenName: 'Ada', emails: ['ada@example.com'], jobTitle: null })
    expect(rest).toEqual({
      id,
      kind: 'contact',
      likelyDuplicates: [],
      version: 1,
      archived: false,
      createdAt: '2026-03-02T09:00:00.000Z',
      updatedAt: '2026-03-02T09:00:00.000Z',
    })

    const changed = await api.call('PATCH', `/api/contacts/${id}`, { jobTitle: 'Countess', familyName: null })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).toBe('"2"')
    expect(changed.body['fields']).toMatchObject({ givenName: 'Ada', familyName: null, jobTitle: 'Countess' })

    const read = await api.call('GET', `/api/contacts/${id}`)
    expect(read.headers.get('etag')).toBe('"2"')
    expect(read.body).toEqual(changed.body)
    expect(read.body).toMatchObject({ version: 2, fields: { jobTitle: 'Countess' } })
    const again = await api.call('GET', `/api/contacts/${id}`, undefined, { 'if-none-match': 'W/"2"' })
    expect([again.status, again.text]).toEqual([304, ''])

    expect((await api.call('DELETE', `/api/contacts/${id}`)).status).toBe(204)
    expect((await api.call('DELETE', `/api/contacts/${id}`)).status).toBe(204)
    expect((await api.call('GET', `/api/contacts/${id}`)).body).toMatchObject({ archived: true, version: 3 })
    expect((await api.call('GET', '/api/contacts')).body['items']).toEqual([])
    expect((await api.call('GET', '/api/contacts?email=ada@example.com')).body['items']).toEqual([])
  })

  test('companies and deals too, with amounts and references', async () => {
    const company = await created(
      { name: 'Analytical', domains: ['https://www.Analytical.example/'] },
      'companies',
    )
    const deal = await created(
      { name: 'Engine', amount: '1234.56 EUR', closeDate: '2026-04-30', company, 'custom.region': 'North' },
      'deals',
    )
    expect((await api.call('GET', `/api/deals/${deal}`)).body['fields']).toMatchObject({
      name: 'Engine',
      amount: { amount: 123456, currency: 'EUR' },
      closeDate: '2026-04-30',
      company,
      'custom.region': 'North',
    })
    const { body } = await api.call('GET', '/api/companies?domain=analytical.example')
    expect(body['items']).toMatchObject([{ id: company }])
    expect((await api.call('GET', `/api/contacts/${deal}`)).status).toBe(404)
  })

  test('what the API writes stands in the history, with its token and run', async () => {
    const id = await created()
    await api.call('PATCH', `/api/contacts/${id}`, { jobTitle: 'Countess' })
    const history = await api.world.db.sql`
      select h.op, h.version, h.source, h.changes, r.kind, r.state, r.counts
      from history h join runs r on r.id = h.run_id where record_id = ${id} order by h.id`
    const change = { before: null, after: 'Countess', rule: 'edited by api:crm-import' }
    expect(history).toMatchObject([
      {
        op: 'create',
        version: 1,
        source: 'api:crm-import',
        kind: 'edit',
        state: 'done',
        counts: { created: 1 },
      },
      {
        op: 'update',
        version: 2,
        source: 'api:crm-import',
        changes: { jobTitle: change },
        counts: { updated: 1 },
      },
    ])
    const { body } = await api.call('GET', `/api/contacts/${id}/explain?field=jobTitle`)
    expect(body['fields']).toMatchObject([
      { field: 'jobTitle', value: 'Countess', source: 'api:crm-import', at: '2026-03-02T09:00:00.000Z' },
    ])
    expect((await api.call('GET', `/api/deals/${id}/explain`)).status).toBe(404)
  })

  test('an edit reaches Mailchimp and Stripe', async () => {
    const { world } = api
    world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', LNAME: 'Lovelace' })
    world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
    await syncAll(world.hub, ['csv', 'mailchimp', 'stripe'], 'changes')
    const found = await api.call('GET', '/api/contacts?email=ADA@example.com')
    const [{ id }] = found.body['items'] as [{ id: number }]
    await api.call('PATCH', `/api/contacts/${id}`, { phones: ['+44 20 7946 0018'], jobTitle: 'Countess' })
    for (const name of ['mailchimp', 'stripe']) {
      expect((await pushConnection(world.hub, name)).problem).toBeNull()
    }
    expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('PHONE')).toBe('+442079460018')
    expect(world.stripe.admin.customers()[0]).toMatchObject({
      phone: '+442079460018',
      metadata: { job_title: 'Countess' },
    })
  })

  test('a change queues the push of the connections it concerns', async () => {
    await created()
    const jobs = await api.world.db.sql`select key from graphile_worker.jobs where task_identifier = 'push'`
    expect(jobs).toEqual([{ key: 'push:mailchimp' }])
  })
})

describe('paging', () => {
  test('shows each record once, however many are made meanwhile', async () => {
    const ids: number[] = []
    for (let i = 0; i < 5; i++) ids.push(await created({ name: `Deal ${i}` }, 'deals'))
    const seen: unknown[] = []
    let next: unknown = '/api/deals?limit=2'
    while (typeof next === 'string') {
      const { body } = await api.call('GET', next)
      const items = body['items'] as { id: number }[]
      seen.push(...items.map((item) => item.id))
      next = body['next']
      if (seen.length === 2) ids.push(await created({ name: 'Late' }, 'deals'))
    }
    expect(seen).toEqual(ids)
  })

  test.each([
    ['limit=501', 'limit must be a whole number from 1 to 500.'],
    ['limit=0', 'limit must be a whole number from 1 to 500.'],
    ['limit=ten', 'limit must be a whole number from 1 to 500.'],
    ['after=-1', 'after must be a whole number from 0'],
    ['after=99999999999999999999', 'after must be a whole number from 0'],
    ['emial=ada@example.com', 'There is no parameter "emial" here. Known are after, limit, email.'],
    ['limit=1&limit=2', 'Give limit once.'],
    ['email=nonsense', 'nonsense'],
  ])('refuses ?%s', async (query, message) => {
    const { status, body } = await api.call('GET', `/api/contacts?${query}`)
    expect(status).toBe(400)
    expect(body['detail']).toContain(message)
  })
})

const statuses = (answers: readonly Answer[]) => answers.map((a) => a.status).toSorted((a, b) => a - b)

describe('edits that meet', () => {
  test('of two with one If-Match, one wins and the other is told to read again', async () => {
    const id = await created()
    const edit = (jobTitle: string) =>
      api.call('PATCH', `/api/contacts/${id}`, { jobTitle }, { 'if-match': '"1"' })
    const answers = await Promise.all([edit('Countess'), edit('Analyst')])
    expect(statuses(answers)).toEqual([200, 412])
    const lost = answers.find((a) => a.status === 412)
    expect(lost?.headers.get('etag')).toBe('"2"')
    expect(lost?.body).toMatchObject({ title: 'Changed meanwhile', status: 412, version: 2 })
    expect((await api.call('GET', `/api/contacts/${id}`)).body['version']).toBe(2)
  })

  test('a delete of another version is refused', async () => {
    const id = await created()
    expect((await api.call('DELETE', `/api/contacts/${id}`, undefined, { 'if-match': '"7"' })).status).toBe(
      412,
    )
    expect((await api.call('PATCH', `/api/contacts/${id}`, {}, { 'if-match': '7' })).status).toBe(400)
  })

  test('of two creations of one address at once, one is made and the other told where it is', async () => {
    const answers = await Promise.all([
      api.call('POST', '/api/contacts', ADA),
      api.call('POST', '/api/contacts', ADA),
    ])
    expect(statuses(answers)).toEqual([201, 409])
    const made = answers.find((a) => a.status === 201)
    const refused = answers.find((a) => a.status === 409)
    const url = `/api/contacts/${String(made?.body['id'])}`
    expect(refused?.headers.get('location')).toBe(url)
    expect(refused?.body).toMatchObject({ existing: { id: made?.body['id'], url } })
    expect(refused?.body['detail']).toContain('ada@example.com belongs to contact')
    expect(await api.world.db.sql`select count(*) as n from contacts`).toEqual([{ n: 1 }])
  })

  test('an address of somebody else is not taken over', async () => {
    const ada = await created()
    const bob = await created({ givenName: 'Bob', emails: ['bob@example.com'] })
    const { status, body } = await api.call('PATCH', `/api/contacts/${bob}`, { emails: ['ada@example.com'] })
    expect([status, body['existing']]).toEqual([409, { id: ada, url: `/api/contacts/${ada}` }])
  })
})
