import { z } from 'zod'
import type { Instant, JsonObject } from '../core/json.ts'
import { failureOf, type Webhooks } from '../connectors/connector.ts'
import { textSetting } from './client/auth.ts'
import type { Hub } from './hub.ts'

/** The public keys that vendors sign their calls with, by connection. */
export type WebhookKeys = {
  /** The keys of a connection; null where its vendor publishes none. Throws `KeysUnavailable`. */
  of(connection: string, webhooks: Webhooks, settings: JsonObject): Promise<JsonObject | null>
  /** Newer keys after a call that these did not verify; null where there are none, or it was asked lately. */
  newer(connection: string, webhooks: Webhooks, settings: JsonObject): Promise<JsonObject | null>
}

export class KeysUnavailable extends Error {}

/** How often the vendor is asked at most, whatever strangers send. */
const ASK_MS = 60_000
const FRESH_MS = { least: 5 * 60_000, usual: 3_600_000, most: 24 * 3_600_000 }
/** Longer than a vendor's outage, and not so long that a key that was withdrawn is believed for ever. */
const STALE_MS = 24 * 3_600_000
/** A caller waits for the answer. */
const TIMEOUT_MS = 5_000

type Kept = {
  readonly url: string
  readonly keys: JsonObject | null
  readonly askedAt: Instant
  readonly gotAt: Instant
  readonly freshUntil: Instant
  readonly problem: string
}

/**
 * Fetched through the connection's client, so to public https addresses only (or this machine, where its `baseUrl` is
 * here), without its credentials. Kept in memory, for as long as the vendor says.
 */
export function openWebhookKeys(hub: Hub): WebhookKeys {
  const kept = new Map<string, Kept>()
  const asking = new Map<string, Promise<Kept>>()

  /** Calls that come together wait for one request. */
  function ask(connection: string, url: string): Promise<Kept> {
    const running = asking.get(connection)
    if (running !== undefined) return running
    const before = kept.get(connection)
    const run = fetched(hub, connection, url, before?.url === url ? before : undefined)
      .then((now) => {
        kept.set(connection, now)
        return now
      })
      .finally(() => asking.delete(connection))
    asking.set(connection, run)
    return run
  }

  const isLate = ({ askedAt }: Kept) => hub.clock.now() - askedAt < ASK_MS

  return {
    async of(connection, webhooks, settings) {
      const url = keysUrlOf(webhooks, settings)
      if (url === null) return null
      const known = kept.get(connection)
      const now = hub.clock.now()
      const isFresh = known?.url === url && (now < known.freshUntil || isLate(known))
      const { keys, freshUntil, problem } = isFresh ? known : await ask(connection, url)
      if (keys === null || now > freshUntil + STALE_MS)
        throw new KeysUnavailable(`The keys of ${connection} at ${url} cannot be had: ${problem}`)
      return keys
    },
    async newer(connection, webhooks, settings) {
      const url = keysUrlOf(webhooks, settings)
      const known = kept.get(connection)
      if (url === null || known === undefined || isLate(known)) return null
      const { keys, gotAt } = await ask(connection, url)
      return gotAt > known.gotAt ? keys : null
    },
  }
}

const keysUrlOf = (webhooks: Webhooks, settings: JsonObject): string | null =>
  webhooks.keysUrl === undefined ? null : (textSetting(settings, 'keysUrl') ?? webhooks.keysUrl)

/** https://www.rfc-editor.org/rfc/rfc7517#section-5 */
const keySet = z.object({ keys: z.array(z.record(z.string(), z.json())).min(1) })

/** Never rejects: that they could not be had is kept as well, so that it is not tried again at once. */
async function fetched(hub: Hub, connection: string, url: string, before: Kept | undefined): Promise<Kept> {
  const askedAt = hub.clock.now()
  try {
    const io = await hub.io(connection)
    const reply = await io.fetch(url, {
      credentials: 'omit',
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const keys = keySet.parse(await reply.json())
    const freshUntil = askedAt + freshFor(reply.headers.get('cache-control'))
    return { url, keys, askedAt, gotAt: askedAt, freshUntil, problem: '' }
  } catch (error) {
    const problem = failureOf(error)?.message ?? 'its answer is no set of keys'
    hub.log.warn({ connection, url }, `keys of webhooks: ${problem}`)
    return before === undefined
      ? { url, keys: null, askedAt, gotAt: 0, freshUntil: 0, problem }
      : { ...before, askedAt, problem }
  }
}

function freshFor(cacheControl: string | null): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? '')?.[1]
  const ms = seconds === undefined ? FRESH_MS.usual : Number(seconds) * 1000
  return Math.min(FRESH_MS.most, Math.max(FRESH_MS.least, ms))
}
