import { readConnection, readSecrets } from '../store/connections.ts'
import type { Hub } from './hub.ts'

/** Where the vendor of one connection reaches this hub. */
export type WebhookAddress = {
  /** Without a secret in it; null where no `--webhook-url` was given: the connection is polled. */
  readonly url: string | null
  /** What calls to `url` carry or are signed with; null where there is none. */
  readonly secret: string | null
}

/** The setting that keeps the address. */
export const WEBHOOK_URL = 'webhookUrl'

/** What `concord connections add --webhook-url` left with a connection. Both null where there is no such connection. */
export async function webhookOf(hub: Hub, connection: string): Promise<WebhookAddress> {
  const { webhookSecret } = await readSecrets(hub.db.sql, hub.vault, connection)
  return { url: await readWebhookUrl(hub, connection), secret: webhookSecret?.trim() || null }
}

export async function readWebhookUrl(hub: Hub, connection: string): Promise<string | null> {
  const row = await readConnection(hub.db.sql, connection)
  if (row === undefined) return null
  const configured = hub.configuration.connections.find(({ name }) => name === connection)?.settings
  const url = row.settings[WEBHOOK_URL] ?? configured?.[WEBHOOK_URL]
  return typeof url === 'string' && url !== '' ? url : null
}
