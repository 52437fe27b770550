import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Connector } from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { createApp } from '../../src/http/app.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { catalogOf } from '../../src/runtime/boot.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { openHub } from '../../src/runtime/open.ts'
import { webhookOf } from '../../src/runtime/webhook-address.ts'
import { openWebhooks, type Webhooks } from '../../src/runtime/webhooks.ts'
import { mergeSettings, saveConnection } from '../../src/store/connections.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { testDatabase } from '../support/database.ts'

const T0 = Date.UTC(2026, 2, 2)
const MINUTE = 60_000
const KEYS_URL = 'https://keys.post.example/certs'
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

/** Signs its calls as Pub/Sub does. Mail only: no stream of the hub names it. */
const post: Connector = {
  id: 'post',
  auth: { kind: 'apiKey', fields: ['apiKey'] },
  limits: [],
  resources: {},
  mail: {
    mailboxes: async () => [],
    pull: () => Promise.reject(new Error('nothing is read here')),
    fetch: async () => ({ sightings: [], bad: [] }),
  },
  webhooks: {
    keysUrl: KEYS_URL,
    async receive(raw, _secret, now, { keys, settings }) {
      const token = new URL(raw.url).searchParams.get('validationToken')
      if (token !== null) return { kind: 'handshake', status: 200, body: token }
      const bearer = raw.headers.get('authorization')?.replace('Bearer ', '') ?? ''
      const set = keySet.safeParse(keys)
      if (!set.success) return { kind: 'refused', status: 401, reason: 'There are no keys.' }
      try {
        const audience = z.string().parse(settings['audience'])
        await jwtVerify(bearer, createLocalJWKSet(set.data), { audience, currentDate: new Date(now) })
      } catch {
        return { kind: 'refused', status: 401, reason: 'The token is not signed by Post.' }
      }
      const text = new TextDecoder().decode(raw.body)
      const hints = text
        .split(' ')
        .map((id) => ({ resource: id === 'gone' ? 'mail/subscription' : 'mail', id }))
      return { kind: 'hints', eventId: text, hints, status: 202 }
    },
  },
  check: async () => ({ accountId: '1', label: 'one' }),
  classify: ({ status }) => ({ kind: 'unavailable', committed: 'no', message: `answered ${status}` }),
}

type Key = Awaited<ReturnType<typeof newKey>>
async function newKey(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } }
}

let clock: { now: number }
let db: Database
let drop: () => Promise<void>
let hub: Hub
let webhooks: Webhooks
let published: Key[]
let asked: { url: string; authorization: string | null; at: number }[]
let reply: (keys: JSONWebKeySet) => Response
beforeEach(async () => {
  clock = { now: T0 }
  published = [await newKey('one')]
  asked = []
  reply = (keys) => Response.json(keys)
  const database = await testDatabase()
  drop = () => database.drop()
  db = openDatabase(database.url)
  const vault = openVault(['a key that is only for tests'])
  const row = { name: 'post', connector: 'post', accountId: null, label: null, settings: { audience: 'hub' } }
  await saveConnection(db.sql, vault, row, { apiKey: 'hush-hush' })
  const folder = path.join(import.meta.dirname, '..', '..', 'config')
  const files = ['hub.yaml', 'pipelines.yaml'].map((name) => ({
    name,
    text: readFileSync(path.join(folder, name), 'utf8'),
  }))
  const own = { name: 'post.yaml', text: 'connection: post\nconnector: post\nmail: {}\n' }
  const loaded = loadConfiguration([...files, own], catalogOf({ post }))
  if (loaded.kind === 'problems') throw new Error('The configuration of this test is wrong')
  hub = await openHub({
    db,
    vault,
    log: pino({ level: 'silent' }),
    connectors: { post },
    configuration: loaded.configuration,
    transport: async (input, init) => {
      const request = new Request(input, init)
      asked.push({
        url: request.url,
        authorization: request.headers.get('authorization'),
        at: clock.now - T0,
      })
      return reply({ keys: published.map(({ jwk }) => jwk) })
    },
    clock: { now: () => clock.now, sleep: async (ms) => void (clock.now += ms) },
    random: () => 0,
  })
  webhooks = openWebhooks(hub)
})
afterEach(async () => {
  await db.close()
  await drop()
})

let calls = 0
async function call(key: Key | undefined, body = `ann ${++calls}`, aud = 'hub') {
  if (key === undefined) throw new Error('There is no such key')
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: key.kid })
    .setAudience(aud)
    .setIssuedAt(clock.now / 1000)
    .setExpirationTime(clock.now / 1000 + 3600)
    .sign(key.privateKey)
  return webhooks.receive('post', {
    method: 'POST',
    url: 'https://hub.example/webhooks/post',
    headers: new Headers({ authorization: `Bearer ${token}` }),
    body: new TextEncoder().encode(body),
  })
}
const set = (settings: JsonObject) => mergeSettings(db.sql, 'post', settings)

