import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tokenStore } from '../../src/runtime/client/token-store.ts'
import type { TokenStore } from '../../src/runtime/client/oauth.ts'
import { mergeSecrets, readConnection, readSecrets, saveConnection } from '../../src/store/connections.ts'
import { type Database, openDatabase, type Tx } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import {
  type Answer,
  failureFrom,
  networkError,
  OAUTH,
  ORIGIN,
  START,
  vendor,
  world,
} from './client-world.ts'

const vault = openVault(['a key for the tests only'])
const NAME = 'books'
const FIRST = {
  accessToken: 'access-0',
  refreshToken: 'refresh-0',
  clientId: 'client-1',
  clientSecret: 'hush-hush',
}
const connection = { name: NAME, connector: 'vendor', accountId: null, label: null, settings: {} }

let database: TestDatabase
let db: Database
beforeAll(async () => {
  database = await testDatabase()
  db = openDatabase(database.url)
})
afterAll(async () => {
  await db.close()
  await database.drop()
})
beforeEach(() => saveConnection(db.sql, vault, connection, FIRST))

const stored = () => readSecrets(db.sql, vault, NAME)
const store = () => tokenStore({ sql: db.sql, vault, connection: NAME })

/** A vendor whose refresh tokens work once, and whose first access token has run out. */
function rotating() {
  const state = {
    access: 'access-1',
    refresh: 'refresh-0',
    refreshes: 0,
    storedAtUse: [] as (string | undefined)[],
  }
  const answer: Answer = async ({ url, headers, body }) => {
    if (url !== OAUTH.tokenUrl) {
      if (headers.get('authorization') !== `Bearer ${state.access}`) return new Response('', { status: 401 })
      state.storedAtUse.push((await stored())['refreshToken'])
      return Response.json({})
    }
    const spent = new URLSearchParams(body).get('refresh_token')
    if (spent !== state.refresh) return Response.json({ error: 'invalid_grant' }, { status: 400 })
    state.refreshes += 1
    state.refresh = `refresh-${state.refreshes}`
    state.access = `access-${state.refreshes}`
    return Response.json({ access_token: state.access, refresh_token: state.refresh, expires_in: 3600 })
  }
  return { state, answer }
}

const client = (answer: Answer, tokens: TokenStore = store(), secrets: Record<string, string> = FIRST) =>
  world(answer, { connector: vendor({ auth: OAUTH }), secrets, tokens })

describe('an access token', () => {
  it('goes with every request, except where it has its own or wants none', async () => {
    const { io, seen } = client(() => Response.json({}))
    await io.fetch(ORIGIN)
    await io.fetch(ORIGIN, { headers: { authorization: 'Bearer own' } })
    await io.fetch(ORIGIN, { credentials: 'omit' })
    expect(seen.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer access-0',
      'Bearer own',
      null,
    ])
  })

  it('that is refused is refreshed once, and the request goes again, whatever its method', async () => {
    const { state, answer } = rotating()
    state.access = 'not yet'
    const { io, seen, log } = client(answer)
    expect((await io.fetch(ORIGIN, { method: 'POST', body: 'a' })).status).toBe(200)
    expect(seen.map(({ url, body }) => [url, body])).toEqual([
      [`${ORIGIN}/`, 'a'],
      [
        OAUTH.tokenUrl,
        'grant_type=refresh_token&refresh_token=refresh-0&client_id=client-1&client_secret=hush-hush',
      ],
      [`${ORIGIN}/`, 'a'],
    ])
    expect(await stored()).toMatchObject({
      accessToken: 'access-1',
      refreshToken: 'refresh-1',
      clientId: 'client-1',
    })
    expect(JSON.stringify(log)).not.toMatch(/refresh-|access-|hush/)
  })

  it('that is refused again is not refreshed again', async () => {
    const { state, answer } = rotating()
    const { io } = client((seen, count) =>
      seen.url === OAUTH.tokenUrl ? answer(seen, count) : new Response('', { status: 401 }),
    )
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'auth' })
    expect(state.refreshes).toBe(1)
  })

  it('is refreshed before it ends within a minute', async () => {
    const { state, answer } = rotating()
    const soon = client(answer, store(), { ...FIRST, expiresAt: String(START + 59_000) })
    await soon.io.fetch(ORIGIN)
    expect(soon.seen.map(({ url }) => url)).toEqual([OAUTH.tokenUrl, `${ORIGIN}/`])
    expect(state.refreshes).toBe(1)
    expect((await stored())['expiresAt']).toBe(String(START + 3_600_000))
    const later = client(() => Response.json({}), store(), { ...FIRST, expiresAt: String(START + 61_000) })
    await later.io.fetch(ORIGIN)
    expect(later.seen.map(({ url }) => url)).toEqual([`${ORIGIN}/`])
  })
})

