import { MATCHED_KINDS } from '../../src/core/duplicates.ts'
import { comparerOf, knownOf, type Comparer, type Known } from '../../src/runtime/matching/comparer.ts'
import { limitsOf } from '../../src/runtime/matching/thresholds.ts'
import { listItems } from '../../src/store/inbox.ts'
import { loadRecognised, pairKey, pairOf, streamsOf } from '../../src/store/matching.ts'
import { isKeptApart } from '../../src/store/merges.ts'
import type { Run, Violation } from './run.ts'

const broken = (message: string): Violation => ({ property: 'Likeness', message })

/** Pairs are weighed when one of the two changes, and weigh less when more people have come since. */
const TOLERANCE = { missing: 0.05, asked: 0.15 }
/** One key brings two together where so few have it; otherwise it takes two. */
const FEW = 5

/**
 * At rest, a person is asked about just the pairs that all pairs of records, compared with one another here and now, show
 * to be alike enough: each in one question, about two records that are there and were never said to be two.
 */
export async function alikeAsked(run: Run): Promise<readonly Violation[]> {
  const { sql } = run.ground
  const found: Violation[] = []
  const [queue] = await sql<{ n: number }[]>`select count(*)::int as n from match_queue`
  if ((queue?.n ?? 0) > 0) found.push(broken(`at rest, yet ${queue?.n} records wait to be compared`))
  const items = await listItems(sql, { state: 'open', kind: 'duplicate', limit: 10_000 })
  const asked = new Map(
    items.flatMap((item) => {
      const { probability, kind } = item.detail
      return typeof probability === 'number' ? [[item.key, { kind, probability }] as const] : []
    }),
  )
  const byKey = new Set(items.map((item) => item.key))
  for (const kind of MATCHED_KINDS) {
    const comparer = await comparerOf(run.process.hub, kind)
    const alike = await alikeOf(run, comparer)
    for (const [key, { margin, isMet, told }] of alike)
      if (isMet && margin > TOLERANCE.missing && !byKey.has(key))
        found.push(broken(`nobody is asked about ${key}: ${told}`))
    for (const [key, item] of asked) {
      const margin = alike.get(key)?.margin ?? Number.NEGATIVE_INFINITY
      if (item.kind === kind && margin < -TOLERANCE.asked)
        found.push(
          broken(
            `${key} is asked about (${item.probability}): ${alike.get(key)?.told ?? 'somebody is gone, or said they are two'}`,
          ),
        )
    }
  }
  return found
}

type Pair = {
  /** By how much they are likelier one than the threshold. */
  readonly margin: number
  /** They share enough keys to be compared. Once they were, they are compared again whatever they share. */
  readonly isMet: boolean
  readonly told: string
}

/** Of all who are there, the pairs that are not kept apart. */
async function alikeOf(run: Run, comparer: Comparer): Promise<ReadonlyMap<string, Pair>> {
  const { sql } = run.ground
  const people = await everybody(run, comparer)
  const limits = limitsOf(run.process.hub, comparer.kind)
  const sources = await streamsOf(
    sql,
    people.map(({ id }) => id),
  )
  const keys = new Map(people.map(({ id, prepared }) => [id, new Set(comparer.keys(prepared))]))
  const holders = Map.groupBy(
    [...keys.values()].flatMap((own) => [...own]),
    (key) => key,
  )
  const isRare = (key: number) => (holders.get(key)?.length ?? 0) <= FEW
  const pairs = people.flatMap((b, i) => people.slice(0, i).map((a) => [a, b] as const))
  const kept = await isKeptApart(
    sql,
    pairs.map(([a, b]) => [a.id, b.id] as const),
  )
  const apart = new Set(kept.map(([a, b]) => pairKey({ a, b })))
  return new Map(
    pairs.flatMap(([a, b]) => {
      const key = pairKey(pairOf(a.id, b.id))
      const shared = [...(keys.get(a.id) ?? [])].filter((one) => keys.get(b.id)?.has(one))
      if (apart.has(key)) return []
      const isMet = shared.length >= 2 || shared.some(isRare)
      const { probability, evidence } = comparer.compare(a.prepared, b.prepared)
      const { ask } = limits.of([...(sources.get(a.id) ?? []), ...(sources.get(b.id) ?? [])])
      const margin = ask === null ? Number.NEGATIVE_INFINITY : probability - ask
      return [[key, { margin, isMet, told: `${probability.toFixed(3)}, ${evidence()}` }] as const]
    }),
  )
}

async function everybody(run: Run, comparer: Comparer): Promise<readonly Known[]> {
  const { sql } = run.ground
  const table = comparer.kind === 'contact' ? 'contacts' : 'companies'
  const ids = await sql.unsafe<{ id: number }[]>(
    `select id from ${table} where archived_at is null order by id`,
  )
  const found = await loadRecognised(
    sql,
    comparer.kind,
    ids.map(({ id }) => id),
  )
  return [...knownOf(comparer, found).values()].toSorted((a, b) => a.id - b.id)
}
