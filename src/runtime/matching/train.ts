import { MATCHED_KINDS, type MatchedKind } from '../../core/duplicates.ts'
import { parsedJson, type JsonObject } from '../../core/json.ts'
import { compare } from '../../core/match/compare.ts'
import { bundle, type Pattern } from '../../core/match/em.ts'
import { blockingKeys, familyOf } from '../../core/match/keys.ts'
import { FEWEST_RECORDS, learn, openBlocked, type Blocked } from '../../core/match/learn.ts'
import { DEFAULT_MODELS, type Model } from '../../core/match/model.ts'
import type { Prepared } from '../../core/match/prepare.ts'
import { countTerms } from '../../core/match/terms.ts'
import { subjectOf } from '../../core/match/traits.ts'
import type { RecordId } from '../../core/model.ts'
import { countLive, readModel, sampleIds, saveModel } from '../../store/match-models.ts'
import { holdersOf, loadRecognised, pairKey, pairOf } from '../../store/matching.ts'
import type { Hub } from '../hub.ts'
import { LARGEST_BLOCK } from './candidates.ts'
import { comparerWith, knownOf, type Comparer, type Known } from './comparer.ts'
import { storedModel } from './stored-model.ts'

/** Bounds of memory and time, whatever the number of records. */
const SAMPLE = 10_000
const ANCHORS = 3_000
const STRANGERS = 20_000
const PAIRS = 100_000
const PAGE = 500

export type Trained =
  | { readonly kind: 'trained'; readonly records: number; readonly model: Model }
  | { readonly kind: 'too few'; readonly records: number; readonly needed: number }

/**
 * Learns from a sample of the hub's own records, without anybody's labels, how far the same one and how far strangers
 * agree, and has it count from now on. What was compared before stays as it is: see `queueAll`. Too few records teach
 * nothing, and the shipped weights stand.
 */
export async function train(hub: Hub, kind: MatchedKind): Promise<Trained> {
  const { q } = hub.session
  const records = await countLive(q, kind)
  if (records < FEWEST_RECORDS) return { kind: 'too few', records, needed: FEWEST_RECORDS }
  const comparer = comparerWith(kind, DEFAULT_MODELS[subjectOf(kind)])
  const ids = shuffled(await sampleIds(q, kind, SAMPLE, records, hub.random()), hub.random)
  const sample = new Map<RecordId, Known>()
  for (let i = 0; i < ids.length; i += PAGE) {
    const page = await loadRecognised(q, kind, ids.slice(i, i + PAGE))
    for (const [id, one] of knownOf(comparer, page)) sample.set(id, one)
  }
  const known = [...sample.values()]
  const anchors = known.slice(0, ANCHORS)
  const part = anchors.length / Math.max(records, anchors.length)
  const { pairs, used } = await blockedPairs(hub, comparer, anchors, sample)
  const usedPart = part * used
  const model = learn(subjectOf(kind), {
    records,
    random: strangers(known, hub.random),
    blocked: pairs,
    // A pair is there where at least one of the two is an anchor.
    share: 1 - (1 - usedPart) ** 2,
    terms: countTerms(known.map((one) => one.prepared)),
  })
  if (model.learned === null) return { kind: 'too few', records, needed: FEWEST_RECORDS }
  await saveModel(q, kind, { model: asJson(model), records, trainedAt: hub.clock.now() })
  return { kind: 'trained', records, model }
}

/** From so many records on, a hub learns by itself. */
const LEARNS_FROM = 2_000
const WEEK_MS = 7 * 86_400_000

/** Learns anew where the model is a week old or another Concord's, or there are twice the records: see `jobs`. */
export async function trainWhenDue(hub: Hub): Promise<void> {
  for (const kind of MATCHED_KINDS) {
    const records = await countLive(hub.session.q, kind)
    const last = await readModel(hub.session.q, kind)
    const isOld =
      last === null ||
      storedModel(last.model) === null ||
      hub.clock.now() - last.trainedAt >= WEEK_MS ||
      records >= 2 * last.records
    if (records >= LEARNS_FROM && isOld) await train(hub, kind)
  }
}

/** The pairs of anchors with whoever shares a key with them, under every key; `used`: of which part of the anchors. */
async function blockedPairs(
  { session: { q } }: Hub,
  comparer: Comparer,
  anchors: readonly Known[],
  sample: ReadonlyMap<RecordId, Known>,
): Promise<{ readonly pairs: Blocked; readonly used: number }> {
  const pairs = openBlocked()
  let count = 0
  const met = new Set<string>()
  let used = 0
  for (let i = 0; i < anchors.length && count < PAIRS; i += PAGE) {
    const page = anchors.slice(i, i + PAGE)
    used += page.length
    const named = page.map((one) => ({ one, keys: namedKeys(comparer, one.prepared) }))
    const hashes = [...new Set(named.flatMap(({ keys }) => keys.map(({ hash }) => hash)))]
    const holders = await holdersOf(q, hashes, LARGEST_BLOCK)
    const missing = [...new Set([...holders.values()].flat())].filter((id) => !sample.has(id))
    const others = knownOf(comparer, await loadRecognised(q, comparer.kind, missing))
    for (const { one, keys } of named) {
      const seen = new Set<RecordId>()
      for (const { key, hash } of keys)
        for (const id of holders.get(hash) ?? []) {
          const other = sample.get(id) ?? others.get(id)
          const pair = pairKey(pairOf(one.id, id))
          if (id === one.id || other === undefined || (met.has(pair) && !seen.has(id))) continue
          met.add(pair)
          count++
          pairs.add({
            family: familyOf(key),
            agreement: compare(one.prepared, other.prepared),
            first: !seen.has(id),
          })
          seen.add(id)
        }
    }
  }
  return { pairs: pairs.done(), used: anchors.length === 0 ? 1 : used / anchors.length }
}

const namedKeys = (comparer: Comparer, prepared: Prepared) => {
  const hashes = comparer.keys(prepared)
  return blockingKeys(prepared).map((key, i) => ({ key, hash: hashes[i] ?? 0 }))
}

function strangers(known: readonly Known[], random: () => number): readonly Pattern[] {
  const pick = () => known[Math.floor(random() * known.length)]
  const pairs = Array.from({ length: STRANGERS }, () => [pick(), pick()] as const)
  return bundle(
    pairs.flatMap(([a, b]) =>
      a === undefined || b === undefined || a.id === b.id ? [] : [compare(a.prepared, b.prepared)],
    ),
  )
}

function shuffled<T>(values: readonly T[], random: () => number): readonly T[] {
  return values
    .map((value) => ({ value, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value)
}

/** Plain JSON already; its type does not say so. */
const asJson = (model: Model): JsonObject => {
  const json = parsedJson(JSON.stringify(model))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json as JsonObject
}
