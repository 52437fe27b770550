import { createHmac } from 'node:crypto'
import { Hono } from 'hono'
import { faultMiddleware, faultSwitch } from '../../../src/sandbox/faults.ts'
import { rateLimit } from '../../../src/sandbox/rate-limit.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { RawRequest } from '../../../src/connectors/connector.ts'

export const KEY = 'r0l0dex-key'
export const PAGE = 20
const RETENTION = 10_000

type Person = { id: string; version: number; [field: string]: string | number | boolean }
type Refused = { status: 400 | 404 | 410 | 412; error: string; field?: string }

/** A vendor of its own making: people, changes by number, idempotency keys, If-Match, signed webhooks. */
export function createRolodex(now: () => number, perSecond: number) {
  const people = new Map<string, Person>()
  const log: string[] = []
  const answered = new Map<string, Person>()
  const hooks = new Map<string, string>()
  const pending: string[] = []
  let made = 0
  let oldest = 0

  const touch = (id: string) => {
    log.push(id)
    pending.push(JSON.stringify({ id: `evt-${log.length}`, type: 'person.changed', person: id }))
  }
  const refusalOf = (fields: JsonObject): Refused | null => {
    for (const [field, value] of Object.entries(fields)) {
      if (typeof value === 'string' && value.length > 500)
        return { status: 400, error: `${field} is too long`, field }
    }
    const { email } = fields
    const isBad = typeof email === 'string' && !email.includes('@')
    return isBad ? { status: 400, error: 'email is not an address', field: 'email' } : null
  }
  const write = (id: string, fields: JsonObject): Person => {
    const before = people.get(id)
    const merged: Person = { ...before, id, version: (before?.version ?? 0) + 1 }
    for (const [field, value] of Object.entries(fields)) {
      if (value === null) delete merged[field]
      else merged[field] = typeof value === 'object' ? JSON.stringify(value) : value
    }
    const same = JSON.stringify({ ...merged, version: 0 }) === JSON.stringify({ ...before, version: 0 })
    if (before !== undefined && same) return before
    people.set(id, merged)
    touch(id)
    return merged
  }
  const create = (fields: JsonObject) => write(`p-${String(++made).padStart(5, '0')}`, fields)

  const faults = faultSwitch()
  const limiter = rateLimit({ now, permits: perSecond, windowMs: 1000 })
  const app = new Hono()
  app.use(faultMiddleware(faults))
  app.use(async (c, next) =>
    c.req.header('authorization') === `Bearer ${KEY}` ? next() : c.json({ error: 'unknown key' }, 401),
  )
  app.use(limiter)
  const refuse = ({ status, ...said }: Refused) => Response.json(said, { status })
  const gone = (id: string) => refuse({ status: 404, error: `nobody is ${id}` })

  app.get('/me', (c) => c.json({ id: 'acc-1', name: 'Sandbox' }))
  app.get('/people', (c) => {
    const ref = c.req.query('ref')
    const all = [...people.values()].filter((person) => ref === undefined || person['ref'] === ref)
    const rest = all.filter(({ id }) => id > (c.req.query('after') ?? ''))
    const page = rest.slice(0, PAGE)
    return c.json({ people: page, next: rest.length > PAGE ? page.at(-1)?.id : null, seq: log.length })
  })
  app.get('/people/:id', (c) => {
    const person = people.get(c.req.param('id'))
    return person === undefined ? gone(c.req.param('id')) : c.json(person)
  })
  app.get('/changes', (c) => {
    const since = Number(c.req.query('since'))
    if (since < oldest) return refuse({ status: 410, error: 'these changes are no longer kept' })
    const seq = Math.min(log.length, since + PAGE)
    return c.json({ ids: [...new Set(log.slice(since, seq))], seq, more: seq < log.length })
  })
  app.post('/people', async (c) => {
    const key = c.req.header('idempotency-key') ?? ''
    const before = answered.get(key)
    if (before !== undefined) return c.json(before)
    const fields = await c.req.json<JsonObject>()
    const refused = refusalOf(fields)
    if (refused !== null) return refuse(refused)
    const person = create(fields)
    if (key !== '') answered.set(key, person)
    return c.json(person)
  })
  app.patch('/people/:id', async (c) => {
    const person = people.get(c.req.param('id'))
    if (person === undefined) return gone(c.req.param('id'))
    const match = c.req.header('if-match')
    if (match !== undefined && match !== String(person.version))
      return refuse({ status: 412, error: 'it changed' })
    const fields = await c.req.json<JsonObject>()
    const refused = refusalOf(fields)
    return refused === null ? c.json(write(person.id, fields)) : refuse(refused)
  })
  app.delete('/people/:id', (c) => {
    const { id } = c.req.param()
    if (!people.has(id)) return gone(id)
    people.delete(id)
    touch(id)
    return c.json({ id })
  })
  app.put('/webhook', async (c) => {
    const { url } = await c.req.json<{ url: string }>()
    const secret = hooks.get(url) ?? `whsec-${hooks.size + 1}`
    hooks.set(url, secret)
    return c.json({ secret })
  })

  return {
    app,
    faults,
    limiter,
    people,
    hooks,
    create,
    edit: write,
    remove(id: string) {
      people.delete(id)
      touch(id)
    },
    merge(from: string, into: string) {
      people.set(from, { id: from, version: (people.get(from)?.version ?? 0) + 1, mergedInto: into })
      touch(from)
    },
    expire() {
      oldest = log.length + RETENTION
      for (let i = 0; i < RETENTION; i++) log.push('p-none')
    },
    deliveries: (url: string): readonly RawRequest[] => {
      const secret = hooks.get(url)
      return pending
        .splice(0)
        .flatMap((body) => (secret === undefined ? [] : [sign(url, body, secret, now())]))
    },
  }
}

export function sign(url: string, body: string, secret: string, at: number): RawRequest {
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return {
    method: 'POST',
    url,
    headers: new Headers({ 'x-signature': `${at}.${signature}` }),
    body: new TextEncoder().encode(body),
  }
}
