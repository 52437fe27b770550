import { decide, outranks, type Decision, type Sides } from './decide.ts'
import { isEmpty, isObject, same, type Json, type JsonObject } from './json.ts'
import { effective, read, spread, type Lens } from './lens.ts'
import { provenanceOf, type FieldName, type HubRecord, type Provenance } from './model.ts'

/** Fields whose value the remote says too, and outranks: by field, the rule. */
export type Confirmed = Readonly<Record<FieldName, string>>
/** The sides of one lens; who speaks for the hub is found out here. */
type SidesOf = Omit<Sides, 'hubSays'>
export type Settled = { readonly decision: Decision; readonly confirmed: Confirmed }

/** What becomes of one lens, whatever it spans: `decide` for the whole, field by field where that loses no edit. */
export function settleLens(lens: Lens, record: HubRecord, sides: SidesOf, body: Json): Settled {
  const whole: Sides = { ...sides, hubSays: hubSays(lens, record, sides) }
  if (lens.direction === 'out') return settled(outward(decide(whole, lens.policy, lens.set), whole))
  if (restates(lens, sides, body)) return settled({ kind: 'agree' })
  if (lens.fields.length > 1 && sides.base === undefined && sides.remote !== undefined)
    return meetByField(lens, record, sides)
  const apart = separateEdits(lens, sides)
  if (apart !== undefined) {
    const rule = `other fields edited at ${sides.remoteSays.source}`
    return settled({ kind: 'both', value: apart, rule })
  }
  const decision = decide(whole, lens.policy, lens.set)
  if (decision.kind === 'take' && same(sides.hub, sides.base?.hub))
    return settled({ ...decision, value: uncut(lens, sides, decision.value) })
  if (decision.kind === 'take' && same(sides.remote, sides.base?.remote))
    return settled(sparing(lens, sides, decision))
  if (decision.kind !== 'agree' || decision.rule === undefined) return settled(decision)
  const { rule } = decision
  return settled(decision, Object.fromEntries(edited(lens, sides).map((field) => [field, rule])))
}

const settled = (decision: Decision, confirmed: Confirmed = {}): Settled => ({ decision, confirmed })

/** A lens that only writes never takes: it puts the hub's value back. What the hub never said blanks nothing. */
function outward(decision: Decision, { hub, remote, base, remoteSays }: Sides): Decision {
  if (decision.kind === 'keep' || decision.kind === 'push') return decision
  if (hub === undefined || (base === undefined && isEmpty(hub))) return { kind: 'keep' }
  if (same(hub, remote)) return { kind: 'agree' }
  const push = { kind: 'push', value: hub, rule: 'only the hub writes this' } as const
  return isEmpty(remote) ? push : { ...push, lost: { source: remoteSays.source, value: remote ?? null } }
}

/**
 * Both sides moved, and writing the hub's value would change nothing at the remote: it says the same in its own words.
 */
function restates(lens: Lens, { hub, remote, base }: SidesOf, body: Json): boolean {
  if (lens.set || lens.direction !== 'both' || hub === undefined || isEmpty(hub) || isEmpty(remote))
    return false
  if (base !== undefined && (same(hub, base.hub) || same(remote, base.remote))) return false
  if (lens.fields.some((field) => isEmpty(part(lens, hub, field)) && !isEmpty(part(lens, remote, field))))
    return false
  const patch = lens.put(hub, body)
  return Object.keys(patch).length > 0 && effective(patch, body) === null && !same(hub, remote)
}

