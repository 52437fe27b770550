import type { JsonObject } from '../../core/json.ts'
import { addConnection, plugOf, subscribeWebhook, type Connectors, type Plug } from '../../runtime/connect.ts'
import type { Hub } from '../../runtime/hub.ts'
import path from 'node:path'
import { NotSo } from './scene.ts'
import type { Stage } from './stage.ts'
import type { Vendors } from './wiring.ts'
import { CONNECTIONS, SYSTEMS } from './world.ts'

/** So that nobody has to wait: Stripe itself takes 25 a second at one endpoint, and the connector keeps to that. */
export const STRIPE_PER_SECOND = 100
/** Of those, what the hub takes: connecting and asking for webhooks go beside the sync, at a pace of their own. */
const HUB_PER_SECOND = 90

/** Messages that may be read of one mailbox in a minute. Gmail itself hands out 300, so 5,000 would take its time. */
export const GMAIL_PER_MINUTE = 30_000
/** Units that one costs: https://developers.google.com/workspace/gmail/api/reference/quota */
const GMAIL_UNITS = 20

/** The connectors, with the pace of Stripe and Gmail set to what the sandboxes of this demo allow. */
export function quickened(connectors: Connectors): Connectors {
  const { stripe, gmail } = connectors
  if (stripe === undefined || gmail === undefined) throw new NotSo('Stripe or Gmail is not built in.')
  const permits = GMAIL_PER_MINUTE * GMAIL_UNITS
  return {
    ...connectors,
    stripe: { ...stripe, limits: [{ permits: HUB_PER_SECOND, windowMs: 1000 }] },
    gmail: { ...gmail, limits: [{ permits, windowMs: 60_000 }] },
  }
}

/** Adds the connections as `concord connections add` does: proved at the vendor first, secrets encrypted. */
export async function connect(
  hub: Hub,
  connectors: Connectors,
  vendors: Vendors,
  api: string,
  stage: Stage,
): Promise<void> {
  const { mailchimp, stripe, gmail, outlook, folder } = vendors
  const given: Readonly<Record<string, { secrets: Readonly<Record<string, string>>; settings: JsonObject }>> =
    {
      csv: { secrets: {}, settings: { folder, out: path.join(folder, 'out'), settleMs: 0 } },
      mailchimp: {
        secrets: { apiKey: mailchimp.apiKey },
        settings: { baseUrl: mailchimp.url, list: mailchimp.list },
      },
      stripe: { secrets: { apiKey: stripe.apiKey }, settings: { baseUrl: stripe.url } },
      gmail: {
        secrets: { serviceAccountKey: gmail.serviceAccountKey },
        settings: {
          baseUrl: gmail.url,
          tokenUrl: gmail.tokenUrl,
          keysUrl: gmail.keysUrl,
          directoryAdmin: gmail.directoryAdmin,
          topic: gmail.topic,
          pushServiceAccount: gmail.pushServiceAccount,
        },
      },
      outlook: {
        secrets: { clientId: outlook.clientId, clientSecret: outlook.clientSecret },
        settings: {
          baseUrl: outlook.url,
          tokenUrl: outlook.tokenUrl,
          tenant: outlook.tenant,
          mailboxes: outlook.mailboxes,
        },
      },
    }
  gmail.pushTo(webhookOf(api, 'gmail'))
  for (const name of CONNECTIONS) {
    const from = performance.now()
    const plug = plugCalled(hub, connectors, name)
    const added = await addConnection(hub, plug, given[name] ?? { secrets: {}, settings: {} })
    if (added.kind !== 'added') throw new NotSo(`${name} could not be connected: ${JSON.stringify(added)}`)
    // A mailbox asks for its notifications when it is first read: it has to be known by then where they go.
    if (plug.connector.mail !== undefined) await subscribeTo(hub, plug, api)
    stage.done(`${name.padEnd(10)} ${headOf(added.label)}`, performance.now() - from)
  }
}

/** A label's first clause; what follows in it is for `concord connections list`. */
const headOf = (label: string): string => (label.length <= 45 ? label : (label.split(' (')[0] ?? label))

/** Asks the other vendors to call the hub when something changes. */
export async function subscribe(hub: Hub, connectors: Connectors, api: string): Promise<void> {
  for (const name of SYSTEMS) {
    const plug = plugCalled(hub, connectors, name)
    if (plug.hasWebhooks) await subscribeTo(hub, plug, api)
  }
}

async function subscribeTo(hub: Hub, plug: Plug, api: string): Promise<void> {
  const asked = await subscribeWebhook(hub, plug, webhookOf(api, plug.name))
  if (asked.kind === 'refused') throw new NotSo(`${plug.name} takes no webhook: ${asked.message}`)
}

const webhookOf = (api: string, connection: string): string => `${api}/webhooks/${connection}`

function plugCalled(hub: Hub, connectors: Connectors, name: string): Plug {
  const plug = plugOf(hub, connectors, name)
  if (plug === undefined) throw new NotSo(`The configuration names no connection ${name}.`)
  return plug
}
