import { describe, expect, test } from 'vitest'
import type { RawRequest, Receipt } from '../../src/connectors/connector.ts'
import type { MailSubscription } from '../../src/connectors/mail.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import { ANNA, BEN, fromCustomer, mail, MINUTE, T0, type World, world } from './outlook.support.ts'

const HOOK = 'https://hub.example/webhooks/outlook'
const SECRET = 'the-secret-of-this-connection'
const DAY = 24 * 60 * MINUTE

function receive(raw: RawRequest, secret = SECRET, now = T0): Receipt {
  const receipt = outlook.webhooks?.receive(raw, secret, now, { settings: {}, keys: null })
  if (receipt === undefined || receipt instanceof Promise) throw new Error('no receipt')
  return receipt
}

const post = (body: string, url = HOOK): RawRequest => ({
  method: 'POST',
  url,
  headers: new Headers(),
  body: new TextEncoder().encode(body),
})
const notice = (more: object = {}) => ({
  subscriptionId: 's1',
  clientState: SECRET,
  changeType: 'created',
  resource: 'Users/u1/Messages/m1',
  resourceData: { '@odata.etag': 'W/"1"', id: 'm1' },
  ...more,
})
const told = (...value: object[]) => post(JSON.stringify({ value }))
const eventId = (raw: RawRequest, now = T0) => {
  const receipt = receive(raw, SECRET, now)
  return receipt.kind === 'hints' ? receipt.eventId : receipt.kind
}

/** A hub that answers as the connector says, and keeps what came in. */
function hub(secret = SECRET) {
  const receipts: Receipt[] = []
  const raws: RawRequest[] = []
  const deliver: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const raw = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: new Uint8Array(await request.arrayBuffer()),
    }
    const receipt = receive(raw, secret)
    raws.push(raw)
    receipts.push(receipt)
    const body = receipt.kind === 'handshake' ? receipt.body : ''
    return new Response(body, { status: receipt.status, headers: { 'content-type': 'text/plain' } })
  }
  return { deliver, receipts, raws }
}

async function subscribed(w: World, kept: MailSubscription['kept'] = null, secret: string | null = SECRET) {
  const done = await mail.subscribe?.(w.io, await w.mailbox(), kept, { url: HOOK, secret })
  if (done === undefined || done === null) throw new Error('not subscribed')
  return done
}

describe('receive', () => {
  test('proves that it is there, with the token as it was before it was encoded', () => {
    const token = 'Validation: Testing client+application & more=<b>'
    const raw = post('', `${HOOK}?mailbox=u1&validationToken=${encodeURIComponent(token)}`)
    expect(receive(raw)).toEqual({ kind: 'handshake', status: 200, body: token })
  })

  test('hints at the mailbox, by the path of the message or by its own address', () => {
    const hints = [{ resource: 'mail', id: 'u1' }]
    expect(receive(told(notice()))).toMatchObject({ kind: 'hints', hints, status: 202 })
    expect(receive(told(notice({ resource: "users('u1')/messages('m1')" })))).toMatchObject({ hints })
    const guid = '0a1b2c3d-0000-4000-8000-00000000000a'
    expect(receive(told(notice({ resource: `Users/${guid}@${guid}/Messages/m1` })))).toMatchObject({
      hints: [{ resource: 'mail', id: guid }],
    })
    const me = JSON.stringify({ value: [notice({ resource: 'me/messages/m1' })] })
    expect(receive(post(me, `${HOOK}?mailbox=u1`))).toMatchObject({ hints })
    expect(receive(told(notice(), notice({ resourceData: null })))).toMatchObject({ hints })
  })

  test('believes nobody without the secret, and of several only those that have it', () => {
    for (const clientState of ['', null, undefined, `${SECRET}x`, SECRET.slice(0, -1), SECRET.toUpperCase()])
      expect(receive(told(notice({ clientState })))).toMatchObject({ kind: 'refused', status: 401 })
    const forged = notice({ clientState: 'guess', resource: 'Users/u2/Messages/m' })
    expect(receive(told(forged, notice()))).toMatchObject({ hints: [{ resource: 'mail', id: 'u1' }] })
    expect(receive(told(notice({ clientState: '' })), '')).toMatchObject({ kind: 'refused' })
  })

  test('takes a repeated delivery for the same event, and another change for another', () => {
    const second = notice({ resourceData: { '@odata.etag': 'W/"2"', id: 'm1' } })
    expect(eventId(told(notice()))).toBe(eventId(told(notice()), T0 + DAY))
    expect(eventId(told(notice(), second))).toBe(eventId(told(second, notice())))
    expect(eventId(told(notice()))).not.toBe(eventId(told(second)))
  })

  test('has the subscription seen to when it is at stake, each time anew', () => {
    const bare = { changeType: undefined, resource: undefined, resourceData: undefined }
    for (const lifecycleEvent of ['reauthorizationRequired', 'subscriptionRemoved', 'missed']) {
      const body = JSON.stringify({ value: [notice({ ...bare, lifecycleEvent })] })
      const raw = post(body, `${HOOK}?mailbox=u1`)
      expect(receive(raw)).toMatchObject({
        hints: [{ resource: 'mail/subscription', id: 'u1' }],
        status: 202,
      })
      expect(eventId(raw)).toBe(eventId(raw, T0 + MINUTE))
      expect(eventId(raw)).not.toBe(eventId(raw, T0 + DAY))
    }
  })

  test('takes what it does not know without a hint', () => {
    for (const more of [
      { lifecycleEvent: 'somethingNew' },
      { changeType: 'exploded' },
      { resource: 'Users/u1/Events/e' },
    ])
      expect(receive(told(notice(more)))).toMatchObject({ kind: 'hints', hints: [] })
  })

  test('refuses nonsense', () => {
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"value":{}}',
      '{"value":[]}',
      '{"value":[null]}',
      'x'.repeat(1e6),
    ])
      expect(receive(post(body))).toMatchObject({ kind: 'refused' })
    expect(receive(post('{}', 'not a url at all'))).toMatchObject({ kind: 'refused' })
  })
})

