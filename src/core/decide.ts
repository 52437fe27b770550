import { isEmpty, same, textsIn, unreachable, type Instant, type Json } from './json.ts'
import type { Policy } from './lens.ts'
import type { Provenance, Source } from './model.ts'

/** One lens seen from its three states. `base` is undefined until the sides have agreed once. */
export type Sides = {
  readonly hub: Json | undefined
  readonly remote: Json | undefined
  readonly base: { readonly hub: Json | undefined; readonly remote: Json | undefined } | undefined
  readonly hubSays: Provenance | undefined
  /** `modifiedAt` is null where the vendor does not state a time that can be trusted. */
  readonly remoteSays: { readonly source: Source; readonly modifiedAt: Instant | null }
}

export type Loser = { readonly source: Source; readonly value: Json }

/** What becomes of one lens. `rule` says why, in words an admin reads in `explain`. */
export type Decision =
  | { readonly kind: 'keep' }
  /** `rule`: the remote says the same and outranks the hub's source, so the value is the remote's from now on. */
  | { readonly kind: 'agree'; readonly rule?: string }
  | { readonly kind: 'take'; readonly value: Json; readonly rule: string; readonly lost?: Loser }
  | { readonly kind: 'push'; readonly value: Json; readonly rule: string; readonly lost?: Loser }
  | {
      readonly kind: 'both'
      readonly value: Json
      readonly rule: string
      readonly lost?: Loser
      readonly overruled?: Loser
    }
  | { readonly kind: 'ask'; readonly rule: string }

type Edit = 'none' | 'edited'

/** Three-way merge of one lens: detect each side's edit against its own side of the base, then settle. */
export function decide(sides: Sides, policy: Policy, set: boolean): Decision {
  const { hub, remote, base } = sides
  if (remote === undefined) {
    const edited = base === undefined ? !isEmpty(hub) : !same(hub, base.hub)
    return edited ? push(sides, 'the remote says nothing') : { kind: 'keep' }
  }
  if (base === undefined) return firstMeeting(sides, policy, set)
  const hubEdit: Edit = same(hub, base.hub) ? 'none' : 'edited'
  const remoteEdit: Edit = same(remote, base.remote) ? 'none' : 'edited'
  switch (`${hubEdit}/${remoteEdit}` as const) {
    case 'none/none':
      return { kind: 'keep' }
    case 'edited/none':
      // An owner that is empty leaves the field to the others.
      return owns(policy, sides.remoteSays.source) && !owns(policy, sides.hubSays?.source) && !isEmpty(remote)
        ? putBack(sides, base.hub)
        : push(sides, 'edited in the hub only')
    case 'none/edited':
      if (same(hub, remote)) return { kind: 'agree' }
      if (set && policy.kind !== 'owner') return mergeSets(sides)
      return policy.kind === 'owner' && !owns(policy, sides.remoteSays.source) && !isEmpty(hub)
        ? push(sides, `owned by ${policy.source}`)
        : take(sides, `edited at ${sides.remoteSays.source} only`)
    case 'edited/edited':
      return same(hub, remote) ? agree(sides, policy) : settle(sides, policy, set)
  }
}

/** Nothing was agreed yet: empty never overwrites a value. */
function firstMeeting(sides: Sides, policy: Policy, set: boolean): Decision {
  const { hub, remote, hubSays, remoteSays } = sides
  if (isEmpty(remote))
    return isEmpty(hub) ? { kind: 'agree' } : push(sides, 'first match: empty at the remote')
  if (isEmpty(hub)) return take(sides, `first match: empty in the hub`)
  if (same(hub, remote)) return agree(sides, policy)
  if (set && policy.kind !== 'owner') return mergeSets(sides)
  // The owner may be empty or not linked yet: until it speaks, two others are compared like any two.
  const stranger =
    policy.kind === 'owner' && !owns(policy, hubSays?.source) && !owns(policy, remoteSays.source)
  return settle(sides, stranger ? { kind: 'newest' } : policy, set)
}

/** Both sides say something else: the policy decides, the same way whichever was seen first. */
function settle(sides: Sides, policy: Policy, set: boolean): Decision {
  switch (policy.kind) {
    case 'owner':
      return owns(policy, sides.remoteSays.source)
        ? take(sides, `owned by ${policy.source}`)
        : push(sides, `owned by ${policy.source}`)
    case 'prefer':
    case 'newest': {
      if (set) return mergeSets(sides)
      const { remoteWins, rule } = compare(sides, policy)
      return remoteWins ? take(sides, rule) : push(sides, rule)
    }
    case 'union':
      return set ? mergeSets(sides) : { kind: 'ask', rule: 'union needs a set' }
    case 'ask':
      return { kind: 'ask', rule: 'the policy is to ask' }
    default:
      return unreachable(policy)
  }
}

/**
 * Both sides say the same. Where the remote outranks the hub's source, the value becomes the remote's: otherwise a
 * third source that outranks only the first would overwrite what a better one said too.
 */
