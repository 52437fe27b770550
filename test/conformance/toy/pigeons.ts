import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { Hono } from 'hono'
import type { RawRequest } from '../../../src/connectors/connector.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { MailFlag } from '../../../src/core/mail/message.ts'
import { faultMiddleware, faultSwitch } from '../../../src/sandbox/faults.ts'
import { compose, type Letter, withoutBcc } from '../../../src/sandbox/mail/letter.ts'

export const TOKEN = 'c0o-c0o-c0o'
export const HOOK = 'https://hub.example/webhooks/pigeons'
const LISTED = 10
const CHANGES = 25
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const KEYS = generateKeyPair('RS256', { extractable: true })

type Kept = {
  readonly id: string
  readonly number: number
  readonly at: number
  readonly raw: string
  readonly labels: readonly string[]
  readonly flag: MailFlag | null
  readonly seen: boolean
}
type Loft = { readonly letters: Map<string, Kept>; readonly log: string[]; oldest: number }

/** A mail host of its own making: letters by number, changes by number, subscriptions, notices signed with its keys. */
export function createPigeons(now: () => number, addresses: readonly string[]) {
  const lofts = new Map<string, Loft>(
    addresses.map((one) => [one, { letters: new Map(), log: [], oldest: 0 }]),
  )
  const watches = new Map<string, { readonly url: string; readonly box: string; readonly until: number }>()
  const pending: { readonly url: string; readonly body: JsonObject }[] = []
  let made = 0
  let events = 0

  const loft = (box: string): Loft => {
    const found = lofts.get(box)
    if (found === undefined) throw new Error(`No box ${box}`)
    return found
  }
  const tell = (box: string, kind: string) => {
    for (const watch of watches.values())
      if (watch.box === box && watch.until > now())
        pending.push({ url: watch.url, body: { event: `e${++events}`, box, kind } })
  }
  const put = (box: string, kept: Kept) => {
    loft(box).letters.set(kept.id, kept)
    loft(box).log.push(kept.id)
    tell(box, 'changed')
    return kept.id
  }
  const change = (box: string, id: string, over: Partial<Kept>) => {
    const before = loft(box).letters.get(id)
    if (before === undefined) throw new Error(`No letter ${id}`)
    return put(box, { ...before, ...over })
  }
  const arrive = (box: string, raw: string, flag: MailFlag | null, at = now()) =>
    put(box, { id: `l${++made}`, number: made, at, raw, labels: [], flag, seen: false })

  const faults = faultSwitch()
  const app = new Hono()
  app.use(faultMiddleware(faults))
  app.use(async (c, next) =>
    c.req.header('authorization') === `Bearer ${TOKEN}` ? next() : c.json({ error: 'unknown token' }, 401),
  )
  app.get('/boxes', (c) => c.json(addresses.map((address) => ({ address }))))
  app.use('/boxes/:box/*', async (c, next) =>
    lofts.has(c.req.param('box')) ? next() : c.json({ error: 'not yours' }, 403),
  )
  app.get('/boxes/:box/letters', (c) => {
    const all = [...loft(c.req.param('box')).letters.values()].toSorted((a, b) => b.number - a.number)
    const rest = all.filter(({ number }) => number < Number(c.req.query('below')))
    const letters = rest.slice(0, LISTED).map(({ id, number, at, labels, flag }) => {
      return { id, number, at, marked: labels.length > 0 || flag !== null }
    })
    return c.json({ letters, more: rest.length > LISTED, total: all.length })
  })
  app.get('/boxes/:box/letters/:id', (c) => {
    const kept = loft(c.req.param('box')).letters.get(c.req.param('id'))
    return kept === undefined ? c.json({ error: 'no such letter' }, 404) : c.json(kept)
  })
  app.post('/boxes/:box/letters/:id/seen', (c) => {
    const { box, id } = c.req.param()
    const kept = loft(box).letters.get(id)
    if (kept !== undefined) loft(box).letters.set(id, { ...kept, seen: true })
    return c.json({})
  })
  app.get('/boxes/:box/changes', (c) => {
    const { log, oldest } = loft(c.req.param('box'))
    const since = c.req.query('since')
    if (since === undefined) return c.json({ ids: [], seq: log.length, more: false })
    if (Number(since) < oldest) return c.json({ error: 'these changes are no longer kept' }, 410)
    const seq = Math.min(log.length, Number(since) + CHANGES)
    return c.json({ ids: [...new Set(log.slice(Number(since), seq))], seq, more: seq < log.length })
  })
  app.put('/boxes/:box/watch', async (c) => {
    const { url } = await c.req.json<{ url: string }>()
    const until = now() + 7 * DAY_MS
    const box = c.req.param('box')
    watches.set(`${box} ${url}`, { url, box, until })
    return c.json({ until })
  })

  return {
    app,
    faults,
    arrive,
    change,
    receive: async (box: string, letter: Letter, at?: number) =>
      arrive(box, await compose(withoutBcc(letter)), null, at),
    async send(box: string, letter: Letter) {
      const id = arrive(box, await compose(letter), 'sent')
      const to = new Set([...letter.to, ...letter.cc, ...letter.bcc].map(({ address }) => address))
      const seen = await compose(withoutBcc(letter))
      for (const other of addresses) if (other !== box && to.has(other)) arrive(other, seen, null)
      return id
    },
    rename(box: string, message: string, name: string, to: string) {
      for (const { id, labels } of loft(box).letters.values())
        if (labels.includes(name)) change(box, id, { labels: labels.map((one) => (one === name ? to : one)) })
      return message
    },
    remove(box: string, id: string) {
      loft(box).letters.delete(id)
      loft(box).log.push(id)
    },
    expire(box: string) {
      loft(box).log.push('l-none')
      loft(box).oldest = loft(box).log.length
    },
    lapse(box: string) {
      tell(box, 'lapsed')
      for (const [key, watch] of watches) if (watch.box === box) watches.delete(key)
    },
    contents: (box: string) => [...loft(box).letters.values()],
    deliveries: (): Promise<RawRequest[]> =>
      Promise.all(pending.splice(0).map(({ url, body }) => notice(url, body, now()))),
  }
}

export async function keysOf(): Promise<JsonObject> {
  const { publicKey } = await KEYS
  const key = JSON.parse(
    JSON.stringify({ ...(await exportJWK(publicKey)), kid: 'p1', alg: 'RS256' }),
  ) as JsonObject
  return { keys: [key] }
}

/** A notice: its body is a token of what happened, made out to whom it is sent to. */
export async function notice(
  url: string,
  said: JsonObject,
  at: number,
  {
    audience = url,
    key,
  }: { readonly audience?: string; readonly key?: Awaited<typeof KEYS>['privateKey'] } = {},
): Promise<RawRequest> {
  const seconds = Math.floor(at / 1000)
  const token = await new SignJWT(said)
    .setProtectedHeader({ alg: 'RS256', kid: 'p1' })
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + HOUR_MS / 1000)
    .sign(key ?? (await KEYS).privateKey)
  return { method: 'POST', url, headers: new Headers(), body: new TextEncoder().encode(token) }
}
