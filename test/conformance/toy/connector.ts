import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import {
  type Connector,
  failureOf,
  type HttpReply,
  type Failure,
  type Io,
  type Observation,
  type Outcome,
  outcomeOf,
  type Page,
  type Receipt,
  type RawRequest,
  VendorError,
  type Write,
} from '../../../src/connectors/connector.ts'
import { retryAfter } from '../../../src/connectors/retry-after.ts'
import { quoted, sendable } from '../../../src/connectors/vendor-words.ts'
import { type Instant, type JsonObject, unreachable } from '../../../src/core/json.ts'

// 1. What the vendor answers, turned into types at the edge.
const person = z.record(z.string(), z.json()).and(z.object({ id: z.string(), version: z.number() }))
const listing = z.object({ people: z.array(person), next: z.string().nullable(), seq: z.number() })
const changes = z.object({ ids: z.array(z.string()), seq: z.number(), more: z.boolean() })
const cursor = z.discriminatedUnion('at', [
  z.object({ at: z.literal('listing'), after: z.string(), since: z.number() }),
  z.object({ at: z.literal('changes'), since: z.number() }),
])
const event = z.object({ id: z.string(), type: z.string(), person: z.string().optional() })

// 2. One request. `io.fetch` throws whatever is not 2xx, as what `classify` made of it.
async function ask<T>(
  io: Io,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  write?: Sending,
): Promise<T> {
  const key = io.secrets['apiKey'] ?? ''
  if (key === '') throw new VendorError({ kind: 'auth', message: 'There is no API key. Set apiKey to one.' })
  const { baseUrl } = io.settings
  if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl)) {
    const message = 'Set baseUrl to the address of your Rolodex.'
    throw new VendorError({ kind: 'rejected', code: 'settings', field: 'baseUrl', message })
  }
  const reply = await io.fetch(`${baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...write?.headers },
    ...(write?.body === undefined ? {} : { body: JSON.stringify(sendable(write.body)) }),
  })
  const text = await reply.text()
  const read = schema.safeParse(parsed(text))
  if (read.success) return read.data
  const committed = method === 'GET' ? 'no' : 'unknown'
  const message = `Rolodex answered ${method} ${path} with something else than it should.`
  throw new VendorError({ kind: 'malformed', committed, message })
}
type Sending = { readonly headers: Record<string, string>; readonly body?: JsonObject }

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function observe({ id, version, ...body }: z.output<typeof person>): Observation {
  // Who was merged into somebody else stays behind to say so.
  const { mergedInto } = body
  if (typeof mergedInto === 'string') return { kind: 'absent', id, mergedInto }
  return { kind: 'present', id, version: String(version), modifiedAt: null, body }
}

async function look(io: Io, id: string): Promise<Observation> {
  try {
    return observe(await ask(io, 'GET', `/people/${encodeURIComponent(id)}`, person))
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
    return { kind: 'absent', id }
  }
}

// 3. Reading: first everybody, then what changed since the listing began.
async function pull(io: Io, from: JsonObject | null): Promise<Page> {
  const at = from === null ? null : placeOf(from)
  if (at === null || at.at === 'listing') {
    const after = at === null ? '' : `?after=${encodeURIComponent(at.after)}`
    const { people, next, seq } = await ask(io, 'GET', `/people${after}`, listing)
    // The place in the changes is the one before the first page: what changes during the listing comes after it.
    const since = at === null ? seq : at.since
    const observations = people.map(observe)
    return next === null
      ? { observations, bad: [], cursor: { at: 'changes', since }, more: false, listed: 'everything' }
      : { observations, bad: [], cursor: { at: 'listing', after: next, since }, more: true }
  }
  const { ids, seq, more } = await ask(io, 'GET', `/changes?since=${at.since}`, changes)
  const observations = await Promise.all(ids.map((id) => look(io, id)))
  return { observations, bad: [], cursor: { at: 'changes', since: seq }, more }
}

function placeOf(from: JsonObject): z.output<typeof cursor> {
  const read = cursor.safeParse(from)
  if (read.success) return read.data
  throw new VendorError({ kind: 'cursor-expired', message: 'Not one of our cursors.' })
}

// 4. Writing: each write by itself, so that a bad one fails alone.
async function send(io: Io, write: Write): Promise<Outcome> {
  try {
    return await perform(io, write)
  } catch (error) {
    return outcomeOf(error)
  }
}

async function perform(io: Io, write: Write): Promise<Outcome> {
  const headers = { 'idempotency-key': write.key }
  switch (write.op) {
    case 'create': {
      const body = { ...write.body, ref: String(write.recordId) }
      return applied(observe(await ask(io, 'POST', '/people', person, { headers, body })))
    }
    case 'update':
    case 'consent': {
      const match = write.op === 'update' && write.version !== null ? { 'if-match': write.version } : {}
      const path = `/people/${encodeURIComponent(write.id)}`
      const sent = { headers: { ...headers, ...match }, body: write.patch }
      return applied(observe(await ask(io, 'PATCH', path, person, sent)))
    }
    case 'archive': {
      const path = `/people/${encodeURIComponent(write.id)}`
      await ask(io, 'PATCH', path, person, { headers, body: { archived: true } })
      return applied(await look(io, write.id))
    }
    default:
      return unreachable(write)
  }
}

// For good, at a person's own wish: one that is gone already is what was wanted.
async function erase(io: Io, id: string): Promise<Outcome> {
  try {
    await ask(io, 'DELETE', `/people/${encodeURIComponent(id)}`, z.object({ id: z.string() }))
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') return outcomeOf(error)
  }
  return applied({ kind: 'absent', id })
}

const applied = (observation: Observation): Outcome => ({ kind: 'applied', observation })

// 5. What a reply that is not 2xx means.
function classify({ status, headers, body, method }: HttpReply, now: Instant): Failure {
  const said = z.object({ error: z.string(), field: z.string().nullish() }).safeParse(parsed(body)).data
  const message = quoted(`Rolodex: ${said?.error ?? `it answered ${status}`}.`)
  if (status === 401) return { kind: 'auth', message: `${message} Copy a current API key from your Rolodex.` }
  if (status === 404) return { kind: 'missing', message }
  if (status === 410) return { kind: 'cursor-expired', message }
  if (status === 412) return { kind: 'stale', message }
  if (status === 429) return { kind: 'throttled', retryAt: retryAfter(headers, now) ?? now + 1000, message }
  if (status >= 500) return { kind: 'unavailable', committed: method === 'GET' ? 'no' : 'unknown', message }
  const field = said?.field ?? null
  const fix = field === null ? 'Correct the record.' : `Correct ${field} in the record.`
  return { kind: 'rejected', code: String(status), field, message: `${message} ${fix}` }
}

// 6. Webhooks: `x-signature: <milliseconds>.<HMAC of milliseconds.body>`.
const TOLERANCE_MS = 300_000

function receive(raw: RawRequest, secret: string, now: Instant): Receipt {
  const [sentAt = '', given = ''] = (raw.headers.get('x-signature') ?? '').split('.')
  const expected = createHmac('sha256', secret).update(`${sentAt}.`).update(raw.body).digest()
  const signature = Buffer.from(given, 'hex')
  if (secret === '' || signature.length !== expected.length || !timingSafeEqual(signature, expected))
    return { kind: 'refused', status: 401, reason: 'The signature is missing or wrong.' }
  if (!(Math.abs(now - Number(sentAt)) <= TOLERANCE_MS))
    return { kind: 'refused', status: 400, reason: 'It was sent too long ago, or lies in the future.' }
  const read = event.safeParse(parsed(new TextDecoder().decode(raw.body)))
  if (!read.success) return { kind: 'refused', status: 400, reason: 'The body is not an event.' }
  const { id, type, person: about } = read.data
  const isKnown = about !== undefined && type === 'person.changed'
  return {
    kind: 'hints',
    eventId: id,
    hints: isKnown ? [{ resource: 'people', id: about }] : [],
    status: 200,
  }
}

// 7. All of it, as data and a few functions.
export const rolodex: Connector = {
  id: 'rolodex',
  auth: { kind: 'apiKey', fields: ['apiKey'] },
  limits: [{ permits: 50, windowMs: 1000 }],
  resources: {
    people: {
      deletes: 'reported',
      discover: async () =>
        ['name', 'email', 'phone', 'note'].map((path) => ({ path, label: path, required: false })),
      pull,
      fetch: (io, ids) => Promise.all([...new Set(ids)].map((id) => look(io, id))),
      push: {
        batchMax: 20,
        dedupe: { kind: 'key', keyLivesMs: 86_400_000 },
        send: (io, writes) => Promise.all(writes.map((write) => send(io, write))),
        find: (io, creates) =>
          Promise.all(
            creates.map(async ({ recordId }) => {
              const found = await ask(io, 'GET', `/people?ref=${recordId}`, listing)
              return found.people.map(observe)[0] ?? null
            }),
          ),
        erase: (io, ids) => Promise.all(ids.map((id) => erase(io, id))),
      },
    },
  },
  webhooks: {
    receive,
    async subscribe(io, url) {
      const write = { headers: { 'idempotency-key': url }, body: { url } }
      const { secret } = await ask(io, 'PUT', '/webhook', z.object({ secret: z.string() }), write)
      return { secret, renewBefore: null }
    },
  },
  async check(io) {
    const me = await ask(io, 'GET', '/me', z.object({ id: z.string(), name: z.string() }))
    return { accountId: me.id, label: me.name }
  },
  classify,
}
