import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openItems } from '../../src/store/inbox.ts'
import { unknownItem } from '../../src/runtime/governance/items.ts'
import { readConfigFolder } from '../../src/runtime/boot.ts'
import { applyConfig } from '../../src/store/config-versions.ts'
import { openApi, type Api } from './support.ts'

const INBOX = (name: string, text: string): string => {
  if (name === 'picklists.yaml') return text.replace('unknown: keep', 'unknown: inbox')
  if (name !== 'pipelines.yaml') return text
  const proposal = '{ name: Proposal, outcome: open }'
  return text.replace(proposal, proposal.replace(' }', ', enter: [amount, closeDate] }'))
}
let api: Api
beforeEach(async () => {
  api = await openApi({ configure: INBOX })
})
afterEach(async () => {
  await api.close()
})

const post = (place: string, body: Parameters<Api['call']>[2]) => api.call('POST', `/api/${place}`, body)
const line = z.object({
  metric: z.string(),
  count: z.number(),
  series: z.unknown(),
  list: z.string().nullable(),
})
const linesOf = (body: unknown) => z.object({ lines: z.array(line) }).parse(body).lines

describe('what records must have', () => {
  test('a deal that lacks it is refused by field, with the fix', async () => {
    const none = await post('deals', { stage: 'New' })
    expect(none.status).toBe(422)
    expect(none.body['problems']).toEqual([
      { field: 'name', message: 'name: a deal needs Name. Fix: send name with a value.' },
    ])
    const made = await post('deals', { name: 'Big', stage: 'New' })
    const moved = await api.call('PATCH', `/api/deals/${String(made.body['id'])}`, { stage: 'Proposal' })
    expect(moved.status).toBe(422)
    expect(moved.body['detail']).toContain('a deal needs Amount and Close date to enter "Proposal"')
  })

  test('a value is read as the list has it, or refused with the nearest one named', async () => {
    const made = await post('companies', { name: 'A', industry: 'tech' })
    expect(made.body['fields']).toMatchObject({ industry: 'Technology' })
    const refused = await post('companies', { name: 'B', industry: 'Technolgy' })
    expect(refused.status).toBe(422)
    expect(refused.body['detail']).toContain('Did you mean "Technology"?')
  })
})

describe('the report', () => {
  test('answers its figures with their series, and the records behind each, page by page', async () => {
    for (const name of ['A', 'B', 'C']) await post('companies', { name })
    const { status, body } = await api.call('GET', '/api/quality?kind=companies')
    expect(status).toBe(200)
    const unowned = linesOf(body).find(({ metric }) => metric === 'unowned')
    expect(unowned).toMatchObject({
      count: 3,
      series: [{ day: '2026-03-02', value: 3 }],
      list: 'concord quality list companies --is unowned',
    })
    const first = await api.call('GET', '/api/quality/companies?is=unowned&limit=2')
    expect(first.body['items']).toHaveLength(2)
    const second = await api.call('GET', String(first.body['next']))
    expect(second.body).toMatchObject({ items: [{ title: 'C', source: 'api:crm-import' }], next: null })
  })

  test('can be had by owner', async () => {
    await post('companies', { name: 'A', owner: 'Ann' })
    const { body } = await api.call('GET', '/api/quality?kind=companies&by=owner')
    expect(body).toMatchObject({ by: 'owner', groups: [{ kind: 'company', group: 'Ann' }] })
  })

  test.each([
    ['/api/quality?kind=company', 400],
    ['/api/quality?by=age', 400],
    ['/api/quality/companies', 400],
    ['/api/quality/companies?is=overdue', 400],
    ["/api/quality/companies?lacking=custom.a'b", 400],
    ['/api/quality/companies?is=stale&limit=501', 400],
    ['/api/quality/invoices?is=stale', 404],
  ])('%s is %d', async (path, status) => {
    expect((await api.call('GET', path)).status).toBe(status)
  })

  test('needs a token', async () => {
    expect((await api.app.request('/api/quality')).status).toBe(401)
  })
})

describe('a value that is accepted', () => {
  test('makes a version of the configuration, once', async () => {
    const { db } = api.world
    const files = Object.entries(await readConfigFolder('config')).map(
      ([name, text]) => [name, INBOX(name, text)] as const,
    )
    await applyConfig(db.sql, 0, Object.fromEntries<string>(files), 'shipped', api.world.clock.now)
    await openItems(
      db.sql,
      [unknownItem('company', 'industry', 'fishing', 'Fishing', 1)],
      api.world.clock.now,
    )
    const [item] = await db.sql<{ id: number }[]>`select id from inbox`
    const accept = (body: Parameters<Api['call']>[2]) =>
      api.call('POST', `/api/inbox/${item?.id ?? 0}/accept`, body)
    expect((await accept({ as: 1 })).status).toBe(422)
    expect((await accept({ as: 'Nothing at all' })).status).toBe(409)
    const done = await accept({})
    expect(done.body).toMatchObject({
      message: expect.stringContaining('"Fishing" is on the list now: version 2'),
    })
    expect((await accept({})).status).toBe(409)
    const [row] = await db.sql<{ by: string; text: string }[]>`
      select applied_by as by, files->>'picklists.yaml' as text from config_versions where version = 2`
    expect(row?.by).toBe('api:crm-import')
    expect(row?.text).toContain('- Fishing')
    expect(row?.text).toContain('# The values a field may hold')
  })
})