describe('two clients of one connection', () => {
  it('refresh once between them, and store the rotated token before its first use', async () => {
    const { state, answer } = rotating()
    state.access = 'not yet'
    const [one, two] = [client(answer), client(answer)]
    const calls = [one, two, one, two].map(({ io }) => io.fetch(ORIGIN))
    expect((await Promise.all(calls)).map((response) => response.status)).toEqual([200, 200, 200, 200])
    expect(state.refreshes).toBe(1)
    expect(state.storedAtUse).toEqual(['refresh-1', 'refresh-1', 'refresh-1', 'refresh-1'])
  })
})

describe('a refreshed token', () => {
  it('survives a crash between the refresh and its use', async () => {
    const { state, answer } = rotating()
    state.access = 'not yet'
    const crashing: TokenStore = {
      async refresh(stale, refresh) {
        await store().refresh(stale, refresh)
        throw new Error('crashed')
      },
    }
    await expect(client(answer, crashing).io.fetch(ORIGIN)).rejects.toThrow('crashed')
    const next = client(answer, store(), { ...(await stored()) })
    expect((await next.io.fetch(ORIGIN)).status).toBe(200)
    expect(state.refreshes).toBe(1)
  })

  it('is kept until the database takes it, and not asked for twice', async () => {
    let isBroken = true
    const failing = {
      ...vault,
      seal(plain: string, context: string) {
        if (isBroken) throw new Error('disk full')
        return vault.seal(plain, context)
      },
    }
    const tokens = tokenStore({ sql: db.sql, vault: failing, connection: NAME })
    let asked = 0
    const refresh = async () => {
      asked += 1
      return { accessToken: 'access-1', refreshToken: 'refresh-1', expiresAt: null }
    }
    await expect(tokens.refresh('access-0', refresh)).rejects.toThrow('disk full')
    isBroken = false
    expect(await tokens.refresh('access-0', refresh)).toBe('access-1')
    expect([asked, (await stored())['refreshToken']]).toEqual([1, 'refresh-1'])
  })
})