/** First match of a lens over several fields: each by itself, so that an empty one overwrites nothing. */
function meetByField(lens: Lens, record: HubRecord, sides: SidesOf): Settled {
  const { hub, remote, remoteSays } = sides
  const met = lens.fields.map((field) => {
    const mine = part(lens, hub, field)
    const theirs = part(lens, remote, field)
    const says = provenanceOf(record, field)
    const of: Sides = { hub: mine, remote: theirs ?? null, base: undefined, hubSays: says, remoteSays }
    return { field, mine, decision: decide(of, lens.policy, false) }
  })
  const asked = met.find(({ decision }) => decision.kind === 'ask')
  if (asked !== undefined) return settled(asked.decision)
  const value: JsonObject = Object.fromEntries(
    met.map(({ field, mine, decision: d }) => [field, d.kind === 'take' ? d.value : (mine ?? null)]),
  )
  const confirmed: Record<FieldName, string> = {}
  for (const { field, decision } of met) {
    if (decision.kind === 'agree' && decision.rule !== undefined) confirmed[field] = decision.rule
  }
  const taken = met.flatMap(({ decision: d }) => (d.kind === 'take' ? [d] : []))
  const kept = met.flatMap(({ decision: d }) => (d.kind === 'push' ? [d] : []))
  const lost = taken.find((d) => d.lost !== undefined)?.lost
  const losing = kept.some((d) => d.lost !== undefined)
  const loser = losing ? { source: remoteSays.source, value: remote ?? null } : undefined
  const [first] = taken
  if (first === undefined) {
    const [push] = kept
    if (push === undefined) return settled({ kind: 'agree' }, confirmed)
    return settled({ kind: 'push', value, rule: push.rule, ...(loser && { lost: loser }) }, confirmed)
  }
  const rule = first.rule
  const both = {
    kind: 'both',
    value,
    rule,
    ...(lost && { lost }),
    ...(loser && { overruled: loser }),
  } as const
  return settled(both, confirmed)
}

/** A hub edit put back by the owner: the fields that the owner leaves empty keep what others said, and go there. */
function sparing(lens: Lens, { hub }: SidesOf, decision: Extract<Decision, { kind: 'take' }>): Decision {
  if (lens.fields.length < 2) return decision
  const owned = spread(lens, decision.value)
  const value = Object.fromEntries(
    lens.fields.map((field) => [
      field,
      (isEmpty(owned[field]) ? part(lens, hub, field) : owned[field]) ?? null,
    ]),
  )
  return same(value, decision.value) ? decision : { ...decision, kind: 'both', value }
}

/** Edits on both sides, to different fields of one lens: both stand. Undefined where a field was edited twice. */
function separateEdits(lens: Lens, sides: SidesOf): JsonObject | undefined {
  const { hub, remote, base } = sides
  if (lens.fields.length < 2 || lens.policy.kind === 'owner' || base === undefined) return undefined
  if (hub === undefined || remote === undefined || !faithful(lens, base.hub)) return undefined
  if (same(hub, base.hub) || same(remote, base.remote)) return undefined
  const value: Record<FieldName, Json> = {}
  for (const field of lens.fields) {
    const [mine, theirs] = [part(lens, hub, field), part(lens, remote, field)]
    const here = !same(mine, part(lens, base.hub, field))
    const there = !same(theirs, part(lens, base.remote, field))
    if (here && there && !same(mine, theirs)) return undefined
    value[field] = (there ? theirs : mine) ?? null
  }
  return value
}

/** A one-sided remote edit brings only the parts that changed: the others may be cut short or rounded there. */
function uncut(lens: Lens, { remote, base }: SidesOf, value: Json): Json {
  const [was, agreed] = [base?.remote, base?.hub]
  if (!same(value, remote) || !isObject(value) || !isObject(was) || !isObject(agreed)) return value
  if (same(was, agreed) || !faithful(lens, agreed)) return value
  const parts: Record<string, Json> = {}
  for (const key of new Set([...Object.keys(agreed), ...Object.keys(value)])) {
    const kept = same(value[key], was[key]) ? agreed[key] : value[key]
    if (kept !== undefined) parts[key] = kept
  }
  return parts
}

/** The lens itself returns this value part by part: what differs at the remote is the vendor's doing. */
function faithful(lens: Lens, value: Json | undefined): boolean {
  if (value === undefined) return true
  const reading = read(lens, lens.put(value, null))
  return reading.kind === 'value' && same(reading.value, value)
}

/** Who speaks for the hub: of the fields edited since the base, the source that counts most under the policy. */
function hubSays(lens: Lens, record: HubRecord, sides: SidesOf): Provenance | undefined {
  const says = edited(lens, sides).flatMap((field) => provenanceOf(record, field) ?? [])
  return says.reduce<Provenance | undefined>(
    (best, next) => (best === undefined || outranks(lens.policy, next, best) ? next : best),
    undefined,
  )
}

function edited(lens: Lens, { hub, base }: SidesOf): readonly FieldName[] {
  const changed = lens.fields.filter((f) => !same(part(lens, hub, f), part(lens, base?.hub, f)))
  return base === undefined || changed.length === 0 ? lens.fields : changed
}

function part(lens: Lens, value: Json | undefined, field: FieldName): Json | undefined {
  return value === undefined ? undefined : spread(lens, value)[field]
}
