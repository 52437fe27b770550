import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { ANN, BEN, graph, IMMUTABLE, mail, START } from './client.ts'

const HOOK = 'https://hub.example/webhooks/outlook'
const LIFE = 'https://hub.example/webhooks/outlook?lifecycle'
const MINUTE = 60_000
const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()
const WANTED = {
  changeType: 'created,updated,deleted',
  notificationUrl: HOOK,
  lifecycleNotificationUrl: LIFE,
  resource: "me/mailFolders('inbox')/messages",
  expirationDateTime: at(10_000),
  clientState: 'secret',
}
const posted = z.object({ value: z.array(z.looseObject({ subscriptionId: z.string() })) })

type Receiver = { status: number; type: string; answer: (token: string) => string }

/** A sandbox whose notifications come to a receiver here. */
function hooked(options = {}) {
  const receiver: Receiver = { status: 202, type: 'text/plain', answer: (token) => token }
  const probed: string[] = []
  const got: { url: string; value: z.output<typeof posted>['value'] }[] = []
  const deliver: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const token = url.searchParams.get('validationToken')
    if (token !== null) {
      url.searchParams.delete('validationToken')
      probed.push(url.href.replace('lifecycle=', 'lifecycle'))
      return new Response(receiver.answer(token), { headers: { 'content-type': receiver.type } })
    }
    if (receiver.status === 0) throw new TypeError('nobody there')
    got.push({ url: request.url, value: posted.parse(await request.json()).value })
    return new Response(null, { status: receiver.status })
  }
  const sandbox = graph({ deliver, ...options })
  const subscribe = async (more: Record<string, unknown> = {}, headers: Record<string, string> = IMMUTABLE) =>
    sandbox.call('POST', '/v1.0/subscriptions', { body: { ...WANTED, ...more }, headers })
  const changes = () => got.flatMap(({ value }) => value.map((one) => one['changeType']))
  return { ...sandbox, receiver, probed, got, subscribe, changes }
}

const idOf = (body: Record<string, unknown>) => z.string().parse(body['id'])

describe('making one', () => {
  test('proves both addresses first, and does not show the secret', async () => {
    const { subscribe, probed, get } = hooked()
    const { status, body } = await subscribe()
    expect(status).toBe(201)
    expect(probed).toEqual([HOOK, LIFE])
    expect(body).toMatchObject({ resource: WANTED.resource, clientState: null })
    expect((await get(`/v1.0/subscriptions/${idOf(body)}`)).status).toBe(200)
  })

  test.each<[string, Partial<Receiver>]>([
    ['another token', { answer: () => 'no' }],
    ['an escaped token', { answer: encodeURIComponent }],
    ['HTML', { type: 'text/html' }],
  ])('is refused when the receiver answers %s', async (_what, wrong) => {
    const { subscribe, receiver, get } = hooked()
    Object.assign(receiver, wrong)
    expect((await subscribe()).status).toBe(400)
    expect((await get('/v1.0/subscriptions')).body).toMatchObject({ value: [] })
  })

  test('is refused when the receiver takes too long', async () => {
    const slow: typeof fetch = async (_input, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('late'))),
      )
    const { subscribe } = hooked({ deliver: slow, handshakeMs: 20 })
    expect((await subscribe()).status).toBe(400)
  })

  test.each([
    ['too long a life', { expirationDateTime: at(10_081) }],
    ['a past', { expirationDateTime: at(-1) }],
    ['too long a secret', { clientState: 'x'.repeat(129) }],
    ['plain HTTP', { notificationUrl: 'http://hub.example/' }],
    ['an unknown change', { changeType: 'created,moved' }],
    ['an unknown resource', { resource: 'me/events' }],
    ['an unknown folder', { resource: 'me/mailFolders/nothing/messages' }],
  ])('is refused with %s', async (_what, wrong) => {
    expect((await hooked().subscribe(wrong)).status).toBe(400)
  })

  test('a short life is made 45 minutes', async () => {
    const { body } = await hooked().subscribe({ expirationDateTime: at(5) })
    expect(body['expirationDateTime']).toBe('2026-03-02T08:45:00Z')
  })
})

