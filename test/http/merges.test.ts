import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi({ connections: [] })
})
afterEach(() => api.close())

async function made(fields: Parameters<Api['call']>[2], place = 'contacts'): Promise<number> {
  return Number((await api.call('POST', `/api/${place}`, fields)).body['id'])
}
const two = async () => [
  await made({ familyName: 'Lee', emails: ['a@x.io'], jobTitle: 'CTO' }),
  await made({ familyName: 'Lee', emails: ['b@x.io'], language: 'de' }),
]

describe('merging by API', () => {
  test('is planned, done, seen at both ids, listed and taken back', async () => {
    const [a = 0, b = 0] = await two()
    const deal = await made({ name: 'Roof', contact: b }, 'deals')
    const planned = await api.call('POST', `/api/contacts/${a}/merge`, { losers: [b], dryRun: true })
    expect([planned.status, planned.body]).toMatchObject([200, { state: 'planned', run: null }])
    expect((await api.call('GET', `/api/contacts/${b}`)).status).toBe(200)

    const merged = await api.call('POST', `/api/contacts/${a}/merge`, { losers: [b] })
    expect(merged.status).toBe(200)
    expect(merged.body).toMatchObject({
      state: 'merged',
      survivor: { id: a, fields: { emails: ['a@x.io', 'b@x.io'], jobTitle: 'CTO', language: 'de' } },
      carried: [{ kind: 'references', record: 'deal', field: 'contact', count: 1 }],
    })
    const gone = await api.call('GET', `/api/contacts/${b}`)
    expect(gone.status).toBe(308)
    expect(gone.headers.get('location')).toBe(`/api/contacts/${a}`)
    expect(gone.body).toEqual({ id: b, mergedInto: { id: a, url: `/api/contacts/${a}` } })
    const patched = await api.call('PATCH', `/api/contacts/${b}`, { jobTitle: 'CEO' })
    expect(patched.status).toBe(409)
    expect(patched.body).toMatchObject({ mergedInto: { id: a } })
    expect((await api.call('DELETE', `/api/contacts/${b}`)).status).toBe(409)
    const moved = await api.call('PATCH', `/api/deals/${deal}`, { contact: b })
    expect(moved.body['fields']).toMatchObject({ contact: a })
    const found = await api.call('GET', '/api/contacts?email=b@x.io')
    expect(found.body['items']).toMatchObject([{ id: a }])
    const explained = await api.call('GET', `/api/contacts/${b}/explain`)
    expect(explained.body['mergedInto']).toBe(a)

    const listed = await api.call('GET', `/api/merges?record=${b}&limit=1`)
    expect(listed.body).toMatchObject({
      items: [{ kind: 'contact', survivor: a, loser: b, state: 'merged', by: 'api:crm-import' }],
      next: null,
    })
    expect((await api.call('POST', `/api/contacts/${b}/unmerge`, { dryRun: true })).body).toMatchObject({
      state: 'planned',
    })
    const back = await api.call('POST', `/api/contacts/${b}/unmerge`, {})
    expect(back.body).toMatchObject({
      state: 'unmerged',
      restored: { id: b, archived: false, fields: { emails: ['b@x.io'] } },
    })
    expect((await api.call('GET', `/api/contacts/${b}`)).status).toBe(200)
    expect((await api.call('GET', `/api/deals/${deal}`)).body['fields']).toMatchObject({ contact: b })
  })

  test('refuses what is wrong, and says what', async () => {
    const [a = 0, b = 0] = await two()
    const post = async (path: string, body: Parameters<Api['call']>[2]) => {
      const { status, body: told } = await api.call('POST', path, body)
      return `${status} ${String(told['detail'])}`
    }
    const path = `/api/contacts/${a}/merge`
    expect(await post(path, {})).toContain('422 losers must be a list of ids')
    expect(await post(path, { losers: ['x'] })).toContain('422')
    expect(await post(path, { losers: [] })).toContain('422')
    expect(await post(path, { losers: [b], dryRun: 'yes' })).toContain('422 dryRun must be true or false.')
    expect(await post(path, { losers: [b], force: true })).toContain('422 There is no "force" here')
    expect(await post(path, { losers: [a] })).toContain('409')
    expect(await post(path, { losers: [987_654] })).toContain('404 There is no contact 987654')
    expect(await post(`/api/contacts/987654/merge`, { losers: [a] })).toContain('404')
    expect(await post(`/api/contacts/${a}/unmerge`, {})).toContain('409')
    expect(await post(`/api/contacts/987654/unmerge`, {})).toContain('404')
    expect((await api.call('POST', `/api/deals/${a}/merge`, { losers: [b] })).status).toBe(404)
    expect((await api.call('GET', '/api/merges?limit=0')).status).toBe(400)
  })

  test('companies are merged with their people', async () => {
    const a = await made({ name: 'Acme', domains: ['acme.com'] }, 'companies')
    const b = await made({ name: 'Acme Inc.', domains: ['acme.io'], industry: 'Tools' }, 'companies')
    const person = await made({ familyName: 'Lee', company: b })
    const merged = await api.call('POST', `/api/companies/${a}/merge`, { losers: [b] })
    expect(merged.body).toMatchObject({
      survivor: { fields: { name: 'Acme', domains: ['acme.com', 'acme.io'], industry: 'Tools' } },
    })
    expect((await api.call('GET', `/api/contacts/${person}`)).body['fields']).toMatchObject({ company: a })
    await api.call('POST', `/api/companies/${b}/unmerge`, {})
    expect((await api.call('GET', `/api/contacts/${person}`)).body['fields']).toMatchObject({ company: b })
  })
})
