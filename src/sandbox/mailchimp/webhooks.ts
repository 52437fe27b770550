import { Hono } from 'hono'
import { z } from 'zod'
import { parseBody } from './member-body.ts'
import { invalidResource, notFound } from './problem.ts'
import { audienceOf, jsonBody } from './request.ts'
import type { Actor, Audience, MailchimpState, Webhook, WebhookEvent } from './state.ts'

const EVENTS = ['subscribe', 'unsubscribe', 'profile', 'cleaned', 'upemail', 'campaign'] as const
const SOURCES = ['user', 'admin', 'api'] as const

const flag = z.boolean().optional()
const webhookBody = z.object({
  url: z.string().optional(),
  events: z
    .object({
      subscribe: flag,
      unsubscribe: flag,
      profile: flag,
      cleaned: flag,
      upemail: flag,
      campaign: flag,
    })
    .optional(),
  sources: z.object({ user: flag, admin: flag, api: flag }).optional(),
})

/** Answers whether a receiver said 200 to a GET: the vendor asks before it takes an address. */
export type ProbeWebhook = (url: string) => Promise<boolean>

/** https://mailchimp.com/developer/marketing/api/list-webhooks/ */
export function webhookRoutes(state: MailchimpState, probe: ProbeWebhook): Hono {
  const routes = new Hono()

  routes.get('/lists/:list/webhooks', (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    const webhooks = [...audience.webhooks.values()].map((webhook) => view(audience, webhook))
    return c.json({ webhooks, list_id: audience.id, total_items: webhooks.length })
  })

  routes.post('/lists/:list/webhooks', async (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    const body = parseBody(webhookBody, await jsonBody(c))
    const url = await checkedUrl(audience, body.url ?? '', probe)
    const webhook: Webhook = {
      id: state.ids.hex(10),
      url,
      events: new Map(EVENTS.map((event) => [event, body.events?.[event] ?? false])),
      sources: new Map(SOURCES.map((source) => [source, body.sources?.[source] ?? false])),
    }
    audience.webhooks.set(webhook.id, webhook)
    return c.json(view(audience, webhook))
  })

  routes.get('/lists/:list/webhooks/:id', (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    return c.json(view(audience, webhookOf(audience, c.req.param('id'))))
  })

  routes.patch('/lists/:list/webhooks/:id', async (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    const webhook = webhookOf(audience, c.req.param('id'))
    const body = parseBody(webhookBody, await jsonBody(c))
    if (body.url !== undefined && body.url !== webhook.url) {
      webhook.url = await checkedUrl(audience, body.url, probe)
    }
    for (const event of EVENTS) setIfGiven(webhook.events, event, body.events?.[event])
    for (const source of SOURCES) setIfGiven(webhook.sources, source, body.sources?.[source])
    return c.json(view(audience, webhook))
  })

  routes.delete('/lists/:list/webhooks/:id', (c) => {
    const audience = audienceOf(state, c.req.param('list'))
    audience.webhooks.delete(webhookOf(audience, c.req.param('id')).id)
    return c.body(null, 204)
  })
  return routes
}

function webhookOf(audience: Audience, id: string): Webhook {
  const webhook = audience.webhooks.get(id)
  if (webhook === undefined) throw notFound()
  return webhook
}

/** One address may be registered once. */
async function checkedUrl(audience: Audience, url: string, probe: ProbeWebhook): Promise<string> {
  const refuse = (message: string) => invalidResource([{ field: 'url', message }])
  if (!URL.canParse(url)) throw refuse('Please enter a valid URL.')
  if ([...audience.webhooks.values()].some((webhook) => webhook.url === url)) {
    throw refuse("Sorry, you can't set up multiple WebHooks for one URL")
  }
  if (!(await probe(url)))
    throw refuse("We couldn't validate the WebHook URL: it did not answer 200 to a GET.")
  return url
}

function setIfGiven<K extends WebhookEvent | Actor>(
  flags: Map<K, boolean>,
  key: K,
  on: boolean | undefined,
): void {
  if (on !== undefined) flags.set(key, on)
}

function view(audience: Audience, webhook: Webhook) {
  return {
    id: webhook.id,
    url: webhook.url,
    events: Object.fromEntries(webhook.events),
    sources: Object.fromEntries(webhook.sources),
    list_id: audience.id,
  }
}
