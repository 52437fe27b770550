import { randomBytes } from 'node:crypto'
import type { Connector, RawRequest, Receipt, WebhookContext } from '../connectors/connector.ts'
import type { JsonObject } from '../core/json.ts'
import { readConnection, readSecrets } from '../store/connections.ts'
import { closeItems, openItems, type NewItem } from '../store/inbox.ts'
import { wakeHints } from '../store/wake.ts'
import { storeEvent } from '../store/webhook-events.ts'
import type { Hub } from './hub.ts'
import { KeysUnavailable, openWebhookKeys, type WebhookKeys } from './webhook-keys.ts'

export type { RawRequest } from '../connectors/connector.ts'

/** What a delivery came to. `unknown`: there is no such connection, or its vendor sends no webhooks. */
export type Delivered =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'handshake'; readonly status: number; readonly body: string }
  /** `fresh` is false for one that was stored before. */
  | { readonly kind: 'stored'; readonly status: number; readonly eventId: string; readonly fresh: boolean }
  | { readonly kind: 'refused'; readonly status: 400 | 401; readonly reason: string }
  /** It cannot be verified now: the vendor may send it again. */
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Refused deliveries in a row before a person is told: one alone may be a stranger's knock. */
export const REFUSALS = 5

export type Webhooks = { receive(connection: string, raw: RawRequest): Promise<Delivered> }

/**
 * Takes in what vendors send: verified on the raw bytes, stored once, its hints left for a worker. No vendor is called
 * but for its public keys, now and then, so that the answer is quick. Refusals are counted in this process only.
 */
export function openWebhooks(hub: Hub): Webhooks {
  const refusals = openRefusals(hub)
  const keys = openWebhookKeys(hub)
  return {
    async receive(name, raw) {
      const webhooks = connectorOf(hub, name)?.webhooks
      const row = webhooks === undefined ? undefined : await readConnection(hub.db.sql, name)
      if (webhooks === undefined || row === undefined) return { kind: 'unknown' }
      const { webhookSecret } = await readSecrets(hub.db.sql, hub.vault, name)
      // A missing secret must not become the empty one, which a stranger can sign with.
      const secret = webhookSecret?.trim() || randomBytes(32).toString('hex')
      const settings = settingsOf(hub, name, row.settings)
      const read = (context: WebhookContext) => webhooks.receive(raw, secret, hub.clock.now(), context)
      const receipt = await verified(keys, name, webhooks, settings, read)
      switch (receipt.kind) {
        case 'handshake':
        case 'unavailable':
          return receipt
        case 'refused': {
          const hasProof = webhookSecret !== undefined && webhookSecret !== ''
          const isProvable = hasProof || webhooks.keysUrl !== undefined
          const reason = isProvable ? receipt.reason : `${name} has no webhook secret to verify with.`
          await refusals.count(name, reason)
          return { ...receipt, reason }
        }
        case 'hints': {
          const fresh = await keep(hub, name, receipt)
          await refusals.end(name)
          return { kind: 'stored', status: receipt.status, eventId: receipt.eventId, fresh }
        }
      }
    },
  }
}

function connectorOf(hub: Hub, name: string): Connector | undefined {
  const target = hub.targets.find((one) => one.stream.connection === name)
  return (target ?? hub.mails.find((one) => one.connection === name))?.connector
}

function settingsOf(hub: Hub, name: string, stored: JsonObject): JsonObject {
  return { ...hub.configuration.connections.find((one) => one.name === name)?.settings, ...stored }
}

/** What the vendor's keys as we know them do not verify is tried once more with its newest: they change without notice. */
async function verified(
  keys: WebhookKeys,
  name: string,
  webhooks: NonNullable<Connector['webhooks']>,
  settings: JsonObject,
  read: (context: WebhookContext) => Receipt | Promise<Receipt>,
): Promise<Receipt | Extract<Delivered, { kind: 'unavailable' }>> {
  let known: JsonObject | null
  try {
    known = await keys.of(name, webhooks, settings)
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error
    const receipt = await read({ settings, keys: null })
    return receipt.kind === 'handshake' ? receipt : { kind: 'unavailable', reason: error.message }
  }
  const receipt = await read({ settings, keys: known })
  if (receipt.kind !== 'refused' || known === null) return receipt
  const newer = await keys.newer(name, webhooks, settings)
  return newer === null ? receipt : read({ settings, keys: newer })
}

/** The event and the job that follows it, in one transaction. A repeat wakes nobody. */
async function keep(hub: Hub, name: string, receipt: Extract<Receipt, { kind: 'hints' }>): Promise<boolean> {
  return hub.session.begin(async (tx) => {
    const fresh = await storeEvent(tx, name, receipt.eventId, receipt.hints, hub.clock.now())
    if (fresh && receipt.hints.length > 0) await wakeHints(tx, name)
    return fresh
  })
}

const keyOf = (name: string): string => `webhook_refused:${name}`

/** Counts refusals in a row by connection, tells a person of many, and takes that back at the next good delivery. */
function openRefusals(hub: Hub) {
  const counts = new Map<string, number>()
  /** Connections known to have no open item: an item of an earlier process is looked for once. */
  const clear = new Set<string>()
  return {
    async count(name: string, reason: string): Promise<void> {
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      if (count % REFUSALS !== 0) return
      clear.delete(name)
      await openItems(hub.db.sql, [refusedItem(name, count, reason)], hub.clock.now())
    },
    async end(name: string): Promise<void> {
      counts.delete(name)
      if (clear.has(name)) return
      clear.add(name)
      await closeItems(hub.db.sql, [keyOf(name)], 'a delivery was accepted', hub.clock.now())
    },
  }
}

function refusedItem(name: string, count: number, reason: string): NewItem {
  return {
    kind: 'connection',
    key: keyOf(name),
    title: `${count} webhooks in a row for ${name} were refused`,
    fix: `${reason} Compare the secret of the vendor's webhook with the one of the connection: \`concord connections add ${name} --webhook-url URL\` sets it anew. Until then changes arrive by polling; nothing is lost.`,
    detail: { connection: name, count, reason },
    streamId: null,
    recordId: null,
  }
}