describe('notifications', () => {
  test('tell of the folder, with ids as settled at the start and the secret', async () => {
    const { subscribe, people, flushNotifications, got, state } = hooked()
    await subscribe()
    const [message] = people.deliver(ANN, mail())
    people.deliver(ANN, mail(), { folder: 'archive' })
    people.deliver(BEN, mail())
    expect(await flushNotifications()).toBe(1)
    const id = message?.ids.immutable
    expect(got).toMatchObject([
      {
        url: HOOK,
        value: [
          {
            changeType: 'created',
            clientState: 'secret',
            tenantId: state.tenant.id,
            resource: `Users/${state.users[0]?.id}/Messages/${id}`,
            resourceData: { id, '@odata.type': '#Microsoft.Graph.Message' },
          },
        ],
      },
    ])
  })

  test('without the header at the start, ids are the changing ones', async () => {
    const { subscribe, people, flushNotifications, got } = hooked()
    await subscribe({}, {})
    const [message] = people.deliver(ANN, mail())
    await flushNotifications()
    expect(got[0]?.value[0]?.['resourceData']).toMatchObject({ id: message?.ids.mutable })
  })

  test('a move out is a deletion, a move in a creation, several come in one POST', async () => {
    const { subscribe, people, flushNotifications, got, changes } = hooked()
    await subscribe()
    const id = people.deliver(ANN, mail())[0]?.ids.immutable ?? ''
    people.move(ANN, id, 'archive')
    people.move(ANN, id, 'inbox')
    people.read(ANN, id)
    expect(await flushNotifications()).toBe(1)
    expect(got).toHaveLength(1)
    expect(changes()).toEqual(['created', 'deleted', 'created', 'updated'])
  })

  test('of contacts', async () => {
    const { subscribe, people, flushNotifications, changes } = hooked()
    await subscribe({ resource: '/me/contacts', changeType: 'created,deleted' })
    const contact = people.addContact(ANN, { givenName: 'Eve' })
    people.editContact(ANN, contact.ids.immutable, { givenName: 'Eva' })
    people.deleteContact(ANN, contact.ids.immutable)
    await flushNotifications()
    expect(changes()).toEqual(['created', 'deleted'])
  })

  test('are tried again while the receiver fails, for four hours', async () => {
    const { subscribe, people, flushNotifications, receiver, got, clock, deliveries, pendingNotifications } =
      hooked()
    await subscribe()
    receiver.status = 500
    people.deliver(ANN, mail())
    expect(await flushNotifications()).toBe(0)
    expect(await flushNotifications()).toBe(0)
    expect(got).toHaveLength(1)
    receiver.status = 202
    clock.now += 10_000
    expect(await flushNotifications()).toBe(1)
    expect(deliveries().map(({ status }) => status)).toEqual([500, 202])
    receiver.status = 0
    people.deliver(ANN, mail())
    for (let i = 0; i < 60; i++) {
      await flushNotifications()
      clock.now += 600_000
    }
    expect(pendingNotifications).toHaveLength(0)
    expect(deliveries().at(-1)?.status).toBeNull()
  })

  test('leave by themselves where told to', async () => {
    const { subscribe, people, changes } = hooked({ autoDeliver: true })
    await subscribe()
    people.deliver(ANN, mail())
    await vi.waitFor(() => expect(changes()).toEqual(['created']))
  })

  test('may be late, double or lost', async () => {
    const { subscribe, people, flushNotifications, switches, changes, clock } = hooked()
    await subscribe()
    switches.lostNotifications = 1
    people.deliver(ANN, mail())
    await flushNotifications()
    expect(changes()).toEqual([])
    Object.assign(switches, { lostNotifications: 0, duplicateNotifications: 1, lateNotifications: 1 })
    people.deliver(ANN, mail())
    await flushNotifications()
    expect(changes()).toEqual([])
    clock.now += switches.lateMs
    await flushNotifications()
    expect(changes()).toEqual(['created', 'created'])
  })

  test('end when the subscription does', async () => {
    const { subscribe, people, flushNotifications, changes, clock, call, token, get } = hooked()
    const { body } = await subscribe({ expirationDateTime: at(45) })
    clock.now += 44 * MINUTE
    const bearer = token(ANN)
    const path = `/v1.0/subscriptions/${idOf(body)}`
    const later = { body: { expirationDateTime: at(90) }, token: bearer }
    expect((await call('PATCH', path, later)).body).toMatchObject({
      expirationDateTime: '2026-03-02T09:30:00Z',
    })
    people.deliver(ANN, mail())
    clock.now += 60 * MINUTE
    people.deliver(ANN, mail())
    await flushNotifications()
    expect(changes()).toEqual(['created'])
    expect((await call('PATCH', path, { ...later, token: token(ANN) })).status).toBe(404)
    expect((await get(path)).status).toBe(401)
  })
})

describe('lifecycle', () => {
  const events = (got: ReturnType<typeof hooked>['got']) =>
    got.filter(({ url }) => url === LIFE).flatMap(({ value }) => value.map((one) => one['lifecycleEvent']))

  test('until it is reauthorised, nothing is told, then or later', async () => {
    const { subscribe, people, vendor, flushNotifications, got, changes, call } = hooked()
    const { body } = await subscribe()
    vendor.requireReauthorization()
    people.deliver(ANN, mail())
    await flushNotifications()
    expect(events(got)).toEqual(['reauthorizationRequired'])
    expect(got[0]?.value[0]).toMatchObject({ clientState: 'secret', subscriptionId: idOf(body) })
    expect((await call('POST', `/v1.0/subscriptions/${idOf(body)}/reauthorize`)).status).toBe(204)
    people.deliver(ANN, mail())
    await flushNotifications()
    expect(changes().filter((one) => one !== undefined)).toEqual(['created'])
  })

  test('a new expiry reauthorises as well', async () => {
    const { subscribe, people, vendor, flushNotifications, changes, call } = hooked()
    const { body } = await subscribe()
    vendor.requireReauthorization(idOf(body))
    await call('PATCH', `/v1.0/subscriptions/${idOf(body)}`, { body: { expirationDateTime: at(5_000) } })
    people.deliver(ANN, mail())
    await flushNotifications()
    expect(changes()).toContain('created')
  })

  test('removed and missed', async () => {
    const { subscribe, vendor, flushNotifications, got, get } = hooked()
    const { body } = await subscribe()
    vendor.missNotifications()
    vendor.removeSubscription()
    await flushNotifications()
    expect(events(got)).toEqual(['missed', 'subscriptionRemoved'])
    expect((await get(`/v1.0/subscriptions/${idOf(body)}`)).status).toBe(404)
  })

  test('its address cannot be set later, and without one nobody is told', async () => {
    const { subscribe, vendor, call, pendingNotifications } = hooked()
    const { body } = await subscribe({ lifecycleNotificationUrl: null })
    const path = `/v1.0/subscriptions/${idOf(body)}`
    expect((await call('PATCH', path, { body: { lifecycleNotificationUrl: LIFE } })).status).toBe(400)
    vendor.missNotifications()
    expect(pendingNotifications).toEqual([])
  })
})
