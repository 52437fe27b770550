import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RawRequest, Receipt } from '../../src/connectors/connector.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { mail, mailboxAt, MINUTE, T0 } from './gmail.support.ts'
import { ANN, world } from './gmail.world.ts'

const URL_ = 'https://hub.example/webhooks/gmail-1'
const PUSHER = 'push@sandbox.iam.gserviceaccount.com'
const SETTINGS = { pushServiceAccount: PUSHER, pushAudience: URL_ }
const TOPIC = 'projects/p/topics/gmail'

/** What Google posts when Ann gets a message, and the keys it publishes. */
async function delivered() {
  const it_ = world()
  it_.google.createTopic(TOPIC, { endpoint: URL_, serviceAccount: PUSHER })
  await mail.subscribe?.(it_.io({ topic: TOPIC }), mailboxAt(ANN), null, { url: URL_, secret: null })
  await it_.deliver('News')
  const [delivery] = await it_.google.deliveries()
  if (delivery === undefined) throw new Error('nothing was delivered')
  const reply = await sandboxFetch(it_.google.app)('https://www.googleapis.com/oauth2/v3/certs')
  return { it_, delivery, keys: (await reply.json()) as JsonObject }
}
let given: Awaited<ReturnType<typeof delivered>>
beforeAll(async () => {
  given = await delivered()
})

type Changes = {
  readonly method?: string
  readonly url?: string
  readonly token?: string | null
  readonly body?: string
  readonly settings?: JsonObject
  readonly keys?: JsonObject | null
  readonly now?: number
}
async function receive(changes: Changes = {}): Promise<Receipt> {
  const headers = new Headers(given.delivery.headers)
  if (changes.token === null) headers.delete('authorization')
  else if (changes.token !== undefined) headers.set('authorization', `Bearer ${changes.token}`)
  const raw: RawRequest = {
    method: changes.method ?? 'POST',
    url: changes.url ?? URL_,
    headers,
    body: new TextEncoder().encode(changes.body ?? given.delivery.body),
  }
  const context = {
    settings: changes.settings ?? SETTINGS,
    keys: changes.keys === undefined ? given.keys : changes.keys,
  }
  const receipt = await gmail.webhooks?.receive(raw, '', changes.now ?? T0, context)
  if (receipt === undefined) throw new Error('no webhooks')
  return receipt
}
const reasonOf = (receipt: Receipt) => (receipt.kind === 'refused' ? receipt.reason : receipt.kind)