describe('subscribe', () => {
  test('is told of what happens to messages, for a week, and is renewed in time', async () => {
    const { deliver, receipts } = hub()
    const w = world({ deliver })
    const first = await subscribed(w)
    expect(first.renewBefore).toBeGreaterThan(T0 + 5 * DAY)
    expect(first.renewBefore).toBeLessThan(T0 + 7 * DAY)
    expect(receipts.map(({ kind }) => kind)).toEqual(['handshake', 'handshake'])
    w.vendor.people.deliver(ANNA, fromCustomer())
    await w.vendor.flushNotifications()
    expect(receipts.at(-1)).toMatchObject({ hints: [{ resource: 'mail', id: (await w.mailbox()).id }] })
    w.clock.now += 5 * DAY
    const renewed = await subscribed(w, first.kept)
    expect(renewed.kept).toEqual(first.kept)
    expect(renewed.renewBefore).toBe(first.renewBefore + 5 * DAY)
    expect(w.vendor.state.subscriptions.size).toBe(1)
  })

  test('makes a new one where the old one is gone, or where address or secret are others', async () => {
    const { deliver } = hub()
    const w = world({ deliver })
    const first = await subscribed(w)
    w.vendor.vendor.removeSubscription()
    const second = await subscribed(w, first.kept)
    expect(second.kept).not.toEqual(first.kept)
    const third = await subscribed(w, second.kept, 'another secret')
    expect(third.kept).not.toEqual(second.kept)
    expect([...w.vendor.state.subscriptions.values()].map(({ clientState }) => clientState)).toEqual([
      'another secret',
    ])
  })

  test('leaves one, however often its answer was lost', async () => {
    const { deliver } = hub()
    const w = world({ deliver })
    await subscribed(w)
    await subscribed(w)
    expect(w.vendor.state.subscriptions.size).toBe(1)
  })

  test('keeps those of other mailboxes', async () => {
    const { deliver, receipts } = hub()
    const w = world({ deliver })
    const io = w.app([ANNA, BEN])
    const boxes = await mail.mailboxes(io)
    for (const box of boxes) await mail.subscribe?.(io, box, null, { url: HOOK, secret: SECRET })
    expect([...w.vendor.state.subscriptions.values()].map(({ resource }) => resource)).toEqual(
      boxes.map(({ id }) => `users/${id}/messages`),
    )
    w.vendor.people.deliver(BEN, fromCustomer())
    await w.vendor.flushNotifications()
    expect(receipts.at(-1)).toMatchObject({ hints: [{ resource: 'mail', id: boxes[1]?.id }] })
  })

  test('what Graph says of a subscription itself leads to the mailbox, and renewing lets it go on', async () => {
    const { deliver, receipts } = hub()
    const w = world({ deliver })
    const { kept } = await subscribed(w)
    w.vendor.vendor.requireReauthorization()
    await w.vendor.flushNotifications()
    const { id } = await w.mailbox()
    expect(receipts.at(-1)).toMatchObject({ hints: [{ resource: 'mail/subscription', id }] })
    await subscribed(w, kept)
    w.vendor.people.deliver(ANNA, fromCustomer())
    await w.vendor.flushNotifications()
    expect(receipts.at(-1)).toMatchObject({ hints: [{ resource: 'mail', id }] })
    w.vendor.vendor.missNotifications()
    await w.vendor.flushNotifications()
    expect(receipts.at(-1)).toMatchObject({ hints: [{ resource: 'mail/subscription', id }] })
  })

  test('a secret longer than Graph takes works', async () => {
    const secret = 's'.repeat(500)
    const { deliver, receipts } = hub(secret)
    const w = world({ deliver })
    await subscribed(w, null, secret)
    w.vendor.people.deliver(ANNA, fromCustomer())
    await w.vendor.flushNotifications()
    expect(receipts.at(-1)).toMatchObject({ kind: 'hints' })
  })

  test('is not asked for where the hub has no public address', async () => {
    const w = world()
    const box = await w.mailbox()
    expect(await mail.subscribe?.(w.io, box, null, { url: null, secret: SECRET })).toBeNull()
    expect(await mail.subscribe?.(w.io, box, null, { url: HOOK, secret: null })).toBeNull()
    expect(w.vendor.state.subscriptions.size).toBe(0)
  })
})
