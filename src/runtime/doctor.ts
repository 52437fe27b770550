import { stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { rotateAlertSecrets } from '../store/alert-secrets.ts'
import { listConnections, readSecrets, rotateSecrets } from '../store/connections.ts'
import { rotateMailKey } from '../store/mail/key.ts'
import { activeOrShipped, compile, openStore, type BootOptions, type OpenStore } from './boot.ts'
import { checkConnection, plugOf } from './connect.ts'
import { openHub } from './open.ts'
import { troubleOf } from './trouble.ts'

export type Finding = {
  readonly check: string
  readonly result: 'ok' | 'warn' | 'fail'
  readonly message: string
  readonly fix: string | null
}

const LEAST_NODE = 24
const SKEW_WARN_MS = 2_000
const SPACE_WARN_BYTES = 2 * 1024 ** 3
const SPACE_FAIL_BYTES = 200 * 1024 ** 2

const ok = (check: string, message: string): Finding => ({ check, result: 'ok', message, fix: null })
const warn = (check: string, message: string, fix: string): Finding => ({
  check,
  result: 'warn',
  message,
  fix,
})
const fail = (check: string, message: string, fix: string): Finding => ({
  check,
  result: 'fail',
  message,
  fix,
})

/** Looks at everything Concord rests on, each by itself, as far as it gets. Changes nothing but opening the database. */
export async function examine(options: BootOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [node(), ...(await dataFolder(options))]
  let store: OpenStore
  try {
    store = await openStore(options.environment, options.log)
  } catch (error) {
    return [...findings, failed('database', error)]
  }
  try {
    findings.push(await database(store, options), await clock(store))
    findings.push(await secrets(store, options))
    findings.push(...(await configuration(store, options)))
  } finally {
    await store.close(0)
  }
  return findings
}

function failed(check: string, error: unknown): Finding {
  const trouble = troubleOf(error)
  if (trouble === null) throw error
  const [message = trouble.message, fix] = trouble.message.split(' Fix: ')
  return fail(check, message, trouble.fix ?? fix ?? 'See the message.')
}

function node(): Finding {
  const major = Number.parseInt(process.versions.node, 10)
  return major >= LEAST_NODE
    ? ok('node', `Node ${process.versions.node}`)
    : fail('node', `Node ${process.versions.node} is too old`, `Use Node ${LEAST_NODE} or newer.`)
}

async function dataFolder({ environment }: BootOptions): Promise<readonly Finding[]> {
  if (environment.databaseUrl !== null) return [ok('data folder', 'not used: DATABASE_URL names a server')]
  const { dir } = environment
  const found = await stat(dir).catch(() => null)
  if (found === null) return [ok('data folder', `${dir} will be made at the first start`)]
  const key = await stat(path.join(dir, 'secret.key')).catch(() => null)
  const open = key !== null && (key.mode & 0o077) !== 0
  const { bavail, bsize } = await statfs(dir)
  const free = bavail * bsize
  const space = `${(free / 1024 ** 3).toFixed(1)} GB free`
  const disk =
    free < SPACE_FAIL_BYTES
      ? fail('disk', space, 'Make room: the database needs some.')
      : free < SPACE_WARN_BYTES
        ? warn('disk', space, 'Make room before long.')
        : ok('disk', space)
  return [
    open
      ? fail(
          'data folder',
          `${path.join(dir, 'secret.key')} can be read by others`,
          `chmod 600 ${path.join(dir, 'secret.key')}`,
        )
      : ok('data folder', key === null ? dir : `${dir}, its key readable by its owner only`),
    disk,
  ]
}

async function database(store: OpenStore, { environment }: BootOptions): Promise<Finding> {
  const [row] = await store.db.sql<{ version: string; migrations: number }[]>`
    select current_setting('server_version') as version,
      (select count(*) from drizzle.__drizzle_migrations) as migrations`
  const where = environment.databaseUrl === null ? 'embedded' : 'yours'
  const told = `PostgreSQL ${row?.version ?? '?'} (${where}), ${row?.migrations ?? 0} migrations applied, up to date`
  const major = Number.parseInt(row?.version ?? '', 10)
  return major >= 15
    ? ok('database', told)
    : warn('database', told, 'Concord is tried on PostgreSQL 15 and newer.')
}

async function clock(store: OpenStore): Promise<Finding> {
  const before = Date.now()
  const [row] = await store.db.sql<{ at: number }[]>`select clock_timestamp() as at`
  const skewMs = Math.abs((row?.at ?? before) - (before + Date.now()) / 2)
  const told = `${Math.round(skewMs)} ms off the database's`
  return skewMs < SKEW_WARN_MS ? ok('clock', told) : warn('clock', told, 'Set both clocks by NTP.')
}

async function secrets(store: OpenStore, { environment }: BootOptions): Promise<Finding> {
  const connections = await listConnections(store.db.sql)
  const closed: string[] = []
  for (const { name } of connections) {
    await readSecrets(store.db.sql, store.vault, name).catch(() => closed.push(name))
  }
  const from = environment.secretKeys === null ? 'the key beside the data' : 'CONCORD_SECRET_KEY'
  if (closed.length > 0) {
    return fail(
      'secrets',
      `${from} does not open the credentials of ${closed.join(', ')}`,
      'Give the key they were encrypted with as well, after the current one and a comma, in CONCORD_SECRET_KEY; or enter them again with `concord connections add`.',
    )
  }
  return ok('secrets', `${from} opens the credentials of all ${connections.length} connections`)
}

async function configuration(store: OpenStore, options: BootOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  try {
    const active = await activeOrShipped(store.db, options)
    const compiled = compile(active.files, options.connectors)
    const hub = await openHub({ ...options, db: store.db, vault: store.vault, configuration: compiled })
    findings.push(
      ok('configuration', `version ${active.version}, ${compiled.connections.length} connections`),
    )
    const added = await listConnections(store.db.sql)
    for (const { name, state, problem } of added) {
      const plug = plugOf(hub, options.connectors, name)
      const check = `connection ${name}`
      if (plug === undefined) {
        findings.push(
          warn(
            check,
            'the configuration does not name it',
            `Name it, or \`concord connections remove ${name}\`.`,
          ),
        )
        continue
      }
      const checked = await checkConnection(hub, plug, options.transport)
      if (checked.kind === 'refused') {
        findings.push(fail(check, checked.message, `Correct it with \`concord connections add ${name}\`.`))
      } else if (state !== 'ready') {
        findings.push(
          fail(
            check,
            `${state}: ${problem ?? ''}`,
            `It works again: \`concord connections add ${name}\` takes it up.`,
          ),
        )
      } else findings.push(ok(check, checked.label))
    }
    for (const { name } of compiled.connections.filter((c) => !added.some((a) => a.name === c.name))) {
      findings.push(
        warn(`connection ${name}`, 'configured, but not added', `\`concord connections add ${name}\``),
      )
    }
  } catch (error) {
    findings.push(failed('configuration', error))
  }
  return findings
}

/** Encrypts every stored credential with the first of the keys; returns how many were under an older one. */
export async function reencrypt(store: OpenStore): Promise<number> {
  return store.db.sql.begin(async (tx) => {
    await rotateMailKey(tx, store.vault)
    const alerts = await rotateAlertSecrets(tx, store.vault)
    return alerts + (await rotateSecrets(tx, store.vault))
  })
}
