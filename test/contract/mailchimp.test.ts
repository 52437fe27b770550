import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createOf, send } from '../conformance/checks/writes.ts'
import type { Rig } from '../conformance/rig.ts'
import { mailchimpBench } from '../conformance/mailchimp.bench.ts'
import { type Description, descriptionFile, named, readDescription } from './description.ts'
import { part, record, type Sent } from './record.ts'
import { everything, wantAll } from './scenario.ts'
import { oneOfEach, refusals, serveDescription } from './steady.ts'
import { problemsOf } from './validate.ts'

const FILE = descriptionFile('mailchimp.json')

/** The results of a batch lie at the vendor's storage, under a signed address of its own choice. */
const isApi = ({ path }: Sent) => path.startsWith('/3.0/')
const batch = z.object({
  operations: z.array(
    z.object({
      method: z.string(),
      path: z.string(),
      params: z.record(z.string(), z.string()).optional(),
      body: z.string().optional(),
    }),
  ),
})

describe.skipIf(FILE === null)('what is sent to Mailchimp (needs ../shared/specs/mailchimp.json)', () => {
  let description: Description = { paths: {} }
  let sent: Sent[] = []
  beforeAll(async () => {
    description = readDescription(FILE ?? '')
    const recording = await record(mailchimpBench)
    await everything(recording.rig('members'))
    const rig = recording.rig('members')
    const tagged = createOf(rig, 900, { email_address: 'tagged@example.com', tags: ['one', 'two'] })
    wantAll(await send(rig, tagged))
    await abandonBatch(rig)
    // Without an audience, check says which there are.
    const lost = rig.with({ settings: { ...rig.stand.settings, list: 'nolist' } })
    await lost.connector.check(lost.io).catch(() => null)
    sent = recording.sent.filter(isApi)
    await recording.close()
  })

  it('covers every operation the connector knows', () => {
    const names = new Set([...sent, ...sent.flatMap(operationsOf)].map((one) => named(description, one)))
    expect([...names].toSorted()).toEqual([
      'DELETE /3.0/batches/{batch_id}',
      'DELETE /3.0/lists/{list_id}/members/{subscriber_hash}',
      'GET /3.0/',
      'GET /3.0/batches/{batch_id}',
      'GET /3.0/lists',
      'GET /3.0/lists/{list_id}',
      'GET /3.0/lists/{list_id}/members',
      'GET /3.0/lists/{list_id}/members/{subscriber_hash}',
      'GET /3.0/lists/{list_id}/merge-fields',
      'GET /3.0/lists/{list_id}/webhooks',
      'PATCH /3.0/lists/{list_id}/members/{subscriber_hash}',
      'POST /3.0/batches',
      'POST /3.0/lists/{list_id}/members/{subscriber_hash}/tags',
      'POST /3.0/lists/{list_id}/webhooks',
      'PUT /3.0/lists/{list_id}/members/{subscriber_hash}',
    ])
  })

  it('is what Mailchimp describes', () => {
    expect(new Set(sent.flatMap((one) => problemsOf(description, one)))).toEqual(new Set())
  })

  it('is what Mailchimp describes inside batches, too', () => {
    const operations = sent.flatMap(operationsOf)
    expect(operations.length).toBeGreaterThan(100)
    expect(new Set(operations.flatMap((one) => problemsOf(description, one)))).toEqual(new Set())
  })

  describe('to a server made of the description', () => {
    let server: Awaited<ReturnType<typeof serveDescription>>
    beforeAll(async () => {
      server = await serveDescription(FILE ?? '', 'as described')
    })
    afterAll(() => server.close())

    it('gives no reason for a 400', { timeout: 60_000 }, async () => {
      const all = [...sent, ...sent.flatMap(operationsOf)]
      const each = oneOfEach(description, all, ({ body }) => Object.keys(parsed(body)))
      expect(await refusals(server, each)).toEqual([])
    })

    it('does for a request that is wrong', async () => {
      const [listing] = sent.filter(({ path }) => path.endsWith('/members'))
      expect(await server.refusal({ ...part(listing), query: 'status=banned' })).toContain('400')
    })
  })

  it.each<readonly [Partial<Sent>, RegExp]>([
    [{ path: '/3.0/lists/abc/people' }, /no such path/],
    [{ method: 'POST', path: '/3.0/lists/abc/members/x/tags/y' }, /no such path/],
    [{ method: 'PUT', path: '/3.0/batches' }, /no such method/],
    [{ query: 'count=many' }, /query count.*integer/],
    [{ query: 'status=banned' }, /query status.*allowed values/],
    [{ query: 'since=2026-01-01' }, /query since: not described/],
  ])('would be found wrong: %j', (wrong, problem) => {
    const [listing] = sent.filter(({ path }) => path.endsWith('/members'))
    expect(problemsOf(description, { ...part(listing), ...wrong }).join('\n')).toMatch(problem)
  })

  it.each<readonly [object, RegExp]>([
    [{ email_address: 'a@b.org', status_if_new: 'maybe' }, /body.status_if_new.*allowed values/],
    [{ status_if_new: 'subscribed' }, /body: must have required property 'email_address'/],
    [{ email_address: 'a@b.org', mergefields: {} }, /body.mergefields: not described/],
    [
      { email_address: 'a@b.org', marketing_permissions: [{ id: 'x' }] },
      /body.marketing_permissions.0.id: not described/,
    ],
    [{ email_address: 'a@b.org', vip: 'often' }, /body.vip: must be boolean/],
  ])('would be found wrong in the body of a PUT: %j', (wrong, problem) => {
    const [put] = sent.flatMap(operationsOf).filter(({ method }) => method === 'PUT')
    expect(problemsOf(description, { ...part(put), body: JSON.stringify(wrong) }).join('\n')).toMatch(problem)
  })
})

/** A batch of which nothing is heard any more is stopped. */
async function abandonBatch(rig: Rig): Promise<void> {
  const { faults } = rig.stand
  if (faults === undefined) throw new Error('The sandbox has no faults')
  faults.plan = ({ method, path }) =>
    method === 'GET' && path.startsWith('/3.0/batches') ? { kind: 'status', status: 500 } : null
  const creates = Array.from({ length: 60 }, (_, i) => createOf(rig, 1000 + i))
  await send(rig, ...creates)
  faults.plan = null
}

/** The requests inside a batch, as if they had been sent by themselves. */
function operationsOf({ method, path, body }: Sent): readonly Sent[] {
  if (method !== 'POST' || path !== '/3.0/batches') return []
  return batch.parse(JSON.parse(body)).operations.map((operation) => ({
    method: operation.method,
    path: `/3.0${operation.path}`,
    query: new URLSearchParams(operation.params).toString(),
    contentType: operation.body === undefined ? null : 'application/json',
    body: operation.body ?? '',
  }))
}

const parsed = (body: string): object => (body === '' ? {} : (JSON.parse(body) as object))
