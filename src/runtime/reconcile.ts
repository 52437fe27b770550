import type { Instant } from '../core/json.ts'
import { addTally, NO_TALLY, type Drift, type Inward, type Tally } from '../core/reconcile.ts'
import { same } from '../core/json.ts'
import type { BadRow, Observation } from '../connectors/connector.ts'
import { population } from '../store/links.ts'
import {
  countOutward,
  lastReconciliations,
  lastSeen,
  listReconciliations,
  saveReconciliation,
  type Reconciliation,
} from '../store/reconciliations.ts'
import { readStream } from '../store/streams.ts'
import { wakeAlarms } from '../store/alert-deliveries.ts'
import { creatingStreams, type Hub, type Target } from './hub.ts'
import type { RunLog } from './run.ts'

export type { Reconciliation } from '../store/reconciliations.ts'

/** Feeds and webhooks take their time, and clocks differ: what the vendor says is younger was not missed yet. */
const GRACE_MS = 15 * 60_000

/** What a full comparison of one stream found, before the other direction is counted. */
export type Compared = {
  readonly target: Target
  readonly source: number
  readonly hub: number
  readonly inward: Inward
  readonly runId: number | null
}

/** Counts while a complete listing is taken in, page by page. */
export type Comparison = {
  /** Before a page is taken in: what of it is unknown, or differs from what was last seen. */
  meet(observations: readonly Observation[]): Promise<void>
  /** After it was: how many of its objects have a link now, and how many of those this listing had not shown yet. */
  took(
    observations: readonly Observation[],
    counts: { readonly linked: number; readonly isNew: number },
    bad: readonly BadRow[],
  ): void
  /** Objects that were not listed, as the vendor says they are. */
  vanish(observations: readonly Observation[]): void
  end(complete: boolean, run: RunLog): Promise<Compared>
}

/**
 * Opens the comparison of a listing that begins now. `first`: nothing of the stream was ever read. `told`: what the
 * source reports by itself was taken in just before, so that whatever is found now was missed.
 */
export async function openComparison(
  hub: Hub,
  target: Target,
  { first, told }: { readonly first: boolean; readonly told: boolean },
): Promise<Comparison> {
  const held = await population(hub.session.q, target.id)
  const youngest = hub.clock.now() - GRACE_MS
  let tally: Tally = NO_TALLY
  let source = 0
  let unlisted = 0
  let unreadable = 0
  let absent = 0
  return {
    async meet(observations) {
      // All of a first reading is new; an import has better things to ask.
      if (!first) tally = addTally(tally, await tallyOf(hub, target, observations, youngest))
    },
    took(observations, { linked, isNew }, bad) {
      const present = new Set(observations.flatMap((o) => (o.kind === 'present' ? [o.id] : []))).size
      const filtered = Math.max(0, present - linked)
      // What changes while it is listed may be listed again.
      source += isNew + filtered + bad.length
      unreadable += bad.length
      tally = addTally(tally, { ...NO_TALLY, filtered })
    },
    vanish(observations) {
      for (const { kind } of observations) {
        if (kind === 'absent') absent++
        else unlisted++
      }
    },
    async end(complete, run) {
      const reports = target.resource.deletes === 'reported'
      const missed = Math.max(0, tally.missed - tally.filtered)
      const gone = Math.min(absent, run.counts['gone'] ?? 0)
      const inward: Inward = {
        ...tally,
        first,
        complete,
        // What is kept out was unknown as well, and stays so.
        missing: Math.max(0, (first ? source - unreadable : tally.missing) - tally.filtered),
        missed: told ? missed + (reports ? gone : 0) : 0,
        gone,
        kept: absent - gone,
        unlisted,
        unreadable,
      }
      return {
        target,
        source,
        hub: held,
        inward,
        runId: Object.keys(run.counts).length > 0 ? await run.id() : null,
      }
    },
  }
}

async function tallyOf(
  hub: Hub,
  target: Target,
  observations: readonly Observation[],
  youngest: Instant,
): Promise<Tally> {
  const present = [
    ...new Map(observations.flatMap((o) => (o.kind === 'present' ? [[o.id, o] as const] : []))).values(),
  ]
  const known = new Map(
    (await lastSeen(hub.session.q, target.id, present)).map((link) => [link.remoteId, link]),
  )
  let [missing, changed, missed] = [0, 0, 0]
  for (const { id, version, body, modifiedAt } of present) {
    const link = known.get(id)
    const isMissing = link === undefined || link.state === 'gone'
    const isSame = link !== undefined && (link.isSame || (version === null && same(link.observed, body)))
    if (!isMissing && isSame) continue
    if (isMissing) missing++
    else changed++
    if (modifiedAt === null || modifiedAt < youngest) missed++
  }
  return { ...NO_TALLY, missing, changed, missed }
}

/** Whether a pass over the changes can show first what the source reports by itself, so that the rest is known as missed. */
export async function reportsFirst(hub: Hub, target: Target): Promise<boolean> {
  const { cursor, needsSweep, held } = await readStream(hub.session.q, target.id)
  return cursor !== null && !needsSweep && !held && !hub.preview
}

/** Keeps what full comparisons of a connection found, with how its streams stand the other way, after all was sent. */
export async function keepComparisons(
  hub: Hub,
  targets: readonly Target[],
  compared: readonly Compared[],
): Promise<void> {
  if (hub.preview) return
  const { q } = hub.session
  for (const target of targets) {
    const found = compared.find((one) => one.target.id === target.id)
    if (found === undefined && target.stream.direction !== 'out') continue
    const { id, stream } = target
    const creates = creatingStreams(hub, stream.record).includes(id)
    const out = target.push === null ? null : await countOutward(q, { id, record: stream.record, creates })
    const hubCount = found?.hub ?? (await population(q, id))
    const source = found?.source ?? hubCount
    const drift: Drift = { in: found?.inward ?? null, out }
    await saveReconciliation(q, {
      streamId: id,
      at: hub.clock.now(),
      source,
      hub: hubCount,
      drift,
      runId: found?.runId ?? null,
    })
  }
  await wakeAlarms(q)
}

export type StreamReconciliation = Reconciliation & { readonly stream: string }

/** The last full comparison of each stream of these connections. */
export async function lastComparisons(
  hub: Hub,
  connections: readonly string[],
): Promise<readonly StreamReconciliation[]> {
  const targets = hub.targets.filter(({ stream }) => connections.includes(stream.connection))
  const rows = await lastReconciliations(
    hub.session.q,
    targets.map(({ id }) => id),
    1,
  )
  return targets.flatMap(({ id, label }) =>
    rows.filter((row) => row.streamId === id).map((row) => ({ ...row, stream: label })),
  )
}

/** Full comparisons, the latest first, before an id where one is given. */
export async function comparisons(
  hub: Hub,
  filter: { readonly connection: string | null; readonly before: number | null; readonly limit: number },
): Promise<readonly StreamReconciliation[]> {
  const labels = new Map(
    hub.targets
      .filter(({ stream }) => filter.connection === null || stream.connection === filter.connection)
      .map(({ id, label }) => [id, label]),
  )
  const rows = await listReconciliations(hub.session.q, { ...filter, streams: [...labels.keys()] })
  return rows.map((row) => ({ ...row, stream: labels.get(row.streamId) ?? '' }))
}
