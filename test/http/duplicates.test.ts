import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi()
})
afterEach(() => api.close())

const JANE = {
  givenName: 'Jane',
  familyName: 'Smithson',
  emails: ['jane.smithson@acme-tools.com'],
  phones: ['+12125550147'],
  companyName: 'Acme Tools',
}
const AGAIN = { givenName: 'J.', familyName: 'Smithson', phones: ['+12125550147'], companyName: 'Acme Tools' }

const openItems = async () => (await api.call('GET', '/api/inbox?kind=duplicate')).body['items']

describe('who makes a record is told at once whom it may be', () => {
  it('in the answer, and in the inbox', async () => {
    const jane = await api.call('POST', '/api/contacts', JANE)
    expect(jane.body['likelyDuplicates']).toEqual([])
    const again = await api.call('POST', '/api/contacts', AGAIN)
    expect(again.status).toBe(201)
    const id = Number(jane.body['id'])
    const likely = {
      id,
      url: `/api/contacts/${id}`,
      title: 'Jane Smithson at Acme Tools <jane.smithson@acme-tools.com>',
      probability: expect.any(Number),
      evidence: expect.stringContaining('same phone'),
    }
    expect(again.body['likelyDuplicates']).toEqual([likely])
    expect(await openItems()).toMatchObject([
      { kind: 'duplicate', title: expect.stringContaining('J. Smithson') },
    ])
    const later = await api.call('GET', `/api/contacts/${Number(again.body['id'])}/duplicates`)
    expect(later.body).toEqual({ items: [likely] })
  })

  it('and where it is edited, the question goes with its cause', async () => {
    await api.call('POST', '/api/contacts', JANE)
    const again = await api.call('POST', '/api/contacts', AGAIN)
    await api.call('PATCH', `/api/contacts/${Number(again.body['id'])}`, {
      givenName: 'Bartholomew',
      familyName: 'Okonkwo',
      phones: null,
      companyName: 'Elsewhere',
    })
    expect(await openItems()).toEqual([])
  })

  it('companies, too; deals are not compared', async () => {
    await api.call('POST', '/api/companies', {
      name: 'Acme Tools',
      domains: ['acme-tools.com'],
      phones: ['+12125550100'],
    })
    const again = await api.call('POST', '/api/companies', {
      name: 'ACME Tools Inc',
      phones: ['+12125550100'],
    })
    expect(again.body['likelyDuplicates']).toMatchObject([{ title: 'Acme Tools (acme-tools.com)' }])
    const deal = await api.call('POST', '/api/deals', { name: 'Engines' })
    expect(deal.body).not.toHaveProperty('likelyDuplicates')
    expect((await api.call('GET', `/api/deals/${Number(deal.body['id'])}/duplicates`)).status).toBe(404)
  })

  it('is not kept waiting by somebody who compares everything: the rest is a job', async () => {
    await api.call('POST', '/api/contacts', JANE)
    await api.world.db.sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(4017602, 1)`
      const again = await api.call('POST', '/api/contacts', AGAIN)
      expect(again.body['likelyDuplicates']).toMatchObject([{ probability: expect.any(Number) }])
    })
    expect(await openItems()).toEqual([])
    expect(
      await api.world.db.sql`select key from graphile_worker.jobs where task_identifier = 'match'`,
    ).toEqual([{ key: 'match' }])
  })
})

describe('a look-up', () => {
  it('tells whom values may mean, without making anybody', async () => {
    await api.call('POST', '/api/contacts', JANE)
    const found = await api.call('POST', '/api/contacts/match', {
      givenName: 'jane',
      familyName: 'SMITHSON',
      phones: ['(212) 555-0147'],
    })
    expect(found).toMatchObject({
      status: 200,
      body: { items: [{ title: expect.stringContaining('Jane') }] },
    })
    const all = await api.call('GET', '/api/contacts')
    expect(all.body['items']).toHaveLength(1)
  })

  it('refuses what it cannot read, who has no token, and what is not there', async () => {
    expect(await api.call('POST', '/api/contacts/match', { emails: ['nonsense'] })).toMatchObject({
      status: 422,
    })
    expect(await api.call('POST', '/api/contacts/match', '{')).toMatchObject({ status: 400 })
    expect((await api.app.request('/api/contacts/match', { method: 'POST', body: '{}' })).status).toBe(401)
    expect(await api.call('GET', '/api/contacts/999/duplicates')).toMatchObject({ status: 404 })
  })
})
