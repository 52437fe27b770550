import { describe, expect, test } from 'vitest'
import type { RawRequest } from '../../src/connectors/connector.ts'
import { receive } from '../../src/connectors/mailchimp/webhooks.ts'
import { addressHash } from '../../src/connectors/mailchimp/member.ts'
import { bodyOf, world } from './mailchimp.support.ts'

const URL_ = 'https://hub.example.com/webhooks/news?secret=s3cret'
const raw = (body: string, url = URL_, method = 'POST'): RawRequest => ({
  method,
  url,
  headers: new Headers(),
  body: new TextEncoder().encode(body),
})
const hint = (email: string) => ({ resource: 'members', id: addressHash(email) })

test('a GET is answered 200 without a secret', () => {
  const url = 'https://hub.example.com/webhooks/news'
  expect(receive(raw('', url, 'GET'), 's3cret')).toMatchObject({ kind: 'handshake', status: 200 })
})

test.each([
  ['missing', 'https://hub.example.com/webhooks/news'],
  ['wrong', 'https://hub.example.com/webhooks/news?secret=other'],
  ['empty', 'https://hub.example.com/webhooks/news?secret='],
])('a %s secret is refused', (_, url) => {
  expect(receive(raw('type=profile', url), 's3cret')).toMatchObject({ kind: 'refused', status: 401 })
})

test('without a secret of our own everything is refused', () => {
  expect(receive(raw('type=profile', `${URL_.split('=')[0]}=`), '')).toMatchObject({
    kind: 'refused',
    status: 401,
  })
})

test.each(['subscribe', 'unsubscribe', 'profile', 'cleaned'])('%s hints at the member', (type) => {
  const body = new URLSearchParams({
    type,
    fired_at: '2026-03-01 09:00:00',
    'data[email]': 'Ada@Example.com',
  })
  expect(receive(raw(body.toString()), 's3cret')).toMatchObject({
    kind: 'hints',
    status: 200,
    hints: [hint('ada@example.com')],
  })
})

test('upemail hints at both addresses', () => {
  const body = new URLSearchParams({
    type: 'upemail',
    'data[new_email]': 'n@x.io',
    'data[old_email]': 'o@x.io',
  })
  expect(receive(raw(body.toString()), 's3cret')).toMatchObject({ hints: [hint('n@x.io'), hint('o@x.io')] })
})

test.each(['type=campaign&data[id]=1', '', '{"not":"a form"}', 'type=profile', '\u0000%%%'])(
  'what it does not know (%j) is taken without a hint, and never with 410',
  (body) => {
    expect(receive(raw(body), 's3cret')).toMatchObject({ kind: 'hints', hints: [], status: 200 })
  },
)

test('the same bytes are the same event', () => {
  const id = (body: string) => {
    const receipt = receive(raw(body), 's3cret')
    return receipt.kind === 'hints' ? receipt.eventId : null
  }
  expect(id('type=profile&x=1')).toBe(id('type=profile&x=1'))
  expect(id('type=profile&x=1')).not.toBe(id('type=profile&x=2'))
})

describe('with the vendor', () => {
  test('subscribing twice makes one webhook, without our own echo', async () => {
    const w = world()
    for (let i = 0; i < 2; i++) {
      expect(await w.connector.webhooks?.subscribe?.(w.io, URL_, 's3cret')).toEqual({
        secret: null,
        renewBefore: null,
      })
    }
    const [hook, ...others] = w.vendor.audience.webhooks.values()
    expect(others).toEqual([])
    expect(Object.fromEntries(hook?.sources ?? [])).toEqual({ user: true, admin: true, api: false })
    expect(Object.fromEntries(hook?.events ?? [])).toEqual({
      subscribe: true,
      unsubscribe: true,
      profile: true,
      cleaned: true,
      upemail: true,
      campaign: false,
    })
  })

  test('what people do arrives as hints, and fetching them shows it under the id links hold', async () => {
    const w = world()
    await w.connector.webhooks?.subscribe?.(w.io, URL_, 's3cret')
    const { admin } = w.vendor
    admin.subscribe('ada@example.com', { FNAME: 'Ada' })
    admin.changeEmail('ada@example.com', 'ada@new.example.com')
    admin.unsubscribe('ada@new.example.com')
    const hints = w.vendor.pendingWebhooks.flatMap(({ url, body }) => {
      const receipt = receive(raw(body, url), 's3cret')
      return receipt.kind === 'hints' ? receipt.hints : []
    })
    const ids = [...new Set(hints.map(({ id }) => id))]
    const seen = await w.members.fetch(w.io, ids)
    const id = admin.member('ada@new.example.com')?.contactId
    const present = seen.filter((o) => o.kind === 'present')
    expect(present.map((o) => o.id)).toEqual([id])
    expect(bodyOf(present[0])).toMatchObject({ status: 'unsubscribed', email_address: 'ada@new.example.com' })
    expect(seen).toContainEqual({ kind: 'absent', id: addressHash('ada@example.com') })
  })
})