describe("a vendor's keys", () => {
  it('are fetched once for many calls, without our credentials, and several hints come of one call', async () => {
    const first = await Promise.all([call(published[0], 'ann gone'), call(published[0]), call(published[0])])
    expect(first.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored'])
    expect(asked).toEqual([{ url: KEYS_URL, authorization: null, at: 0 }])
    const [event] = await db.sql`select hints from webhook_events where event_id = 'ann gone'`
    expect(event).toEqual({
      hints: [
        { resource: 'mail', id: 'ann' },
        { resource: 'mail/subscription', id: 'gone' },
      ],
    })
    expect(await call(published[0], 'ann gone')).toMatchObject({ kind: 'stored', fresh: false })
  })

  it('are taken with the settings of the connection, which need no secret of ours', async () => {
    expect(await call(published[0], 'ann', 'another hub')).toMatchObject({
      kind: 'refused',
      reason: 'The token is not signed by Post.',
    })
    await set({ audience: 'another hub' })
    expect(await call(published[0], 'ann', 'another hub')).toMatchObject({ kind: 'stored' })
  })

  it('that are new are fetched when a call is not verified by those we know', async () => {
    await call(published[0])
    clock.now += MINUTE
    published = [await newKey('two')]
    expect(await call(published[0])).toMatchObject({ kind: 'stored' })
    expect(asked).toHaveLength(2)
  })

  it('are asked for once a minute at most, whatever strangers send', async () => {
    await call(published[0])
    const stranger = await newKey('one')
    for (let i = 0; i < 30; i++) {
      expect(await call(i % 2 === 0 ? stranger : await newKey(`made up ${i}`))).toMatchObject({
        kind: 'refused',
      })
      clock.now += 10_000
    }
    expect(asked.map(({ at }) => at)).toEqual([0, 60_000, 120_000, 180_000, 240_000])
  })

  it('are kept as long as the vendor says, within reason', async () => {
    for (const [cacheControl, minutes] of [
      ['public, max-age=600', 10],
      ['max-age=0', 5],
      ['max-age=999999999', 24 * 60],
      ['', 60],
    ] as const) {
      webhooks = openWebhooks(hub)
      asked.length = 0
      reply = (keys) => Response.json(keys, { headers: { 'cache-control': cacheControl } })
      await call(published[0])
      clock.now += minutes * MINUTE - 1
      await call(published[0])
      expect(asked).toHaveLength(1)
      clock.now += 1
      await call(published[0])
      expect(asked).toHaveLength(2)
    }
  })

  it('that cannot be had now still verify with those from before, for a day', async () => {
    await call(published[0])
    reply = () => new Response('', { status: 503 })
    clock.now += 2 * 60 * MINUTE
    expect(await call(published[0])).toMatchObject({ kind: 'stored' })
    clock.now += 3 * 24 * 60 * MINUTE
    expect(await call(published[0])).toMatchObject({ kind: 'unavailable' })
  })

  it.each([
    ['a failure', () => new Response('', { status: 500 })],
    ['a page', () => new Response('<html>')],
    ['no keys', () => Response.json({ keys: [] })],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { location: 'https://thief.example/' } }),
    ],
  ])(
    'that are %s leave calls for later, which are no refusals, and are not asked for again at once',
    async (_, bad) => {
      reply = bad
      for (let i = 0; i < 10; i++) expect(await call(published[0])).toMatchObject({ kind: 'unavailable' })
      expect(new Set(asked.map(({ url }) => url))).toEqual(new Set([KEYS_URL]))
      const before = asked.length
      expect(before).toBeLessThanOrEqual(4)
      reply = (keys) => Response.json(keys)
      expect(await call(published[0])).toMatchObject({ kind: 'unavailable' })
      expect(asked).toHaveLength(before)
      clock.now += MINUTE
      expect(await call(published[0])).toMatchObject({ kind: 'stored' })
      expect(await db.sql`select 1 from inbox`).toEqual([])
    },
  )

  it.each(['http://keys.other.example/', 'https://10.0.0.1/', 'http://127.0.0.1:9/', 'file:///etc/passwd'])(
    'are not fetched from %s, which a setting names',
    async (keysUrl) => {
      await set({ keysUrl })
      expect(await call(published[0])).toMatchObject({ kind: 'unavailable' })
      expect(asked).toEqual([])
    },
  )

  it('come from the setting where it names another public place, or this machine for a vendor that is here', async () => {
    await set({ keysUrl: 'https://keys.other.example/' })
    expect(await call(published[0])).toMatchObject({ kind: 'stored' })
    await set({ keysUrl: 'http://127.0.0.1:9/keys', baseUrl: 'http://127.0.0.1:9' })
    expect(await call(published[0])).toMatchObject({ kind: 'stored' })
    expect(asked.map(({ url }) => url)).toEqual(['https://keys.other.example/', 'http://127.0.0.1:9/keys'])
  })
})

describe('over HTTP', () => {
  it('a validation is answered with its own text and nothing more, and what cannot be verified now with 503', async () => {
    const app = createApp({ hub, log: hub.log })
    reply = () => new Response('', { status: 500 })
    const at = '/webhooks/post?validationToken=' + encodeURIComponent('Validation: <b>Testing</b> 1+1 ü')
    const answer = await app.request(at, { method: 'POST' })
    expect([answer.status, await answer.text()]).toEqual([200, 'Validation: <b>Testing</b> 1+1 ü'])
    expect(answer.headers.get('content-type')).toContain('text/plain')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await app.request('/webhooks/post', { method: 'POST', body: 'x' })).status).toBe(503)
  })
})

describe('where a vendor reaches the hub', () => {
  it('is told with the secret, or not at all', async () => {
    expect(await webhookOf(hub, 'post')).toEqual({ url: null, secret: null })
    expect(await webhookOf(hub, 'nobody')).toEqual({ url: null, secret: null })
    await set({ webhookUrl: 'https://hub.example/webhooks/post' })
    expect(await webhookOf(hub, 'post')).toEqual({ url: 'https://hub.example/webhooks/post', secret: null })
  })
})
