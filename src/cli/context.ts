import type { Environment } from '../runtime/boot.ts'
import { boot, openStore, type Booted, type BootOptions, type OpenStore } from '../runtime/boot.ts'
import type { Hub, Progress } from '../runtime/hub.ts'
import { badInput, nearest } from './exit.ts'
import { openOutput, type Output } from './output.ts'
import type { Wiring } from './wiring.ts'

/** What one run of a command works with. */
export type Context = {
  readonly wiring: Wiring
  readonly output: Output
  /** Who acts, in history and inbox: `user:<name>`. */
  readonly actor: string
}

export function openContext(wiring: Wiring, json: boolean): Context {
  const user = wiring.env['CONCORD_USER'] ?? wiring.env['USER'] ?? wiring.env['LOGNAME'] ?? 'cli'
  return { wiring, output: openOutput(wiring.terminal, json), actor: `user:${user}` }
}

const given = (value: string | undefined): string | null =>
  value === undefined || value.trim() === '' ? null : value.trim()

export function environmentOf({ env }: Wiring): Environment {
  return {
    dir: given(env['CONCORD_DIR']) ?? '.concord',
    databaseUrl: given(env['DATABASE_URL']),
    secretKeys: given(env['CONCORD_SECRET_KEY']),
  }
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** LOG_LEVEL, or what the command says: one-shot commands tell their result themselves. */
function levelOf({ env }: Wiring, usual: string): string {
  const level = given(env['LOG_LEVEL']) ?? usual
  if (!LEVELS.includes(level)) throw badInput(`LOG_LEVEL is "${level}"`, `Use one of ${LEVELS.join(', ')}.`)
  return level
}

export function bootOptions(
  { wiring }: Context,
  usualLevel = 'silent',
  progress?: (event: Progress) => void,
): BootOptions {
  const { connectors, shipped, stopping, transport, clock } = wiring
  return {
    environment: environmentOf(wiring),
    connectors,
    shipped,
    stopping,
    log: wiring.makeLog(levelOf(wiring, usualLevel)),
    ...(progress === undefined ? {} : { progress }),
    ...(transport === undefined ? {} : { transport }),
    ...(clock === undefined ? {} : { clock }),
  }
}

/** Runs `work` on the hub and closes it, whatever happens. */
export async function withHub<T>(
  context: Context,
  work: (hub: Hub, booted: Booted) => Promise<T>,
  progress?: (event: Progress) => void,
): Promise<T> {
  const booted = await boot(bootOptions(context, 'silent', progress))
  try {
    return await work(booted.hub, booted)
  } finally {
    await leave(context, booted)
  }
}

/** As `withHub`, without reading the configuration: it may be the very thing that is broken. */
export async function withStore<T>(context: Context, work: (store: OpenStore) => Promise<T>): Promise<T> {
  const { environment, log } = bootOptions(context)
  const store = await openStore(environment, log)
  try {
    return await work(store)
  } finally {
    await leave(context, store)
  }
}

async function leave({ output, wiring }: Context, store: OpenStore): Promise<void> {
  const waiting = () =>
    output.note(
      'Another concord process works on the database that this one started. This one stays until that one ends, because the database goes down with it.',
    )
  await store.close(Number.POSITIVE_INFINITY, waiting, wiring.stopping)
}

/** The connections a command works on: the named ones, or all that were added. */
export async function chosen(
  hub: Hub,
  added: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  const configured = hub.configuration.connections.map((c) => c.name)
  for (const name of names) {
    if (added.includes(name)) continue
    if (configured.includes(name))
      throw badInput(`${name} was not added yet`, `\`concord connections add ${name}\`.`)
    const near = nearest(name, configured)
    throw badInput(
      `No connection is called ${name}`,
      near === null ? `The configuration names: ${configured.join(', ')}.` : `Did you mean ${near}?`,
    )
  }
  const all = configured.filter((name) => added.includes(name))
  if (names.length === 0 && all.length === 0)
    throw badInput(
      'No connection was added yet',
      `\`concord connections add NAME\`; the configuration names ${configured.join(', ')}.`,
    )
  return names.length === 0 ? all : [...new Set(names)]
}
