import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { adoptShapes } from '../../src/runtime/approval.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { openHub } from '../../src/runtime/open.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import { createStripeSandbox, type StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { saveConnection } from '../../src/store/connections.ts'
import { openDatabase, type Sql } from '../../src/store/database.ts'
import { openVault, type Vault } from '../../src/store/secrets.ts'
import { openChance } from './chance.ts'
import { connectorsWith, simulated, type Connectors, type Rules } from './configuration.ts'
import { CsvSource } from './csv-source.ts'
import { MAIL, type MailGround, type MailName, openMailGround } from './mail/mail-ground.ts'
import { Weather } from './weather.ts'
import { Mortal, Turns } from './mortal.ts'
import type { Plant } from './plants.ts'

export const T0 = Date.parse('2026-03-02T09:00:00Z')
export const ALL = ['csv', 'mailchimp', 'stripe'] as const
export type ConnectionName = (typeof ALL)[number] | MailName

const MAILCHIMP = 'http://127.0.0.1:4101'
const STRIPE = 'http://127.0.0.1:4102'

/** One process of the hub. */
export type Process = { readonly mortal: Mortal; readonly hub: Hub }

/** The world around the hub: the vendors, the folder, the clock and the database outlive every process. */
export type Ground = {
  readonly clock: { now: number }
  readonly mailchimp: MailchimpSandbox
  readonly stripe: StripeSandbox
  readonly source: CsvSource
  /** Null: nobody writes mail in this seed. */
  readonly mail: MailGround | null
  /** The connections of this seed. */
  readonly names: readonly ConnectionName[]
  /** What the configuration says of mail; processes started later go by it. */
  readonly rules: Rules
  readonly weather: Weather
  readonly turns: Turns
  readonly sql: Sql
  readonly vault: Vault
  readonly connectors: Connectors
  /** What the vendors ask for now. */
  readonly keys: { mailchimp: string; stripe: string }
  /** Every request, as `mailchimp GET /3.0/... 200`. */
  readonly sent: string[]
  /** Requests to Mailchimp that change something there. */
  readonly told: { mailchimp: number }
  /** Called before each request leaves. */
  readonly onRequest: { act: ((method: string, path: string) => void) | null }
  readonly webhookSecrets: Record<Exclude<ConnectionName, 'csv'>, string>
  readonly plant: Plant | null
  start(): Promise<Process>
  save(name: ConnectionName): Promise<void>
  close(): Promise<void>
}

export async function openGround(
  seed: number,
  url: string,
  plant: Plant | null,
  hasMail: boolean,
  asks: boolean,
): Promise<Ground> {
  const clock = { now: T0 }
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-simulation-'))
  const vendorChance = openChance(seed, 'vendors').next
  const keys = { mailchimp: 'key-us1', stripe: 'sk_test_simulation' }
  const now = () => clock.now
  const mailchimp = createMailchimpSandbox({ now, random: vendorChance, apiKey: keys.mailchimp })
  const stripe = createStripeSandbox({ now, random: vendorChance, apiKey: keys.stripe })
  const mail = hasMail ? openMailGround(seed, clock) : null
  const rules: Ground['rules'] = { mood: 'usual', asks, mapping: 0, link: null }
  const turns = new Turns()
  const weather = new Weather(openChance(seed, 'weather'), clock, { mailchimp, stripe, mail })
  const database = openDatabase(url, 2)
  const vault = openVault(['a key that is only for simulations'])
  const hosts: Readonly<Record<string, { name: string; answer: typeof fetch }>> = {
    [MAILCHIMP]: { name: 'mailchimp', answer: sandboxFetch(mailchimp.app) },
    [STRIPE]: { name: 'stripe', answer: sandboxFetch(stripe.app) },
    ...mail?.hosts,
  }
  const sent: string[] = []
  const told = { mailchimp: 0 }
  const onRequest: Ground['onRequest'] = { act: null }

  async function answer(request: Request): Promise<Response> {
    const { origin, pathname } = new URL(request.url)
    const vendor = hosts[origin]
    if (vendor === undefined) throw new Error(`nobody answers at ${origin}`)
    onRequest.act?.(request.method, pathname)
    if (vendor.name === 'gmail' || vendor.name === 'outlook')
      mail?.note(vendor.name, request.method, pathname)
    if (vendor.name === 'mailchimp' && request.method !== 'GET') told.mailchimp += 1
    const line = `${vendor.name} ${request.method} ${pathname}`
    try {
      const reply = await vendor.answer(request)
      const bytes = await reply.arrayBuffer()
      sent.push(`${line} ${reply.status}`)
      const bare = [204, 205, 304].includes(reply.status)
      return new Response(bare ? null : bytes, { status: reply.status, headers: reply.headers })
    } catch (error) {
      sent.push(`${line} lost`)
      clock.now += 30_000
      throw error
    }
  }

  let lives = 0
  const hubChance = openChance(seed, 'hub').next
  const settings = {
    csv: { folder, out: path.join(folder, 'out'), settleMs: 0 },
    mailchimp: { baseUrl: MAILCHIMP, list: mailchimp.audience.id },
    stripe: { baseUrl: STRIPE },
    ...(mail?.settings ?? { gmail: {}, outlook: {} }),
  }
  const secretsOf = (name: ConnectionName): Readonly<Record<string, string>> => {
    if (name === 'csv') return {}
    return name === 'gmail' || name === 'outlook' ? (mail?.secrets[name] ?? {}) : { apiKey: keys[name] }
  }
  const ground: Ground = {
    clock,
    mailchimp,
    stripe,
    source: new CsvSource(folder),
    mail,
    names: mail === null ? ALL : [...ALL, ...MAIL],
    rules,
    weather,
    turns,
    sql: database.sql,
    vault,
    connectors: connectorsWith(async () => undefined),
    keys,
    sent,
    told,
    onRequest,
    webhookSecrets: { mailchimp: 'hook', stripe: '', gmail: '', outlook: mail?.webhookSecret ?? '' },
    plant,
    async start() {
      const life = ++lives
      let uuids = 0
      const mortal = new Mortal(openDatabase(url, 4), turns)
      const sleep = (ms: number) => mortal.sleep(clock, ms)
      const connectors = connectorsWith(sleep)
      const hub = await openHub({
        db: mortal.database,
        vault,
        log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
        connectors: plant?.connectors?.(connectors) ?? connectors,
        configuration: simulated(rules),
        transport: async (input, init) => {
          const request = plant?.request?.(new Request(input, init)) ?? new Request(input, init)
          return mortal.request(async () => answer(await request))
        },
        clock: { now, sleep },
        random: hubChance,
        uuid: () => `key-${seed}-${life}-${++uuids}`,
      })
      await adoptShapes(hub)
      return { mortal, hub }
    },
    async save(name) {
      const secrets = secretsOf(name)
      const row = { name, connector: name, accountId: null, label: null, settings: settings[name] }
      await saveConnection(database.sql, vault, row, secrets)
    },
    async close() {
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  for (const name of ground.names) await ground.save(name)
  return ground
}
