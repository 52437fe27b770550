import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { csv } from '../../src/connectors/csv/index.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import { imap } from '../../src/connectors/imap/index.ts'
import { createMailchimp } from '../../src/connectors/mailchimp/index.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'
import type { Connector } from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Configuration } from '../../src/core/stream.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { catalogOf } from '../../src/runtime/boot.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { openHub, type HubOptions } from '../../src/runtime/open.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import { createStripeSandbox, type StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { saveConnection } from '../../src/store/connections.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { testDatabase } from './database.ts'
import { COLUMNS, type Table } from './exports.ts'
import { unasked } from './unasked.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

export const T0 = Date.parse('2026-03-02T09:00:00Z')
const MAILCHIMP = 'http://127.0.0.1:4101'
const STRIPE = 'http://127.0.0.1:4102'
const KEY = 'a key that is only for tests'

export type World = {
  readonly hub: Hub
  readonly db: Database
  readonly mailchimp: MailchimpSandbox
  readonly stripe: StripeSandbox
  readonly clock: { now: number }
  /** The folder of CSV exports. */
  readonly folder: string
  /** Every request that left, `METHOD path`. */
  readonly sent: string[]
  /** Puts an export in place of the last one. */
  export(resource: Table, rows: readonly (readonly string[])[]): void
  /** Another hub over the same state, as after a restart; perhaps under another configuration. */
  restarted(configuration?: Configuration, more?: Pick<HubOptions, 'knownVersion' | 'stopping'>): Promise<Hub>
  close(): Promise<void>
}

export function shippedConfiguration(
  change: (name: string, text: string) => string = (_, text) => text,
): Configuration {
  const folder = path.join(import.meta.dirname, '..', '..', 'config')
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({
      name,
      text: change(name, unasked(name, readFileSync(path.join(folder, name), 'utf8'))),
    }))
  const loaded = loadConfiguration(files, catalogOf(CONNECTORS))
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.configuration
}

export const CONNECTORS: Readonly<Record<string, Connector>> = {
  csv,
  gmail,
  imap,
  mailchimp: createMailchimp(),
  outlook,
  stripe,
}

export type WorldOptions = {
  readonly configure?: (name: string, text: string) => string
  readonly connections?: readonly ('csv' | 'mailchimp' | 'stripe')[]
  readonly seed?: number
}

/** The hub on its own database, with sandbox vendors in the same process and a clock that only tests move. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const clock = { now: T0 }
  const random = seeded(options.seed ?? 1)
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-world-'))
  mkdirSync(path.join(folder, 'out'))
  const mailchimp = createMailchimpSandbox({ now: () => clock.now, random, apiKey: 'key-us1' })
  const stripeSandbox = createStripeSandbox({
    now: () => clock.now,
    random,
    apiKey: 'sk_test_world',
    requestsPerSecond: 10_000,
  })
  const { url, drop } = await testDatabase()
  const db = openDatabase(url, 6)
  const sent: string[] = []
  const hosts: Readonly<Record<string, typeof fetch>> = {
    [MAILCHIMP]: sandboxFetch(mailchimp.app),
    [STRIPE]: sandboxFetch(stripeSandbox.app),
  }
  const transport: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const { origin, pathname } = new URL(request.url)
    sent.push(`${request.method} ${pathname}`)
    const vendor = hosts[origin]
    if (vendor === undefined) throw new Error(`nobody answers at ${origin}`)
    return vendor(request)
  }
  const sleep = async (ms: number) => void (clock.now += ms)
  const vault = openVault([KEY])
  const settings: Record<string, JsonObject> = {
    csv: { folder, out: path.join(folder, 'out'), settleMs: 0 },
    mailchimp: { baseUrl: MAILCHIMP, list: mailchimp.audience.id },
    stripe: { baseUrl: STRIPE },
  }
  const secrets: Record<string, Record<string, string>> = {
    csv: {},
    mailchimp: { apiKey: 'key-us1' },
    stripe: { apiKey: 'sk_test_world' },
  }
  for (const name of options.connections ?? ['csv', 'mailchimp', 'stripe']) {
    const connection = { name, connector: name, accountId: null, label: null, settings: settings[name] ?? {} }
    await saveConnection(db.sql, vault, connection, secrets[name] ?? {})
  }
  const shipped = shippedConfiguration(options.configure)
  let uuids = 0
  const open: World['restarted'] = (configuration = shipped, more = {}) =>
    openHub({
      ...more,
      db,
      vault,
      log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
      connectors: { ...CONNECTORS, mailchimp: createMailchimp({ sleep }) },
      configuration,
      transport,
      clock: { now: () => clock.now, sleep },
      random,
      uuid: () => `uuid-${options.seed ?? 1}-${++uuids}`,
    })
  for (const [resource, columns] of Object.entries(COLUMNS)) {
    writeFileSync(path.join(folder, `${resource}.csv`), `${columns.join(',')}\n`)
  }
  return {
    hub: await open(),
    db,
    mailchimp,
    stripe: stripeSandbox,
    clock,
    folder,
    sent,
    export(resource, rows) {
      const text = rows.map((row) =>
        row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(','),
      )
      writeFileSync(path.join(folder, `${resource}.csv`), `${text.join('\n')}\n`)
    },
    restarted: open,
    async close() {
      await db.close()
      await drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
