import type { JsonObject } from '../../core/json.ts'
import { addConnection, plugOf, subscribeWebhook, type Connectors, type Plug } from '../../runtime/connect.ts'
import type { Hub } from '../../runtime/hub.ts'
import path from 'node:path'
import { NotSo } from './scene.ts'
import type { Stage } from './stage.ts'
import type { Vendors } from './wiring.ts'
import { CONNECTIONS } from './world.ts'

/** So that nobody has to wait: Stripe itself takes 25 a second at one endpoint, and the connector keeps to that. */
export const STRIPE_PER_SECOND = 100
/** Of those, what the hub takes: connecting and asking for webhooks go beside the sync, at a pace of their own. */
const HUB_PER_SECOND = 90

/** The connectors, with Stripe's pace set to what the sandbox of this demo allows. */
export function quickened(connectors: Connectors): Connectors {
  const { stripe } = connectors
  if (stripe === undefined) return connectors
  return { ...connectors, stripe: { ...stripe, limits: [{ permits: HUB_PER_SECOND, windowMs: 1000 }] } }
}

/** Adds the three connections as `concord connections add` does: proved at the vendor first, secrets encrypted. */
export async function connect(
  hub: Hub,
  connectors: Connectors,
  vendors: Vendors,
  stage: Stage,
): Promise<void> {
  const { mailchimp, stripe, folder } = vendors
  const given: Readonly<Record<string, { secrets: Readonly<Record<string, string>>; settings: JsonObject }>> =
    {
      csv: { secrets: {}, settings: { folder, out: path.join(folder, 'out'), settleMs: 0 } },
      mailchimp: {
        secrets: { apiKey: mailchimp.apiKey },
        settings: { baseUrl: mailchimp.url, list: mailchimp.list },
      },
      stripe: { secrets: { apiKey: stripe.apiKey }, settings: { baseUrl: stripe.url } },
    }
  for (const name of CONNECTIONS) {
    const from = performance.now()
    const plug = plugCalled(hub, connectors, name)
    const added = await addConnection(hub, plug, given[name] ?? { secrets: {}, settings: {} })
    if (added.kind !== 'added') throw new NotSo(`${name} could not be connected: ${JSON.stringify(added)}`)
    stage.done(`${name.padEnd(10)} ${headOf(added.label)}`, performance.now() - from)
  }
}

/** A label's first clause; what follows in it is for `concord connections list`. */
const headOf = (label: string): string => (label.length <= 45 ? label : (label.split(' (')[0] ?? label))

/** Asks the vendors to call the hub when something changes. */
export async function subscribe(hub: Hub, connectors: Connectors, api: string): Promise<void> {
  for (const name of CONNECTIONS) {
    const plug = plugCalled(hub, connectors, name)
    if (!plug.hasWebhooks) continue
    const asked = await subscribeWebhook(hub, plug, `${api}/webhooks/${name}`)
    if (asked.kind === 'refused') throw new NotSo(`${name} takes no webhook: ${asked.message}`)
  }
}

function plugCalled(hub: Hub, connectors: Connectors, name: string): Plug {
  const plug = plugOf(hub, connectors, name)
  if (plug === undefined) throw new NotSo(`The configuration names no connection ${name}.`)
  return plug
}
