import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createMailchimp } from '../../src/connectors/mailchimp/index.ts'
import { BATCH_FROM } from '../../src/connectors/mailchimp/exchange.ts'
import type { Outcome } from '../../src/connectors/connector.ts'
import { appliedBody, create, handMade, send, update, world, type World } from './mailchimp.support.ts'

const people = (count: number) => Array.from({ length: count }, (_, n) => `person${n}@example.com`)
const creates = (count: number) => people(count).map((email) => create(email, {}, 'in'))
const kinds = (outcomes: readonly Outcome[]) => new Set(outcomes.map((outcome) => outcome.kind))
const batches = (w: World) =>
  w.sent.filter(({ method, path }) => method === 'POST' && path === '/3.0/batches')

describe('many writes', () => {
  test('go as one batch; a few go singly', async () => {
    const w = world()
    await send(w, ...creates(BATCH_FROM - 1))
    expect(batches(w)).toHaveLength(0)
    const outcomes = await send(w, ...people(BATCH_FROM).map((email) => create(`x${email}`, {}, 'in')))
    expect(batches(w), 'one to look the addresses up, one to write').toHaveLength(2)
    expect(outcomes.map((o) => appliedBody(o)['email_address'])).toEqual(
      people(BATCH_FROM).map((email) => `x${email}`),
    )
  })

  test('each has the outcome of its own operation, though the batch succeeded', async () => {
    const w = world()
    w.vendor.admin.seed([
      { email: 'archived@example.com', status: 'archived' },
      { email: 'bounced@example.com', status: 'cleaned' },
      { email: 'forgotten@example.com' },
      { email: 'out@example.com', status: 'unsubscribed' },
    ])
    w.vendor.admin.deletePermanently('forgotten@example.com')
    const outcomes = await send(
      w,
      create('archived@example.com', {}, 'in'),
      create('forgotten@example.com', {}, 'in'),
      create('out@example.com', { vip: true }, 'in'),
      await update(w, 'bounced@example.com', { vip: true }),
      create('odd@example.com', { merge_fields: { BIRTHDAY: '99/99' } }),
      ...creates(60),
    )
    expect(outcomes.slice(0, 5)).toMatchObject([
      { kind: 'rejected', code: 'archived' },
      { kind: 'rejected', code: 'Forgotten Email Not Subscribed' },
      { kind: 'applied', observation: { body: { status: 'unsubscribed', vip: true } } },
      { kind: 'rejected', code: 'Member In Compliance State' },
      { kind: 'rejected', field: 'merge_fields.BIRTHDAY' },
    ])
    expect(kinds(outcomes.slice(5))).toEqual(new Set(['applied']))
  })

  test('the results are fetched without the key', async () => {
    const w = world()
    await send(w, ...creates(60))
    const results = w.sent.filter(({ path }) => path.startsWith('/batch-results/'))
    expect(results.map(({ signed }) => signed)).toEqual([false, false])
    expect(w.sent.filter(({ path }) => path.startsWith('/3.0/')).every(({ signed }) => signed)).toBe(true)
  })

  test('a batch that is not taken is sent singly', async () => {
    const w = world()
    w.vendor.faults.plan = ({ path }) =>
      path === '/3.0/batches' ? { kind: 'status', status: 400, body: '{"title":"Bad Request"}' } : null
    expect(kinds(await send(w, ...creates(55)))).toEqual(new Set(['applied']))
  })

  test('a batch that cannot be taken now waits', async () => {
    const w = world()
    w.vendor.faults.plan = ({ path }) => (path === '/3.0/batches' ? { kind: 'status', status: 429 } : null)
    expect(kinds(await send(w, ...creates(55)))).toEqual(new Set(['retry']))
    expect(w.vendor.admin.members()).toHaveLength(0)
  })

  test('a lost answer makes writes uncertain, and nobody is created twice', async () => {
    const w = world()
    const writes = creates(60)
    let posts = 0
    w.vendor.faults.plan = ({ method, path }) =>
      method === 'POST' && path === '/3.0/batches' && ++posts === 2 ? { kind: 'timeout-after-commit' } : null
    expect(kinds(await send(w, ...writes))).toEqual(new Set(['uncertain']))
    expect(new Set(await w.members.push?.find(w.io, writes))).toEqual(new Set([null]))
    w.vendor.faults.plan = null
    expect(kinds(await send(w, ...writes))).toEqual(new Set(['applied']))
    expect(w.vendor.admin.members()).toHaveLength(60)
  })

  test('a look that fails is repeated', async () => {
    const w = world()
    let looks = 0
    w.vendor.faults.plan = ({ method, path }) =>
      method === 'GET' && /batches\/\w+$/.test(path) && looks++ % 2 === 0
        ? { kind: 'status', status: 503 }
        : null
    expect(kinds(await send(w, ...creates(60)))).toEqual(new Set(['applied']))
  })

  test('damaged results make writes uncertain', async () => {
    const w = world()
    let reads = 0
    w.vendor.faults.plan = ({ path }) =>
      path.startsWith('/batch-results/') && ++reads === 2 ? { kind: 'truncated' } : null
    expect(kinds(await send(w, ...creates(60)))).toEqual(new Set(['uncertain']))
    expect(w.vendor.admin.members()).toHaveLength(60)
  })
})

