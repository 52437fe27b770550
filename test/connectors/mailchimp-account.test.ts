import { describe, expect, test } from 'vitest'
import type { HttpReply } from '../../src/connectors/connector.ts'
import { classify } from '../../src/connectors/mailchimp/classify.ts'
import { mailchimp } from '../../src/connectors/mailchimp/index.ts'
import { accountOf } from '../../src/connectors/mailchimp/settings.ts'
import { handMade, T0, world } from './mailchimp.support.ts'

function reply(
  status: number,
  body: unknown = '',
  headers: Record<string, string> = {},
  method = 'GET',
): HttpReply {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    status,
    headers: new Headers(headers),
    body: text,
    method,
    url: 'https://us1.api.mailchimp.com/3.0/',
  }
}

describe('what a reply means', () => {
  test('401, and 403 in words, are about the key', () => {
    expect(classify(reply(401, { title: 'API Key Invalid' }), T0).kind).toBe('auth')
    expect(classify(reply(403, { title: 'Forbidden', detail: 'No.' }), T0).kind).toBe('auth')
  })

  test('a bare 403 is load', () => {
    expect(classify(reply(403, '<html></html>'), T0)).toMatchObject({
      kind: 'throttled',
      retryAt: T0 + 30_000,
    })
  })

  test.each([
    ['120', T0 + 120_000],
    [new Date(T0 + 60_000).toUTCString(), T0 + 60_000],
    [new Date(T0 - 60_000).toUTCString(), T0],
    ['', T0 + 5_000],
    ['soon', T0 + 5_000],
    ['2 minutes', T0 + 5_000],
    ['1.5', T0 + 1_500],
  ])('429 with Retry-After %j', (after, retryAt) => {
    expect(classify(reply(429, '', { 'retry-after': after }), T0)).toMatchObject({
      kind: 'throttled',
      retryAt,
    })
  })

  test('404 is missing', () => {
    expect(classify(reply(404, { title: 'Resource Not Found' }), T0).kind).toBe('missing')
  })

  test.each([500, 502, 503, 504])('%i may have been carried out, unless it only read', (status) => {
    expect(classify(reply(status, '', {}, 'GET'), T0)).toMatchObject({ kind: 'unavailable', committed: 'no' })
    expect(classify(reply(status, '', {}, 'PUT'), T0)).toMatchObject({
      kind: 'unavailable',
      committed: 'unknown',
    })
  })

  test('400 names the field and says what to do', () => {
    const problem = {
      title: 'Invalid Resource',
      detail: 'Your merge fields were invalid.',
      errors: [{ field: 'PHONE', message: 'Please enter a phone number' }],
    }
    expect(classify(reply(400, problem), T0)).toMatchObject({
      kind: 'rejected',
      code: 'Invalid Resource',
      field: 'merge_fields.PHONE',
      message: expect.stringContaining('PHONE: Please enter a phone number'),
    })
  })

  test('an address the vendor distrusts is a matter of the address', () => {
    const detail = 'a@a.a looks fake or invalid, please enter a real email address.'
    expect(classify(reply(400, { title: 'Invalid Resource', detail }), T0)).toMatchObject({
      kind: 'rejected',
      field: 'email_address',
      message: expect.stringContaining("Correct the record's email address"),
    })
  })

  test('a refusal without words is still a refusal', () => {
    expect(classify(reply(422), T0)).toMatchObject({ kind: 'rejected', code: 'HTTP 422', field: null })
  })
})

describe('where requests go', () => {
  const io = (apiKey: string, settings = {}) => ({
    ...handMade(() => new Response()),
    secrets: { apiKey },
    settings,
  })
  const failing = (apiKey: string, settings = {}) => {
    try {
      accountOf(io(apiKey, settings))
    } catch (error) {
      return error
    }
    throw new Error('It did not fail')
  }

  test('to the data centre the key names', () => {
    expect(accountOf(io('0123abc-us21')).baseUrl).toBe('https://us21.api.mailchimp.com')
  })

  test.each(['', '0123abc', '0123-us1.evil.com/', '0123-evil.com'])('a key like %j is refused', (key) => {
    expect(failing(key)).toMatchObject({ failure: { kind: 'auth' } })
  })

  test('a base URL may stand in for the data centre', () => {
    expect(accountOf(io('plain', { baseUrl: 'https://proxy.example.com/mc/' })).baseUrl).toBe(
      'https://proxy.example.com/mc',
    )
    for (const host of ['127.0.0.1:80', 'localhost:4010', '[::1]:4010']) {
      expect(accountOf(io('plain', { baseUrl: `http://${host}` })).baseUrl).toContain('http://')
    }
  })

  test.each(['http://mailchimp.example.com', 'http://127.0.0.1.evil.com', 'ftp://localhost', 'nonsense', 7])(
    'the key is not sent to %j',
    (baseUrl) => {
      expect(failing('plain-us1', { baseUrl })).toMatchObject({
        failure: { kind: 'rejected', field: 'baseUrl' },
      })
    },
  )
})

describe('check', () => {
  test('names the account and the audience', async () => {
    const w = world()
    const checked = await w.connector.check(w.io)
    expect(checked).toEqual({ accountId: w.vendor.state.accountId, label: 'Sandbox Ltd (Newsletter)' })
  })

  test.each(['', 'wrong'])('with the audience %j says which there are', async (list) => {
    const w = world({ settings: { list } })
    await expect(w.connector.check(w.io)).rejects.toMatchObject({
      failure: {
        kind: 'rejected',
        field: 'list',
        message: expect.stringContaining(`${w.vendor.audience.id} (Newsletter)`),
      },
    })
  })

  test('a wrong key is a matter of auth', async () => {
    const w = world()
    const io = { ...w.io, secrets: { apiKey: 'wrong-us1' } }
    await expect(w.connector.check(io)).rejects.toMatchObject({ failure: { kind: 'auth' } })
  })

  test('a page of HTML with status 200 is no answer', async () => {
    const w = world()
    w.vendor.faults.plan = () => ({ kind: 'html' })
    await expect(w.connector.check(w.io)).rejects.toMatchObject({
      failure: { kind: 'malformed', committed: 'no' },
    })
  })
})

test('the connector says of itself what the runtime needs', () => {
  expect(mailchimp).toMatchObject({
    id: 'mailchimp',
    auth: { kind: 'apiKey', fields: ['apiKey'] },
    limits: [{ concurrent: 10 }],
    resources: {
      members: { deletes: 'swept', push: { batchMax: 500, dedupe: { kind: 'upsert', by: 'key' } } },
    },
  })
})
