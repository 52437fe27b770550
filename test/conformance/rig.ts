import type {
  BadRow,
  Connector,
  Cursor,
  Io,
  Observation,
  Page,
  RemoteId,
  Resource,
} from '../../src/connectors/connector.ts'
import { failureOf } from '../../src/connectors/connector.ts'
import { type Client, openClient } from '../../src/runtime/client/client.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { Bench, ResourceStand, Stand } from './bench.ts'
import { Broken } from './verdict.ts'

/** One connector over one vendor, through the runtime's real client. */
export type Rig = {
  readonly bench: Bench
  readonly stand: Stand
  readonly connector: Connector
  readonly resourceName: string
  readonly resource: Resource
  readonly at: ResourceStand
  readonly io: Io
  readonly client: Client
  /** What the request log got. */
  readonly log: string[]
  /** The same vendor, seen by a process that has just started. */
  restarted(): Rig
  /** The same with other credentials or settings. */
  with(over: Partial<Pick<Stand, 'secrets' | 'settings' | 'transport'>>): Rig
}

export function openRig(bench: Bench, stand: Stand, resourceName: string, log: string[] = []): Rig {
  const connector = stand.connector()
  const resource = connector.resources[resourceName]
  const at = stand.resources[resourceName]
  if (resource === undefined || at === undefined)
    throw new Broken(`The bench names a resource that the connector or the stand lacks: ${resourceName}`)
  const { clock } = stand
  const client = openClient({
    connector,
    connection: bench.name,
    secrets: stand.secrets,
    settings: stand.settings,
    transport:
      stand.transport ?? (() => Promise.reject(new Error('This connector says it makes no requests'))),
    clock:
      clock === undefined
        ? systemClock
        : { now: () => clock.now, sleep: async (ms) => void (clock.now += Math.ceil(ms)) },
    random: () => 0.5,
    log: (entry) => void log.push(JSON.stringify(entry)),
    pauseUntil: async () => {},
  })
  return {
    bench,
    stand,
    connector,
    resourceName,
    resource,
    at,
    io: client.io,
    client,
    log,
    restarted: () => openRig(bench, stand, resourceName, log),
    with: (over) => openRig(bench, { ...stand, ...over }, resourceName, log),
  }
}

/** A little time goes by, as it does between two things that people do. */
export function pass(rig: Rig, ms: number): void {
  if (rig.stand.clock !== undefined) rig.stand.clock.now += ms
}

export type Listing = {
  /** As last seen, by id. */
  readonly seen: ReadonlyMap<RemoteId, Observation>
  readonly bad: readonly BadRow[]
  readonly cursor: Cursor
  readonly complete: boolean
  readonly pages: readonly Page[]
}
type How = {
  /** `restart`: each page is read by a new process. `twice`: each page is lost once and read again. */
  readonly each?: 'restart' | 'twice'
  readonly onPage?: (page: Page, index: number) => void | Promise<void>
}

const PAGES_MAX = 500

/** Pulls until nothing more waits; every cursor goes through JSON, and `cursor-expired` starts over, as in the hub. */
export async function list(rig: Rig, from: Cursor | null = null, how: How = {}): Promise<Listing> {
  let seen = new Map<RemoteId, Observation>()
  let bad: BadRow[] = []
  let at = from
  const pages: Page[] = []
  for (;;) {
    const { resource, io } = how.each === 'restart' ? rig.restarted() : rig
    let page = await pullOrExpire(resource, io, at)
    if (page === null) {
      if (at === null) throw new Broken('pull(null) answers cursor-expired: there is no cursor that could be')
      seen = new Map()
      bad = []
      at = null
      continue
    }
    if (how.each === 'twice') page = await pullOrExpire(resource, io, at)
    if (page === null) throw new Broken('Reading a page made its own cursor expire')
    pages.push(page)
    for (const one of page.observations) seen.set(one.id, one)
    bad.push(...page.bad)
    at = JSON.parse(JSON.stringify(page.cursor)) as Cursor
    await how.onPage?.(page, pages.length - 1)
    if (!page.more) return { seen, bad, cursor: at, complete: page.listed === 'everything', pages }
    if (pages.length > PAGES_MAX) throw new Broken(`\`more\` is still true after ${PAGES_MAX} pages`)
  }
}

async function pullOrExpire(resource: Resource, io: Io, from: Cursor | null): Promise<Page | null> {
  try {
    return await resource.pull(io, from)
  } catch (error) {
    if (failureOf(error)?.kind === 'cursor-expired') return null
    throw error
  }
}