describe('a batch', () => {
  const writes = Array.from({ length: BATCH_FROM }, (_, n) => ({
    op: 'update' as const,
    key: `u${n}`,
    id: `c${n}`,
    version: null,
    patch: { vip: true },
    observed: {},
  }))
  const { members } = world()
  /** Each contact is read before it is written. */
  const lookedUp = (answer: Parameters<typeof handMade>[0]) =>
    handMade((request) => {
      const id = request.method === 'GET' ? /\/members\/(c\d+)/.exec(request.url)?.[1] : undefined
      return id === undefined
        ? answer(request)
        : Response.json({ contact_id: id, email_address: `${id}@example.com`, status: 'subscribed' })
    })

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'https://evil.example.com/r.tar.gz',
    'http://127.0.0.1:9/r.tar.gz',
    'https://mailchimp-api-batch.s3.evil.com/r.tar.gz',
    'https://evilmailchimp.com/r.tar.gz',
    'file:///etc/passwd',
    'nonsense',
  ])('does not follow results to %s', async (address) => {
    const asked: string[] = []
    const io = lookedUp((request) => {
      asked.push(new URL(request.url).origin)
      return Response.json({ id: 'b1', status: 'finished', response_body_url: address })
    })
    expect(kinds(await send({ members, io }, ...writes))).toEqual(new Set(['uncertain']))
    expect(new Set(asked)).toEqual(new Set(['http://127.0.0.1:4010']))
  })

  test.each([
    'https://mailchimp-api-batch.s3.amazonaws.com/b1-response.tar.gz?Signature=x',
    'https://us21.api.mailchimp.com/b1-response.tar.gz',
  ])('follows results to %s', async (address) => {
    const asked: string[] = []
    const io = lookedUp((request) => {
      if (!request.url.startsWith('http://127')) {
        asked.push(request.url)
        return new Response(new Uint8Array(gzipSync(Buffer.alloc(1024))))
      }
      return Response.json({ id: 'b1', status: 'finished', response_body_url: address })
    })
    const outcomes = await send({ members, io }, ...writes)
    expect(asked).toEqual([address])
    expect(kinds(outcomes), 'an operation without a result').toEqual(new Set(['uncertain']))
  })

  test('that never ends is stopped, and its writes are uncertain', async () => {
    const methods: string[] = []
    const io = lookedUp((request) => {
      methods.push(request.method)
      if (request.method === 'DELETE') return new Response(null, { status: 204 })
      return Response.json({ id: 'b1', status: 'started', response_body_url: '' })
    })
    expect(kinds(await send({ members, io }, ...writes))).toEqual(new Set(['uncertain']))
    expect(methods.at(-1)).toBe('DELETE')
  })

  test('does not hold up a hub that stops: its writes are uncertain at once', async () => {
    const stopping = new AbortController()
    const patient = createMailchimp({ sleep: () => new Promise(() => undefined) }).resources['members']
    const vendor = lookedUp(() => {
      // The hub is asked to stop while it waits for the batch.
      setTimeout(() => stopping.abort(), 10)
      return Response.json({ id: 'b1', status: 'started', response_body_url: '' })
    })
    const io = { ...vendor, stopping: stopping.signal }
    const outcomes = await patient?.push?.send(io, writes)
    expect(kinds(outcomes ?? [])).toEqual(new Set(['uncertain']))
  })
})
