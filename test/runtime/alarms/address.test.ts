import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WebhookChannel } from '../../../src/core/alerts.ts'
import { freshSecret } from '../../../src/runtime/alerts/channels.ts'
import { isPublic, type Resolve } from '../../../src/runtime/alerts/public-address.ts'
import { postWebhook } from '../../../src/runtime/alerts/webhook.ts'
import { openReceiver } from './receiver.ts'

let receiver: Awaited<ReturnType<typeof openReceiver>>
beforeAll(async () => {
  receiver = await openReceiver()
})
afterAll(() => receiver.close())

const send = (url: string, options: Partial<WebhookChannel> = {}, resolve?: Resolve) => {
  const channel = {
    kind: 'webhook',
    name: 'ops',
    url,
    allowPrivate: false,
    events: [],
    kinds: null,
    ...options,
  } as const
  return postWebhook(channel, freshSecret(), { id: 'msg_1', body: '{}' }, Date.now(), resolve)
}

describe('addresses inside', () => {
  it.each([
    ['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ['169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '192.0.0.192'],
    [
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      'fc00::1',
      'ff02::1',
      '2001:db8::1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ],
    ['::ffff:127.0.0.1', '::ffff:169.254.169.254', '::ffff:10.0.0.1', '::ffff:7f00:1', 'fe80::1%eth0'],
    ['nonsense', ''],
  ])('%s … are told from public ones', (...addresses) => {
    expect(addresses.filter(isPublic)).toEqual([])
  })

  it('are not confused with public ones', () => {
    const open = [
      '8.8.8.8',
      '172.15.0.1',
      '172.32.0.1',
      '100.63.0.1',
      '2606:4700::1111',
      '2a00:1450::1',
      '::ffff:8.8.8.8',
    ]
    expect(open.filter((address) => !isPublic(address))).toEqual([])
  })
})

describe('a webhook is not sent', () => {
  it.each([
    'https://127.0.0.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'https://localhost/x',
  ])('to %s', async (url) => {
    expect(await send(url)).toMatchObject({
      kind: 'failed',
      problem: expect.stringContaining('allowPrivate'),
    })
  })

  it('to a name that resolves to an address inside, be it one of several', async () => {
    const answering =
      (...addresses: readonly string[]): Resolve =>
      (_, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        )
    for (const resolve of [answering('93.184.216.34', '10.0.0.1'), answering('::1')])
      expect(await send('https://hooks.example.com/x', {}, resolve)).toMatchObject({
        kind: 'failed',
        problem: expect.stringContaining('hooks.example.com is at'),
      })
    expect(await send('https://hooks.example.com/x', {}, answering())).toMatchObject({ kind: 'failed' })
  })

  it('in the clear, unless the admin says so', async () => {
    expect(await send(receiver.url)).toMatchObject({ problem: expect.stringContaining('not encrypted') })
    expect(receiver.received).toEqual([])
    expect(await send(receiver.url, { allowPrivate: true })).toEqual({ kind: 'sent' })
  })

  it('on to where a redirect leads', async () => {
    const count = receiver.received.length
    receiver.answers(({ path }) =>
      path === '/hook' ? { status: 307, headers: { location: '/elsewhere' } } : { status: 204 },
    )
    expect(await send(receiver.url, { allowPrivate: true })).toMatchObject({
      kind: 'failed',
      problem: expect.stringContaining('redirect'),
    })
    expect(receiver.received).toHaveLength(count + 1)
  })

  it('where nobody listens, and says why', async () => {
    const gone = await openReceiver()
    await gone.close()
    expect(await send(gone.url, { allowPrivate: true })).toMatchObject({
      kind: 'failed',
      problem: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