function agree(sides: Sides, policy: Policy): Decision {
  if (policy.kind !== 'prefer' && policy.kind !== 'newest') return { kind: 'agree' }
  if (sides.hubSays?.source === sides.remoteSays.source) return { kind: 'agree' }
  const { remoteWins, rule } = compare(sides, policy)
  return remoteWins ? { kind: 'agree', rule } : { kind: 'agree' }
}

function compare(
  sides: Sides,
  policy: Extract<Policy, { kind: 'prefer' | 'newest' }>,
): { readonly remoteWins: boolean; readonly rule: string } {
  const hub: Says = sides.hubSays ?? { source: 'hub', at: null }
  const remote: Says = { source: sides.remoteSays.source, at: sides.remoteSays.modifiedAt }
  const remoteWins = outranks(policy, remote, hub)
  if (policy.kind === 'prefer' && rank(policy.order, hub.source) !== rank(policy.order, remote.source)) {
    const [winner, loser] = remoteWins ? [remote, hub] : [hub, remote]
    return { remoteWins, rule: `${winner.source} is preferred to ${loser.source}` }
  }
  return { remoteWins, rule: remoteWins ? `newer at ${remote.source}` : `newer from ${hub.source}` }
}

type Says = { readonly source: Source; readonly at: Instant | null }

/**
 * Under `prefer` the source named first, else the later one. A time nobody states loses; equal times go by source
 * name, so that the order of arrival never decides.
 */
export function outranks(policy: Policy, a: Says, b: Says): boolean {
  if (policy.kind === 'prefer') {
    const difference = rank(policy.order, a.source) - rank(policy.order, b.source)
    if (difference !== 0) return difference < 0
  }
  const at = (says: Says) => says.at ?? Number.NEGATIVE_INFINITY
  return at(a) === at(b) ? a.source < b.source : at(a) > at(b)
}

/** A source is named as it is, or as its class before the colon (`user` for `user:ann`). */
const names = (name: Source, source: Source): boolean => name === source || name === source.split(':')[0]

const owns = (policy: Policy, source: Source | undefined): boolean =>
  policy.kind === 'owner' && source !== undefined && names(policy.source, source)

/** Unnamed sources come last. */
function rank(order: readonly Source[], source: Source): number {
  const at = order.findIndex((name) => names(name, source))
  return at === -1 ? order.length : at
}

/** Members added or removed on either side; hub members keep their place, so the primary one stays primary. */
function mergeSets(sides: Sides): Decision {
  const hub = members(sides.hub)
  const remote = members(sides.remote)
  const known = members(sides.base?.remote)
  const removed = known.filter((item) => !remote.includes(item))
  const added = remote.filter((item) => !known.includes(item) && !hub.includes(item))
  // A changed single value takes the old one's place instead of going to the end.
  const merged = hub.flatMap((item) => (removed.includes(item) ? (item === removed[0] ? added : []) : [item]))
  const united = hub.includes(removed[0] ?? '') ? merged : [...merged, ...added]
  const value = reordered(sides, known, remote) ? inOrderOf(remote, united) : united
  const canonical = value.length === 0 ? null : value
  if (same(value, hub)) return { kind: 'push', value: canonical, rule: 'the hub knows more members' }
  return { kind: 'both', value: canonical, rule: `members changed at ${sides.remoteSays.source}` }
}

/** Another member was made the primary one at the remote, and the hub has not been edited since. */
function reordered(sides: Sides, known: readonly string[], remote: readonly string[]): boolean {
  if (sides.base === undefined || !same(sides.hub, sides.base.hub)) return false
  const stayed = remote.filter((item) => known.includes(item))
  const before = known.filter((item) => remote.includes(item))
  return !same(stayed, before)
}

/** The members that `order` names take its order; the others keep their places. */
function inOrderOf(order: readonly string[], items: readonly string[]): readonly string[] {
  const sorted = order.filter((item) => items.includes(item)).values()
  return items.map((item) => (order.includes(item) ? (sorted.next().value ?? item) : item))
}

const members = (value: Json | undefined): readonly string[] => [...new Set(textsIn(value))]

function take(sides: Sides, rule: string): Decision {
  const value = sides.remote ?? null
  if (isEmpty(sides.hub) || (sides.base !== undefined && same(sides.hub, sides.base.hub))) {
    return { kind: 'take', value, rule }
  }
  return {
    kind: 'take',
    value,
    rule,
    lost: { source: sides.hubSays?.source ?? 'hub', value: sides.hub ?? null },
  }
}

/** A hub edit to what the remote owns. The hub's side of the base returns: the remote's may be cut short or rounded. */
function putBack(sides: Sides, agreed: Json | undefined): Decision {
  const decision = take(sides, `owned by ${sides.remoteSays.source}`)
  return decision.kind === 'take' && agreed !== undefined ? { ...decision, value: agreed } : decision
}

function push(sides: Sides, rule: string): Decision {
  const value = sides.hub ?? null
  if (isEmpty(sides.remote) || (sides.base !== undefined && same(sides.remote, sides.base.remote))) {
    return { kind: 'push', value, rule }
  }
  return { kind: 'push', value, rule, lost: { source: sides.remoteSays.source, value: sides.remote ?? null } }
}
