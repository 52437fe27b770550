import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { mailchimp } from '../../src/connectors/mailchimp/index.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import { serveSandbox } from '../../src/sandbox/serve.ts'
import { createStripeSandbox, type StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import type { BenchConnection } from './hub.ts'

export const SECRET = 'a webhook secret that is only for benchmarks'

export type Served<T> = {
  readonly sandbox: T
  readonly connection: BenchConnection
  close(): Promise<void>
}

export const shipped = (name: string) =>
  readFile(path.join(import.meta.dirname, '..', '..', 'config', `${name}.yaml`), 'utf8')
const CLOCK = { now: () => Date.now(), random: Math.random }

/** Stripe's stand-in on loopback HTTP, with its own limit of 25 requests a second. `seen` is called at each request. */
export async function serveStripe(
  seen: (method: string, path: string) => void,
): Promise<Served<StripeSandbox>> {
  const sandbox = createStripeSandbox({ ...CLOCK, apiKey: 'sk_test_bench' })
  const { url, close } = await serveSandbox(watched(sandbox.app, seen))
  const settings = { baseUrl: url }
  const secrets = { apiKey: 'sk_test_bench' }
  return {
    sandbox,
    connection: { connector: stripe, yaml: await shipped('stripe'), settings, secrets },
    close,
  }
}

/** Mailchimp's stand-in; it sends its webhooks by itself. */
export async function serveMailchimp(): Promise<Served<MailchimpSandbox>> {
  const sandbox = createMailchimpSandbox({ ...CLOCK, apiKey: 'bench-us1', autoDeliver: true })
  const { url, close } = await serveSandbox(sandbox.app)
  const settings = { baseUrl: url, list: sandbox.audience.id }
  const secrets = { apiKey: 'bench-us1', webhookSecret: SECRET }
  const yaml = await shipped('mailchimp')
  return { sandbox, connection: { connector: mailchimp, yaml, settings, secrets }, close }
}

function watched(
  app: StripeSandbox['app'],
  seen: (method: string, path: string) => void,
): StripeSandbox['app'] {
  const { fetch } = app
  app.fetch = (request, ...rest) => {
    seen(request.method, new URL(request.url).pathname)
    return fetch(request, ...rest)
  }
  return app
}
