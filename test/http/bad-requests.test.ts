import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerOf, openApi, type Api } from './support.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api.close()
})

describe('who may call', () => {
  test.each([
    ['no token', {}, 'Bearer realm="concord"'],
    [
      'an unknown token',
      { authorization: 'Bearer concord_guess' },
      'Bearer realm="concord", error="invalid_token"',
    ],
    ['another scheme', { authorization: 'Basic dTpw' }, 'Bearer realm="concord", error="invalid_token"'],
    ['an empty token', { authorization: 'Bearer ' }, 'Bearer realm="concord", error="invalid_token"'],
  ])('%s: 401, for every address below /api', async (_, headers, challenge) => {
    for (const path of ['/api/contacts', '/api/deals/1/explain', '/api/inbox', '/api/nothing']) {
      const answer = await answerOf(await api.app.request(path, { headers }))
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, challenge])
    }
    expect((await answerOf(await api.app.request('/api/contacts', { method: 'POST', headers }))).status).toBe(
      401,
    )
  })

  test('no other site may read an answer, and no cache keeps it', async () => {
    const { headers } = await api.call('GET', '/api/contacts', undefined, { origin: 'https://evil.example' })
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('the caller’s request id comes back and is logged; a wild one is replaced', async () => {
    expect(
      (await api.call('GET', '/api/deals', undefined, { 'x-request-id': 'call-7' })).headers.get(
        'x-request-id',
      ),
    ).toBe('call-7')
    expect(api.logged.join('')).toContain('"requestId":"call-7"')
    const { headers } = await api.call('GET', '/api/deals', undefined, { 'x-request-id': 'a b"c' })
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
  })

  test('the log has neither tokens, queries nor bodies', async () => {
    await api.call('POST', '/api/contacts', { givenName: 'Secretive', emails: ['hush@example.com'] })
    await api.call('GET', '/api/contacts?email=hush@example.com')
    const log = api.logged.join('')
    expect(log).toContain('"path":"/api/contacts"')
    expect(log).toContain('"caller":"crm-import"')
    for (const secret of [api.token, 'hush', 'Secretive']) expect(log).not.toContain(secret)
  })
})

describe('bodies that cannot be read', () => {
  test.each([
    ['{"givenName": "Ada",}', 400, 'it breaks off at line 1, column 21'],
    ['{"givenName": "Ada"', 400, 'it breaks off at line 1, column 20'],
    ['', 400, 'line 1, column 1'],
    ['[]', 400, 'one JSON object'],
    ['"text"', 400, 'one JSON object'],
    [`{"givenName": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'nested deeper than 12 levels'],
    [`{"givenName": "${'x'.repeat(1_100_000)}"}`, 413, 'at most 1 MB'],
  ])('%#: %i', async (body, status, detail) => {
    for (const [method, path] of [
      ['POST', '/api/contacts'],
      ['PATCH', '/api/contacts/1'],
    ] as const) {
      const answer = await api.call(method, path, body)
      expect([answer.status, answer.body['status']]).toEqual([status, status])
      expect(answer.body['detail']).toContain(detail)
    }
  })

  test('bytes that are not UTF-8', async () => {
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
    const headers = { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' }
    const answer = await answerOf(await api.app.request('/api/contacts', { method: 'POST', body, headers }))
    expect([answer.status, answer.body['detail']]).toEqual([
      400,
      'The body is not UTF-8 text. Send JSON in UTF-8.',
    ])
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/merge-patch+json'])(
    '%s is not taken for JSON',
    async (type) => {
      const { status, body } = await api.call('POST', '/api/contacts', '{}', { 'content-type': type })
      expect(status).toBe(415)
      expect(body['detail']).toContain('Content-Type: application/json')
    },
  )
})

describe('values that are wrong', () => {
  const wrong = async (fields: Parameters<Api['call']>[2], place = 'contacts') => {
    const { status, body } = await api.call('POST', `/api/${place}`, fields)
    expect(status).toBe(422)
    return body['problems'] as { field: string; message: string }[]
  }

  test('all of them are named at once, unknown fields with what was probably meant', async () => {
    const problems = await wrong({
      givenNmae: 'Ada',
      emails: ['ada@'],
      birthday: '31 February',
      emailConsent: 'in',
    })
    expect(problems.map((p) => p.field)).toEqual(['givenNmae', 'emails', 'birthday', 'emailConsent'])
    expect(problems[0]?.message).toContain('Did you mean "givenName"?')
    expect(problems[3]?.message).toContain('computed by the hub')
  })

  test.each([
    ['deals', 'closeDate', '2026-02-30'],
    ['deals', 'amount', '1.234'],
    ['deals', 'amount', 12.5],
    ['deals', 'amount', { amount: 100, currency: 'XXXX' }],
    ['deals', 'contact', 999_999],
    ['deals', 'lines', [{ description: 'x' }]],
    ['contacts', 'emails', [{ a: 1 }]],
    ['contacts', 'givenName', 'x'.repeat(20_000)],
    ['contacts', 'address', { city: { a: 1 } }],
    ['companies', 'employees', '9'.repeat(400)],
    ['companies', 'constructor', 'x'],
    ['companies', 'toString', 'x'],
  ])('%s: %s', async (place, field, value) => {
    expect(await wrong({ [field]: value }, place)).toMatchObject([{ field }])
  })

  test('a record of nothing is none', async () => {
    expect(await wrong({})).toEqual([])
    expect(await wrong({ givenName: null })).toEqual([])
  })

  test('text that PostgreSQL would not take is made fit, and nothing fails', async () => {
    const body = '{"givenName": "A\\u0000da \\ud800", "custom.note": "\\udfff x"}'
    const { status, body: made } = await api.call('POST', '/api/contacts', body)
    expect(status).toBe(201)
    expect(made['fields']).toMatchObject({ givenName: 'Ada \ufffd', 'custom.note': '\ufffd x' })
  })

  test('numbers beyond every bound are refused', async () => {
    const { status } = await api.call('POST', '/api/companies', '{"employees": 1e400}')
    expect([400, 422]).toContain(status)
  })
})

describe('addresses with nothing behind them', () => {
  test.each([
    ['GET', '/api/contacts/0'],
    ['GET', '/api/contacts/abc'],
    ['GET', '/api/contacts/999999999999999'],
    ['PATCH', '/api/contacts/999999999999999'],
    ['DELETE', '/api/contacts/999999999999999'],
    ['GET', '/api/persons'],
    ['PUT', '/api/contacts/1'],
    ['GET', '/'],
    ['POST', '/api/inbox/1/approve'],
  ])('%s %s: 404', async (method, path) => {
    expect((await api.call(method, path, method === 'PATCH' ? {} : undefined)).status).toBe(404)
  })
})
