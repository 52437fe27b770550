import { describe, expect, it } from 'vitest'
import { gmail } from '../../src/connectors/gmail/index.ts'
import { T0 } from './gmail.support.ts'

type Said = { reason?: string; message?: string; detail?: string }
function classify(
  status: number,
  said: Said | string | null,
  headers: Record<string, string> = {},
  method = 'GET',
) {
  const error = typeof said === 'object' && said !== null ? said : {}
  const body =
    typeof said === 'string'
      ? said
      : said === null
        ? ''
        : JSON.stringify({
            error: {
              code: status,
              message: error.message ?? 'Said by Google.',
              errors: error.reason === undefined ? [] : [{ domain: 'global', reason: error.reason }],
              ...(error.detail === undefined
                ? {}
                : { details: [{ '@type': 'ErrorInfo', reason: error.detail }] }),
            },
          })
  const url = 'https://gmail.googleapis.com/gmail/v1/users/me/messages/1'
  return gmail.classify({ status, headers: new Headers(headers), body, method, url }, T0)
}

describe('a refusal of Google', () => {
  it.each([
    [403, { reason: 'rateLimitExceeded' }, 'throttled'],
    [403, { reason: 'userRateLimitExceeded' }, 'throttled'],
    [403, { detail: 'RATE_LIMIT_EXCEEDED' }, 'throttled'],
    [403, { reason: 'dailyLimitExceeded' }, 'throttled'],
    [429, { reason: 'rateLimitExceeded' }, 'throttled'],
    [429, 'Too many', 'throttled'],
    [403, { reason: 'insufficientPermissions' }, 'auth'],
    [403, { detail: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }, 'auth'],
    [403, { reason: 'accessNotConfigured', detail: 'SERVICE_DISABLED' }, 'auth'],
    [403, { reason: 'domainPolicy' }, 'auth'],
    [403, { reason: 'forbidden', message: 'Delegation denied for ann@acme.example' }, 'auth'],
    [403, { reason: 'forbidden' }, 'rejected'],
    [403, '<html>', 'rejected'],
    [401, { reason: 'authError' }, 'auth'],
    [404, { reason: 'notFound' }, 'missing'],
    [404, '<html>Error 404</html>', 'malformed'],
    [404, null, 'malformed'],
    [400, { reason: 'failedPrecondition' }, 'rejected'],
    [400, { reason: 'invalidArgument' }, 'rejected'],
    [400, '<html>', 'malformed'],
    [408, null, 'unavailable'],
    [500, { reason: 'backendError' }, 'unavailable'],
    [503, '<html>', 'unavailable'],
    [302, null, 'malformed'],
  ])('%d %j is %s', (status, said, kind) => {
    expect(classify(status, said).kind).toBe(kind)
  })

  it('is waited out as long as it says, in a header or in words', () => {
    expect(classify(429, null, { 'retry-after': '30' })).toMatchObject({ retryAt: T0 + 30_000 })
    const message = 'User-rate limit exceeded.  Retry after 2026-06-01T09:12:00.500Z'
    expect(classify(429, { reason: 'rateLimitExceeded', message })).toMatchObject({
      retryAt: Date.parse('2026-06-01T09:12:00.500Z'),
    })
    expect(classify(429, { message: 'Retry after 2020-01-01T00:00:00Z' })).toMatchObject({ retryAt: T0 })
    expect(classify(403, { reason: 'userRateLimitExceeded' })).toMatchObject({ retryAt: T0 + 5_000 })
    expect(classify(403, { reason: 'dailyLimitExceeded' })).toMatchObject({ retryAt: T0 + 3_600_000 })
  })

  it.each([
    [403, { reason: 'accessNotConfigured' }, /Enable this API/],
    [403, { reason: 'insufficientPermissions' }, /docs\/connect-gmail\.md/],
    [403, { reason: 'domainPolicy' }, /Admin console/],
    [403, { reason: 'forbidden', message: 'Delegation denied for x' }, /domain-wide authority/],
    [400, { reason: 'failedPrecondition' }, /licence/],
    [401, { reason: 'authError' }, /Authorise the connection again/],
  ])('%d %j says what an administrator can do', (status, said, words) => {
    expect(classify(status, said).message).toMatch(words)
  })

  it('leaves open whether a request other than a read was carried out', () => {
    expect(classify(503, null, {}, 'POST')).toMatchObject({ committed: 'unknown' })
    expect(classify(503, null)).toMatchObject({ committed: 'no' })
  })
})

describe('what a request costs', () => {
  const cost = (path: string, method = 'GET') =>
    gmail.meter?.({ method, url: new URL(`https://gmail.googleapis.com${path}`), user: null })

  it.each([
    ['GET', '/messages/18f?format=raw', 20],
    ['GET', '/messages?q=in:inbox', 5],
    ['GET', '/history?startHistoryId=1', 2],
    ['GET', '/labels', 1],
    ['GET', '/profile', 1],
    ['GET', '/settings/sendAs', 1],
    ['POST', '/watch', 100],
    ['POST', '/messages/18f', 100],
    ['GET', '/anything', 100],
  ])('%s %s is %d units of the mailbox', (method, path, units) => {
    expect(cost(`/gmail/v1/users/Ann%40acme.example${path}`, method)).toEqual({
      key: 'ann@acme.example',
      units,
    })
  })

  it('is counted for somebody whatever the address is', () => {
    expect(cost('/gmail/v1/users/%E0%A4%A/messages')).toEqual({ key: '%e0%a4%a', units: 5 })
    expect(cost('/elsewhere')).toEqual({ key: '', units: 100 })
    expect(cost('/admin/directory/v1/users?customer=my_customer')).toEqual({ key: 'directory', units: 3 })
  })
})
