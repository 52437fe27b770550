import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import {
  type BadRow,
  type Connector,
  type Cursor,
  failureOf,
  type Failure,
  type HttpReply,
  type Io,
  type RawRequest,
  type Receipt,
  type RemoteId,
  VendorError,
  type WebhookContext,
} from '../../../src/connectors/connector.ts'
import type { MailAsk, MailPage, Sighting } from '../../../src/connectors/mail.ts'
import { parseMail, UnreadableMail } from '../../../src/connectors/mime/parse.ts'
import { retryAfter } from '../../../src/connectors/retry-after.ts'
import type { Instant, Json } from '../../../src/core/json.ts'
import type { Mailbox } from '../../../src/core/mail/message.ts'

const boxes = z.array(z.object({ address: z.string() }))
const flag = z.enum(['draft', 'sent', 'spam', 'trash']).nullable()
const kept = z.object({ id: z.string(), at: z.number(), raw: z.string(), labels: z.array(z.string()), flag })
const listed = z.object({ id: z.string(), number: z.number(), at: z.number(), marked: z.boolean() })
const listing = z.object({ letters: z.array(listed), more: z.boolean(), total: z.number() })
const changes = z.object({ ids: z.array(z.string()), seq: z.number(), more: z.boolean() })
const watch = z.object({ until: z.number() })
const notice = z.object({ event: z.string(), box: z.string(), kind: z.string() })

// 1. The cursor holds both ways of reading: `since` is the place in the changes, `below` that of the backfill.
const place = z.object({
  since: z.number(),
  below: z.number().nullable(),
  listed: z.number(),
  total: z.number(),
})
type Place = z.output<typeof place>

async function ask<T>(
  io: Io,
  path: string,
  schema: z.ZodType<T>,
  init: Parameters<Io['fetch']>[1] = {},
): Promise<T> {
  const { baseUrl } = io.settings
  if (typeof baseUrl !== 'string') {
    const message = 'Set baseUrl to the address of your loft.'
    throw new VendorError({ kind: 'rejected', code: 'settings', field: 'baseUrl', message })
  }
  const headers = { authorization: `Bearer ${io.secrets['token'] ?? ''}`, 'content-type': 'application/json' }
  const reply = await io.fetch(`${baseUrl}${path}`, { ...init, headers })
  const read = schema.safeParse(await reply.json().catch(() => null))
  if (read.success) return read.data
  throw new VendorError({ kind: 'malformed', committed: 'no', message: `Pigeons: ${path} cannot be read.` })
}

const textOf = (setting: Json | undefined) => (typeof setting === 'string' ? setting : '')
const home = ({ id }: Mailbox) => `/boxes/${encodeURIComponent(id)}`

// 2. A page. With no cursor, or one that is forgotten, the place is taken before anything is listed.
async function pull(io: Io, mailbox: Mailbox, from: Cursor | null, asked: MailAsk): Promise<MailPage> {
  const at = place.safeParse(from).data ?? null
  if (at === null) return page({ sightings: [], bad: [] }, await begin(io, mailbox), asked, false)
  return asked.want === 'live' ? live(io, mailbox, at, asked) : backfill(io, mailbox, at, asked)
}

async function begin(io: Io, mailbox: Mailbox): Promise<Place> {
  const { seq } = await ask(io, `${home(mailbox)}/changes`, changes)
  return { since: seq, below: Number.MAX_SAFE_INTEGER, listed: 0, total: 0 }
}

async function live(io: Io, mailbox: Mailbox, at: Place, asked: MailAsk): Promise<MailPage> {
  try {
    const { ids, seq, more } = await ask(io, `${home(mailbox)}/changes?since=${at.since}`, changes)
    return page(await readAll(io, mailbox, ids, 'auto'), { ...at, since: seq }, asked, more)
  } catch (error) {
    if (failureOf(error)?.kind !== 'cursor-expired') throw error
    return page({ sightings: [], bad: [] }, await begin(io, mailbox), asked, false)
  }
}

async function backfill(io: Io, mailbox: Mailbox, at: Place, asked: MailAsk): Promise<MailPage> {
  if (at.below === null) return page({ sightings: [], bad: [] }, at, asked, false)
  const path = `${home(mailbox)}/letters?below=${at.below}`
  const { letters, more, total } = await ask(io, path, listing, { priority: 'low' })
  const known = await asked.known(letters.map(({ id }) => id))
  // What is labelled or flagged may have become so while nobody looked: it is read again, though it is known.
  const wanted = letters.filter((one) => one.at >= (asked.since ?? 0) && (one.marked || !known.has(one.id)))
  const read = await readAll(
    io,
    mailbox,
    wanted.map(({ id }) => id),
    'low',
  )
  const below = more ? (letters.at(-1)?.number ?? null) : null
  return page(read, { ...at, below, listed: at.listed + letters.length, total }, asked, below !== null)
}

