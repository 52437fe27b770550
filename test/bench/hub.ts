import { pino } from 'pino'
import type { Connector } from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Configuration } from '../../src/core/stream.ts'
import { catalogOf } from '../../src/runtime/boot.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { openHub } from '../../src/runtime/open.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { readConnection, saveConnection } from '../../src/store/connections.ts'
import { openDatabase } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'

export type BenchConnection = {
  readonly connector: Connector
  readonly yaml: string
  readonly settings: JsonObject
  readonly secrets: Readonly<Record<string, string>>
}
export type BenchHub = { readonly hub: Hub; close(): Promise<void> }

/** A real hub on a migrated database, with these connections and nothing else, as `concord start` would open it. */
export async function openBenchHub(
  url: string,
  connections: Readonly<Record<string, BenchConnection>>,
): Promise<BenchHub> {
  const db = openDatabase(url)
  const vault = openVault(['a key that is only for benchmarks'])
  for (const [name, { connector, settings, secrets }] of Object.entries(connections)) {
    if ((await readConnection(db.sql, name)) !== undefined) continue
    await saveConnection(
      db.sql,
      vault,
      { name, connector: connector.id, accountId: null, label: null, settings },
      secrets,
    )
  }
  const connectors = Object.fromEntries(Object.values(connections).map((c) => [c.connector.id, c.connector]))
  const configuration = load(
    Object.values(connections).map((c) => c.yaml),
    connectors,
  )
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'error' })
  const hub = await openHub({ db, vault, log, connectors, configuration })
  return { hub, close: () => db.close() }
}

function load(texts: readonly string[], connectors: Readonly<Record<string, Connector>>): Configuration {
  const files = [HUB, ...texts].map((text, i) => ({ name: `bench-${i}.yaml`, text }))
  const loaded = loadConfiguration(files, catalogOf(connectors))
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.configuration
}

const HUB = 'hub: { defaultCountry: US, defaultCurrency: USD, approvals: none }'
