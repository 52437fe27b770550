import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { ANN, BO, gmail, mail } from './client.ts'

const TOPIC = 'projects/sandbox/topics/mail'
const ENDPOINT = 'https://hub.example/webhooks/gmail'

async function watched(options: Parameters<typeof gmail>[0] = {}) {
  const sandbox = gmail(options)
  sandbox.createTopic(TOPIC, { endpoint: ENDPOINT })
  const watch = await sandbox.post('/watch', { topicName: TOPIC })
  return { ...sandbox, watch }
}

describe('a watch', () => {
  test('pushes what Google signed', async () => {
    const { watch, people, deliveries, fetch, clock, cursor } = await watched()
    expect(watch.body).toEqual({
      historyId: await cursor(),
      expiration: String(clock.now + 7 * 86_400_000),
    })
    await people.deliver(ANN, mail())
    const [push, ...more] = await deliveries()
    expect([push?.url, more]).toEqual([ENDPOINT, []])
    const body = JSON.parse(push?.body ?? '') as { message: { data: string } }
    expect(JSON.parse(Buffer.from(body.message.data, 'base64url').toString())).toEqual({
      emailAddress: ANN,
      historyId: Number(await cursor()),
    })
    expect(body).toMatchObject({
      subscription: 'projects/sandbox/subscriptions/mail-push',
      message: { messageId: expect.any(String), publishTime: '2026-11-22T09:00:00.000Z' },
    })
    const keys = (await (await fetch('https://www.googleapis.com/oauth2/v3/certs')).json()) as JSONWebKeySet
    const token = push?.headers['authorization']?.slice('Bearer '.length) ?? ''
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer: 'https://accounts.google.com',
      audience: ENDPOINT,
      currentDate: new Date(clock.now),
    })
    expect(payload).toMatchObject({ email: 'push@sandbox.iam.gserviceaccount.com', email_verified: true })
  })

  test('pushes once a second at most; the rest is dropped without a word', async () => {
    const { people, deliveries, clock, state } = await watched()
    for (let i = 0; i < 3; i += 1) await people.deliver(ANN, mail())
    expect(await deliveries()).toHaveLength(1)
    expect(state.counts.droppedNotifications).toBe(2)
    clock.now += 1000
    await people.deliver(ANN, mail())
    expect(await deliveries()).toHaveLength(1)
  })

  test('ends after seven days, or when it is stopped, and is of one mailbox', async () => {
    const { people, deliveries, clock } = await watched()
    await people.deliver(BO, mail())
    expect(await deliveries()).toEqual([])
    clock.now += 7 * 86_400_000
    await people.deliver(ANN, mail())
    expect(await deliveries()).toEqual([])
  })

  test('stops', async () => {
    const { people, deliveries, post } = await watched()
    expect((await post('/stop', {})).status).toBe(204)
    await people.deliver(ANN, mail())
    expect(await deliveries()).toEqual([])
  })

  test('of labels is told of these only', async () => {
    const { people, deliveries, post, clock } = await watched()
    await post('/watch', { topicName: TOPIC, labelIds: ['SENT'], labelFilterBehavior: 'include' })
    await people.deliver(ANN, mail())
    expect(await deliveries()).toEqual([])
    await post('/watch', { topicName: TOPIC, labelIds: ['SENT'], labelFilterBehavior: 'exclude' })
    clock.now += 1000
    await people.deliver(ANN, mail())
    expect(await deliveries()).toHaveLength(1)
  })

  test.each([
    [{ topicName: 'mail' }, 400],
    [{ topicName: 'projects/sandbox/topics/none' }, 400],
    [{ topicName: TOPIC, labels: [] }, 400],
    [{}, 400],
  ])('refuses %j', async (body, status) => {
    const { post } = await watched()
    expect((await post('/watch', body)).status).toBe(status)
  })

  test('needs a topic that Gmail may publish to', async () => {
    const { post, state } = await watched()
    const topic = state.topics.get(TOPIC)
    if (topic !== undefined) topic.granted = false
    expect((await post('/watch', { topicName: TOPIC })).status).toBe(403)
  })
})

describe('notifications', () => {
  test('by switch come late, twice, or never', async () => {
    const { people, deliveries, clock, switches } = await watched()
    switches.notificationDelayMs = 60_000
    switches.notificationCopies = 2
    await people.deliver(ANN, mail())
    expect(await deliveries()).toEqual([])
    clock.now += 60_000
    const pushes = await deliveries()
    expect(pushes).toHaveLength(2)
    expect(new Set(pushes.map(({ body }) => body)).size).toBe(1)
    switches.loseNotification = () => true
    await people.deliver(ANN, mail())
    clock.now += 60_000
    expect(await deliveries()).toEqual([])
  })

  test('come again until they are acknowledged', async () => {
    const statuses = [500, 204]
    const { people, flushNotifications, pendingNotifications } = await watched({
      deliver: async () => statuses.shift() ?? 200,
    })
    await people.deliver(ANN, mail())
    expect([await flushNotifications(), pendingNotifications.length]).toEqual([0, 1])
    expect([await flushNotifications(), pendingNotifications.length]).toEqual([1, 0])
  })

  test('leave by themselves when told so, until they are acknowledged', async () => {
    const statuses = [503, 200]
    const acknowledged = Promise.withResolvers<string>()
    const { people, pendingNotifications } = await watched({
      autoDeliver: true,
      deliver: async (url) => {
        const status = statuses.shift() ?? 200
        if (status === 200) acknowledged.resolve(url)
        return status
      },
    })
    await people.deliver(ANN, mail())
    expect(await acknowledged.promise).toBe(ENDPOINT)
    expect([statuses, pendingNotifications]).toEqual([[], []])
  })

  test('are signed with a new key at times, and the one before stays known', async () => {
    const { people, deliveries, rotateKeys, fetch, clock } = await watched()
    await people.deliver(ANN, mail())
    const [before] = await deliveries()
    rotateKeys()
    clock.now += 1000
    await people.deliver(ANN, mail())
    const [after] = await deliveries()
    const kid = (push: typeof before) =>
      decodeProtectedHeader(push?.headers['authorization']?.slice(7) ?? '').kid
    const keys = (await (await fetch('https://www.googleapis.com/oauth2/v3/certs')).json()) as JSONWebKeySet
    expect(kid(before)).not.toBe(kid(after))
    expect(new Set(keys.keys.map((key) => key.kid))).toEqual(new Set([kid(before), kid(after)]))
  })
})