type Read = Pick<MailPage, 'sightings' | 'bad'>

function page(read: Read, at: Place, { want }: MailAsk, more: boolean): MailPage {
  const total = Math.max(at.total, at.listed)
  const waiting = {
    kind: 'waiting',
    listed: at.listed,
    total: want === 'live' && at.total === 0 ? null : total,
  } as const
  return { ...read, cursor: at, more, backfill: at.below === null ? { kind: 'done' } : waiting }
}

// 3. Each letter by itself, so that one that cannot be read is bad alone, and one that is deleted is gone.
async function readAll(
  io: Io,
  mailbox: Mailbox,
  ids: readonly RemoteId[],
  priority: 'low' | 'auto',
): Promise<Read> {
  const rows = await Promise.all([...new Set(ids)].map((id) => readOne(io, mailbox, id, priority)))
  return {
    sightings: rows.flatMap((row) => ('kind' in row ? [row] : [])),
    bad: rows.flatMap((row) => ('kind' in row ? [] : [row])),
  }
}

async function readOne(
  io: Io,
  mailbox: Mailbox,
  id: RemoteId,
  priority: 'low' | 'auto',
): Promise<Sighting | BadRow> {
  try {
    const letter = await ask(io, `${home(mailbox)}/letters/${encodeURIComponent(id)}`, kept, { priority })
    const { message } = await parseMail(new TextEncoder().encode(letter.raw), letter.at)
    const flags = letter.flag === null ? [] : [letter.flag]
    return { kind: 'message', id, sighted: { message, flags, labels: letter.labels } }
  } catch (error) {
    if (failureOf(error)?.kind === 'missing') return { kind: 'gone', id }
    if (!(error instanceof UnreadableMail)) throw error
    return { where: `letter ${id}`, id, problem: error.message, raw: '' }
  }
}

// 4. Notices: tokens, signed with the vendor's keys and made out to this hub.
async function receive(
  raw: RawRequest,
  _secret: string,
  now: Instant,
  context: WebhookContext,
): Promise<Receipt> {
  const keys = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) }).safeParse(context.keys)
  if (!keys.success) return { kind: 'refused', status: 401, reason: 'There are no keys to verify it with.' }
  try {
    const token = new TextDecoder().decode(raw.body)
    const audience = textOf(context.settings['webhookUrl'])
    const options = { audience, algorithms: ['RS256'], currentDate: new Date(now), requiredClaims: ['exp'] }
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.data), options)
    const { event, box, kind } = notice.parse(payload)
    const hints = [{ resource: kind === 'lapsed' ? 'mail/subscription' : 'mail', id: box }]
    return { kind: 'hints', eventId: event, hints, status: 200 }
  } catch (error) {
    if (!(error instanceof errors.JOSEError) && !(error instanceof z.ZodError)) throw error
    return { kind: 'refused', status: 401, reason: `It cannot be trusted: ${error.name}.` }
  }
}

function classify({ status, headers, method }: HttpReply, now: Instant): Failure {
  const message = `Pigeons answered ${status}.`
  if (status === 401) return { kind: 'auth', message: `${message} Copy a current token from your loft.` }
  if (status === 404) return { kind: 'missing', message }
  if (status === 410) return { kind: 'cursor-expired', message }
  if (status === 429) return { kind: 'throttled', retryAt: retryAfter(headers, now) ?? now + 1000, message }
  if (status >= 500) return { kind: 'unavailable', committed: method === 'GET' ? 'no' : 'unknown', message }
  return { kind: 'rejected', code: String(status), field: null, message }
}

// 5. All of it. There are no resources: mail is a capability of its own.
export const pigeons: Connector = {
  id: 'pigeons',
  auth: { kind: 'apiKey', fields: ['token'] },
  limits: [{ permits: 600, windowMs: 60_000 }],
  resources: {},
  mail: {
    async mailboxes(io) {
      const all = await ask(io, '/boxes', boxes)
      return all.map(({ address }) => ({ id: address, address, addresses: [address] }))
    },
    pull,
    fetch: (io, mailbox, ids) => readAll(io, mailbox, ids, 'auto'),
    async subscribe(io, mailbox, _kept, { url }) {
      if (url === null) return null
      const body = JSON.stringify({ url })
      const { until } = await ask(io, `${home(mailbox)}/watch`, watch, { method: 'PUT', body })
      return { kept: null, renewBefore: until }
    },
  },
  meter: ({ url }) => ({ key: url.pathname.split('/')[2] ?? '', units: 1 }),
  webhooks: { keysUrl: 'https://pigeons.example/keys', receive },
  async check(io) {
    const [first] = await ask(io, '/boxes', boxes)
    return { accountId: first?.address ?? 'empty', label: first?.address ?? 'an empty loft' }
  },
  classify,
}
