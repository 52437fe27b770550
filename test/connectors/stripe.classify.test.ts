import { describe, expect, it } from 'vitest'
import { classify } from '../../src/connectors/stripe/classify.ts'
import { T0 } from './stripe.support.ts'

const reply = (
  status: number,
  error: object | string = {},
  headers: Record<string, string> = {},
  method = 'POST',
) =>
  classify(
    {
      status,
      headers: new Headers(headers),
      body: typeof error === 'string' ? error : JSON.stringify({ error }),
      method,
      url: 'https://api.stripe.com/v1/customers',
    },
    T0,
  )

describe('what Stripe answers', () => {
  it.each([401, 403])('is about the key: %d', (status) => {
    expect(reply(status, { code: 'api_key_expired' })).toMatchObject({ kind: 'auth' })
  })

  it('waits as long as Retry-After says, in seconds or as a date, and a second where it says nothing', () => {
    expect(reply(429, {}, { 'retry-after': '7' })).toMatchObject({ kind: 'throttled', retryAt: T0 + 7000 })
    const date = new Date(T0 + 90_000).toUTCString()
    expect(reply(429, {}, { 'retry-after': date })).toMatchObject({ retryAt: T0 + 90_000 })
    expect(reply(429)).toMatchObject({ retryAt: T0 + 1000 })
    expect(reply(429, {}, { 'retry-after': 'soon' })).toMatchObject({ retryAt: T0 + 1000 })
  })

  it.each([
    [409, 'lock_timeout', 'invalid_request_error'],
    [429, 'lock_timeout', 'invalid_request_error'],
    [409, 'idempotency_key_in_use', 'idempotency_error'],
  ])('is tried again: %d %s', (status, code, type) => {
    expect(reply(status, { code, type })).toMatchObject({ kind: 'throttled' })
  })

  it('names the code and the parameter of a refusal', () => {
    expect(reply(400, { code: 'email_invalid', param: 'email', message: 'Invalid email' })).toEqual({
      kind: 'rejected',
      code: 'email_invalid',
      field: 'email',
      message: 'Invalid email. Correct email in the record.',
    })
    expect(reply(402, { code: 'card_declined', type: 'card_error' })).toMatchObject({ code: 'card_declined' })
    expect(reply(400, {})).toMatchObject({ kind: 'rejected', code: '400', field: null })
  })

  it.each(['soon', '2 minutes', '-5', ''])('does not hurry for a Retry-After of %j', (header) => {
    const failure = reply(429, '', { 'retry-after': header })
    expect(failure).toMatchObject({ kind: 'throttled', retryAt: expect.any(Number) })
    expect(failure.kind === 'throttled' && failure.retryAt).toBe(T0 + 1000)
  })

  it('does not repeat the megabytes that a vendor repeats', () => {
    expect(reply(400, { message: 'x'.repeat(1_000_000) }).message.length).toBeLessThan(1_000)
  })

  it('tells a key used twice apart from a refusal', () => {
    expect(reply(400, { type: 'idempotency_error' })).toMatchObject({
      kind: 'rejected',
      code: 'idempotency_error',
    })
  })

  it('tells a missing object from a missing reference', () => {
    expect(reply(404, { code: 'resource_missing', param: 'id' })).toMatchObject({ kind: 'missing' })
    expect(reply(400, { code: 'resource_missing', param: 'customer' })).toMatchObject({
      kind: 'rejected',
      code: 'resource_missing',
      field: 'customer',
    })
  })

  it.each([500, 502, 503, 504])(
    'never concludes from a %d, replayed or not, whether a write happened',
    (status) => {
      expect(reply(status, '<html>')).toMatchObject({ kind: 'unavailable', committed: 'unknown' })
      expect(reply(status, {}, { 'idempotent-replayed': 'true' })).toMatchObject({ committed: 'unknown' })
      expect(reply(status, '', {}, 'GET')).toMatchObject({ kind: 'unavailable', committed: 'no' })
    },
  )

  it('keeps the request id for whoever asks Stripe about it', () => {
    expect(reply(500, { message: 'Oops' }, { 'request-id': 'req_1' }).message).toBe('Oops (req_1)')
  })
})
