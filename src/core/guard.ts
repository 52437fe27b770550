import { isEmpty, isObject, same, type Instant, type Json, type JsonObject } from './json.ts'
import { read, type Lens } from './lens.ts'
import type { FieldName, RecordId } from './model.ts'
import type { Base } from './plan.ts'

/** What a page or run would do that is hard to take back. Counts are records, not fields. */
export type Harm = { readonly deletes: number; readonly blanks: number; readonly optIns: number }
export type What = keyof Harm
export const NO_HARM: Harm = { deletes: 0, blanks: 0, optIns: 0 }
const WHATS = ['deletes', 'blanks', 'optIns'] as const

/** Harm may reach `share` of the stream's records, or `atLeast` records where that is more. */
export type GuardLimits = { readonly share: number; readonly atLeast: number }
export const DEFAULT_LIMITS: GuardLimits = { share: 0.1, atLeast: 25 }

export type Verdict =
  | { readonly kind: 'pass' }
  | {
      readonly kind: 'hold'
      readonly what: What
      readonly count: number
      readonly allowed: number
      readonly population: number
    }

/** From this many records on, losing or blanking all of them is held, however small the stream. */
const WHOLE_STREAM = 5

/** So many records may be harmed in an hour. */
export const guardLimit = (population: number, { share, atLeast }: GuardLimits): number =>
  // 0.29 * 100 is 28.999999999999996.
  Math.max(atLeast, Math.floor(population * share + 1e-9))

/**
 * Stops mass deletes, mass blanking and mass opt-ins before they are written. `harm` is all of the last hour and of the
 * run so far; `allowance` is what an approved plan lets through besides.
 */
export function guard(
  harm: Harm,
  population: number,
  limits: GuardLimits,
  allowance: Harm = NO_HARM,
): Verdict {
  const share = guardLimit(population, limits)
  for (const what of WHATS) {
    const spares = what !== 'optIns' && population >= WHOLE_STREAM
    const allowed = Math.max(spares ? Math.min(share, population - 1) : share, allowance[what])
    if (harm[what] > allowed) return { kind: 'hold', what, count: harm[what], allowed, population }
  }
  return { kind: 'pass' }
}

/** What an approved plan lets through besides, and how long the approval counts. */
export type Allowance = Harm & { readonly until: Instant }

export const allowanceAt = (allowance: Allowance | undefined, at: Instant): Harm =>
  allowance !== undefined && at < allowance.until ? allowance : NO_HARM

export function addHarm(a: Harm, b: Harm): Harm {
  return { deletes: a.deletes + b.deletes, blanks: a.blanks + b.blanks, optIns: a.optIns + b.optIns }
}

export const total = (harm: Harm): number => harm.deletes + harm.blanks + harm.optIns

/** One record's change that the guard counts, as a person decides about it. */
export type HarmfulChange = {
  readonly what: What
  readonly recordId: RecordId
  readonly remoteId: string | null
  /** Names the record for people. */
  readonly title: string
  /** By field: {before, after}. */
  readonly changes: JsonObject
  /** What a verdict is about: the same record in another state is judged anew. */
  readonly stamp: string
}

/** A change's name within its stream and side. */
export const changeKey = (change: Pick<HarmfulChange, 'what' | 'recordId'>): string =>
  `${change.what} ${change.recordId}`

export function countHarm(changes: readonly HarmfulChange[]): Harm {
  const of = (what: What) => changes.filter((change) => change.what === what).length
  return { deletes: of('deletes'), blanks: of('blanks'), optIns: of('optIns') }
}

/** The harm of five minutes each, from `since` on: a thousand runs of one delete each are a mass change too. */
export type Recent = readonly { readonly since: Instant; readonly harm: Harm }[]
const SLICE_MS = 300_000
/** An hour since the slice ended, so that no sixty minutes see more than the limit. */
const COUNTS_MS = 3_600_000 + SLICE_MS

/**
 * What counts of the harm before a run: of a run that lasts longer than an hour, nothing is forgotten. Nor while something
 * is held, or what is held would go through in parts.
 */
const counting = (recent: Recent, startedAt: Instant, isHeld: boolean): Recent =>
  recent.filter(({ since }) => isHeld || startedAt - since < COUNTS_MS)

export const recentHarm = (recent: Recent, startedAt: Instant, isHeld: boolean): Harm =>
  counting(recent, startedAt, isHeld).reduce((sum, { harm }) => addHarm(sum, harm), NO_HARM)

export function withRecent(
  recent: Recent,
  more: Harm,
  { at, startedAt, isHeld }: { readonly at: Instant; readonly startedAt: Instant; readonly isHeld: boolean },
): Recent {
  const slices = new Map<Instant, Harm>()
  // All that is older makes one slice, which the next run forgets.
  const oldest = at - (at % SLICE_MS) - COUNTS_MS
  for (const { since, harm } of [...counting(recent, startedAt, isHeld), { since: at, harm: more }]) {
    const slice = Math.max(oldest, since - (since % SLICE_MS))
    slices.set(slice, addHarm(slices.get(slice) ?? NO_HARM, harm))
  }
  return [...slices].map(([since, harm]) => ({ since, harm }))
}

/** The base after a person refused what a remote emptied: the hub counts as the only side that was edited since. */
export function keepHub(lenses: readonly Lens[], base: Base, body: Json, fields: readonly FieldName[]): Base {
  const next: Record<string, { hub?: Json; remote?: Json }> = { ...base }
  for (const lens of lenses) {
    if (!lens.fields.some((field) => fields.includes(field))) continue
    const reading = read(lens, body)
    if (reading.kind === 'value') next[lens.key] = { remote: reading.value }
  }
  return next
}

/** The base after a person refused to have a remote emptied: the sides count as agreed, each on what it says. */
export function keepRemote(
  lenses: readonly Lens[],
  base: Base,
  body: Json,
  valueOf: (lens: Lens) => Json | undefined,
): Base {
  const next: Record<string, { hub?: Json; remote?: Json }> = { ...base }
  for (const lens of lenses) {
    const reading = read(lens, body)
    const mine = valueOf(lens)
    if (lens.direction === 'in' || reading.kind !== 'value' || !loses(mine, reading.value)) continue
    next[lens.key] = { ...(mine === undefined ? {} : { hub: mine }), remote: reading.value }
  }
  return next
}

/** Whether writing `mine` over `theirs` would take something away. */
function loses(mine: Json | undefined, theirs: Json): boolean {
  if (isObject(theirs) && isObject(mine))
    return Object.entries(theirs).some(([key, value]) => loses(mine[key], value))
  return isEmpty(mine) && !isEmpty(theirs)
}

/** What a patch takes away from an object, by path: {before, after}. */
export function emptied(patch: JsonObject, observed: Json, path = ''): JsonObject {
  if (!isObject(observed)) return {}
  const gone: Record<string, Json> = {}
  for (const [key, value] of Object.entries(patch)) {
    const there = observed[key]
    if (isObject(value) && isObject(there)) Object.assign(gone, emptied(value, there, `${path}${key}.`))
    else if (isEmpty(value) && !isEmpty(there) && !same(value, there))
      gone[`${path}${key}`] = { before: there ?? null, after: value }
  }
  return gone
}