describe('a refresh that fails', () => {
  const refusing: Answer = ({ url }) =>
    url === OAUTH.tokenUrl
      ? Response.json({ error: 'invalid_grant', error_description: 'revoked' }, { status: 400 })
      : new Response('', { status: 401 })

  it('for good marks the connection, says how to mend it, and deletes nothing', async () => {
    expect(await failureFrom(client(refusing).io.fetch(ORIGIN))).toMatchObject({ kind: 'auth' })
    const marked = await readConnection(db.sql, NAME)
    expect(marked).toMatchObject({ state: 'unauthorised' })
    expect(marked?.problem).toContain('invalid_grant, revoked')
    expect(await stored()).toEqual(FIRST)
  })

  it('while a person authorises again uses what they brought', async () => {
    let again: Promise<void> = Promise.resolve()
    const afterThem = {
      begin: (async (work: (tx: Tx) => Promise<unknown>) => {
        await again
        return db.sql.begin(work)
      }) as Database['sql']['begin'],
    }
    const tokens = tokenStore({ sql: afterThem, vault, connection: NAME })
    const { io } = client(({ url, headers }) => {
      if (url === OAUTH.tokenUrl) {
        // Waits for the row's lock, so it is done only after this refresh has failed.
        const brought = { ...FIRST, accessToken: 'access-9', refreshToken: 'refresh-9' }
        again = saveConnection(db.sql, vault, connection, brought)
        return Response.json({ error: 'invalid_grant' }, { status: 400 })
      }
      return headers.get('authorization') === 'Bearer access-9'
        ? Response.json({})
        : new Response('', { status: 401 })
    }, tokens)
    expect((await io.fetch(ORIGIN)).status).toBe(200)
    expect(await readConnection(db.sql, NAME)).toMatchObject({ state: 'ready' })
  })

  it.each([
    ['a lost reply', () => Promise.reject(networkError('ECONNRESET'))],
    ['a 503', () => new Response('', { status: 503 })],
  ])('by %s is not asked again where tokens rotate, and marks nothing', async (_, fail) => {
    const { io, seen } = client(({ url }) =>
      url === OAUTH.tokenUrl ? fail() : new Response('', { status: 401 }),
    )
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'unavailable', committed: 'unknown' })
    expect(seen).toHaveLength(2)
    expect(await readConnection(db.sql, NAME)).toMatchObject({ state: 'ready' })
  })

  it('before it left is asked again', async () => {
    const { answer } = rotating()
    let refused = 0
    const { io } = client((seen, count) => {
      if (seen.url === OAUTH.tokenUrl && refused++ < 2) throw networkError('ECONNREFUSED')
      return seen.headers.get('authorization') === 'Bearer access-0'
        ? new Response('', { status: 401 })
        : answer(seen, count)
    })
    expect((await io.fetch(ORIGIN)).status).toBe(200)
  })

  it('is asked again where tokens do not rotate', async () => {
    const { answer } = rotating()
    let lost = 0
    const { io } = world(
      (seen, count) => {
        if (seen.url === OAUTH.tokenUrl && lost++ === 0) throw networkError('ECONNRESET')
        return seen.headers.get('authorization') === 'Bearer access-0'
          ? new Response('', { status: 401 })
          : answer(seen, count)
      },
      { connector: vendor({ auth: { ...OAUTH, rotates: false } }), secrets: FIRST, tokens: store() },
    )
    expect((await io.fetch(ORIGIN)).status).toBe(200)
  })

  it('early leaves the token that still works in use', async () => {
    const { io } = client(
      ({ url }) => (url === OAUTH.tokenUrl ? new Response('', { status: 503 }) : Response.json({})),
      store(),
      { ...FIRST, expiresAt: String(START + 30_000) },
    )
    expect((await io.fetch(ORIGIN)).status).toBe(200)
  })

  it('for a connection without a refresh token asks for a new authorisation', async () => {
    await mergeSecrets(db.sql, vault, NAME, { accessToken: 'access-0' })
    await saveConnection(db.sql, vault, connection, { accessToken: 'access-0' })
    const failure = await failureFrom(client(refusing).io.fetch(ORIGIN))
    expect(failure).toMatchObject({ kind: 'auth' })
    expect(failure.message).toContain(`concord connections add ${NAME}`)
  })

  it.each([
    ['invalid_grant', 'authorise the connection again'],
    ['invalid_client', "copy the client's id and secret"],
    ['unauthorized_client', 'its scopes at the vendor'],
  ])('that is refused as %s tells what to do', async (error, fix) => {
    const { io } = client(({ url }) =>
      url === OAUTH.tokenUrl ? Response.json({ error }, { status: 400 }) : new Response('', { status: 401 }),
    )
    const { message } = await failureFrom(io.fetch(ORIGIN))
    expect(message).toContain(error)
    expect(message).toContain(fix)
    expect(message).toContain(`concord connections add ${NAME}`)
  })
})