describe('a push', () => {
  it('is a hint of the mailbox that changed', async () => {
    const { messageId } = given.delivery.notification
    expect(await receive()).toEqual({
      kind: 'hints',
      eventId: messageId,
      hints: [{ resource: 'mail', id: ANN }],
      status: 200,
    })
    expect(gmail.webhooks?.keysUrl).toBe('https://www.googleapis.com/oauth2/v3/certs')
  })

  it('is made out to the URL it comes to where no other audience is set', async () => {
    const settings = { pushServiceAccount: PUSHER }
    expect((await receive({ settings })).kind).toBe('hints')
    expect(reasonOf(await receive({ settings, url: 'https://hub.example/other' }))).toMatch(/"aud"/)
    expect(reasonOf(await receive({ settings, url: '/webhooks/gmail-1' }))).toMatch(/Set pushAudience/)
  })

  it('is made out to the address that the connection is reached at, not to that behind a proxy', async () => {
    const settings = { pushServiceAccount: PUSHER, webhookUrl: URL_ }
    const behind = 'http://10.0.0.7:8080/webhooks/gmail-1'
    expect((await receive({ settings, url: behind })).kind).toBe('hints')
    expect(reasonOf(await receive({ settings: { pushServiceAccount: PUSHER }, url: behind }))).toMatch(
      /"aud"/,
    )
    const elsewhere = { ...settings, webhookUrl: 'https://hub.example/other' }
    expect(reasonOf(await receive({ settings: elsewhere }))).toMatch(/"aud"/)
    const named = { ...settings, pushAudience: 'https://x.y' }
    expect(reasonOf(await receive({ settings: named }))).toMatch(/"aud"/)
  })

  it.each<[string, Changes, RegExp]>([
    ['no service account is set', { settings: { pushAudience: URL_ } }, /Set pushServiceAccount/],
    [
      'another service account pushes',
      { settings: { ...SETTINGS, pushServiceAccount: 'x@y.z' } },
      /another service/,
    ],
    ['it is for another audience', { settings: { ...SETTINGS, pushAudience: 'https://x.y' } }, /"aud"/],
    ['there is no token', { token: null }, /no bearer token/],
    ['the token is none', { token: 'abc' }, /cannot be trusted/],
    ['the keys are not at hand', { keys: null }, /keys are not at hand/],
    ['the keys are no keys', { keys: { keys: [] } }, /keys are not at hand/],
    ['the token is too old', { now: T0 + 62 * MINUTE }, /"exp"/],
  ])('is refused when %s', async (_, changes, reason) => {
    const receipt = await receive(changes)
    expect(receipt).toMatchObject({ kind: 'refused', status: 401 })
    expect(reasonOf(receipt)).toMatch(reason)
  })

  it('is refused when it is not a POST, or no message of Pub/Sub', async () => {
    expect(await receive({ method: 'GET' })).toMatchObject({ kind: 'refused', status: 400 })
    for (const body of [
      '',
      '[]',
      '{"emailAddress":"ann@acme.example","historyId":1}',
      '{"message":{"data":"e30"}}',
    ])
      expect(await receive({ body })).toMatchObject({ kind: 'refused', status: 400 })
  })

  it('is taken, and means nothing, when what is in it is not Gmail’s', async () => {
    for (const data of ['', 'aGVsbG8', Buffer.from('{"emailAddress":5}').toString('base64url')]) {
      const body = JSON.stringify({ message: { messageId: '77', data } })
      expect(await receive({ body })).toEqual({ kind: 'hints', eventId: '77', hints: [], status: 200 })
    }
  })
})

describe('a forged push', () => {
  const claims = {
    aud: URL_,
    email: PUSHER,
    email_verified: true as unknown,
    iss: 'https://accounts.google.com',
    iat: T0 / 1000,
    exp: T0 / 1000 + 3600,
  }
  async function forged(change: object, alg = 'RS256') {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }
    const token = await new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ alg, kid: 'k' })
      .sign(privateKey)
    return { token, keys: { keys: [jwk] } as JsonObject }
  }

  it('is refused when another key signed it, and taken when Google’s did', async () => {
    const { token, keys } = await forged({})
    expect((await receive({ token, keys })).kind).toBe('hints')
    expect(await receive({ token })).toMatchObject({ kind: 'refused', status: 401 })
  })

  it.each([
    ['another issuer', { iss: 'https://evil.example' }, /"iss"/],
    ['an address nobody verified', { email_verified: false }, /no verified address/],
    ['an address verified as text', { email_verified: 'true' }, /no verified address/],
    ['no address', { email: undefined }, /no verified address/],
    ['no end', { exp: undefined }, /"exp"/],
    ['a beginning in the future', { nbf: T0 / 1000 + 600 }, /"nbf"/],
  ])('is refused with %s', async (_, change, reason) => {
    const { token, keys } = await forged(change)
    expect(reasonOf(await receive({ token, keys }))).toMatch(reason)
  })

  it('is refused without a signature, or with one made of the public key', async () => {
    const { token, keys } = await forged({})
    const [, payload = ''] = token.split('.')
    const part = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url')
    const none = `${part({ alg: 'none', kid: 'k' })}.${payload}.`
    expect(await receive({ token: none, keys })).toMatchObject({ kind: 'refused' })
    const shared = new TextEncoder().encode(JSON.stringify(keys))
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k' }).sign(shared)
    expect(await receive({ token: hmac, keys })).toMatchObject({ kind: 'refused' })
  })
})
