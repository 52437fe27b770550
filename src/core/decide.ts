import { isEmpty, same, unreachable, type Instant, type Json } from './json.ts'
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
  | { readonly kind: 'agree' }
  | { readonly kind: 'take'; readonly value: Json; readonly rule: string; readonly lost?: Loser }
  | { readonly kind: 'push'; readonly value: Json; readonly rule: string; readonly lost?: Loser }
  | { readonly kind: 'both'; readonly value: Json; readonly rule: string }
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
      return push(sides, 'edited in the hub only')
    case 'none/edited':
      if (same(hub, remote)) return { kind: 'agree' }
      if (set && policy.kind !== 'owner') return mergeSets(sides)
      return policy.kind === 'owner' && policy.source !== sides.remoteSays.source
        ? push(sides, `owned by ${policy.source}`)
        : take(sides, `edited at ${sides.remoteSays.source} only`)
    case 'edited/edited':
      return same(hub, remote) ? { kind: 'agree' } : settle(sides, policy, set)
  }
}

/** Nothing was agreed yet: empty never overwrites a value. */
function firstMeeting(sides: Sides, policy: Policy, set: boolean): Decision {
  const { hub, remote, remoteSays } = sides
  if (same(hub ?? null, remote ?? null)) return { kind: 'agree' }
  if (isEmpty(remote))
    return isEmpty(hub) ? { kind: 'agree' } : push(sides, 'first match: empty at the remote')
  if (isEmpty(hub)) return take(sides, `first match: empty in the hub`)
  if (set && policy.kind !== 'owner') return mergeSets(sides)
  if (policy.kind === 'owner' && policy.source === remoteSays.source)
    return take(sides, `owned by ${policy.source}`)
  return settle(sides, policy, set)
}

/** Both sides say something else: the policy decides, the same way whichever was seen first. */
function settle(sides: Sides, policy: Policy, set: boolean): Decision {
  const { hubSays, remoteSays } = sides
  const hubSource = hubSays?.source ?? 'hub'
  switch (policy.kind) {
    case 'owner':
      return policy.source === remoteSays.source
        ? take(sides, `owned by ${policy.source}`)
        : push(sides, `owned by ${policy.source}`)
    case 'prefer': {
      const hubRank = rank(policy.order, hubSource)
      const remoteRank = rank(policy.order, remoteSays.source)
      if (hubRank === remoteRank) return newest(sides, hubSource)
      return remoteRank < hubRank
        ? take(sides, `${remoteSays.source} is preferred to ${hubSource}`)
        : push(sides, `${hubSource} is preferred to ${remoteSays.source}`)
    }
    case 'newest':
      return newest(sides, hubSource)
    case 'union':
      return set ? mergeSets(sides) : { kind: 'ask', rule: 'union needs a set' }
    case 'ask':
      return { kind: 'ask', rule: 'the policy is to ask' }
    default:
      return unreachable(policy)
  }
}

/** Later wins. A time nobody states loses; equal times go by source name, so that the order of arrival never decides. */
function newest(sides: Sides, hubSource: Source): Decision {
  const hubAt = sides.hubSays?.at ?? Number.NEGATIVE_INFINITY
  const remoteAt = sides.remoteSays.modifiedAt ?? Number.NEGATIVE_INFINITY
  const remoteWins = remoteAt === hubAt ? sides.remoteSays.source < hubSource : remoteAt > hubAt
  return remoteWins
    ? take(sides, `newer at ${sides.remoteSays.source}`)
    : push(sides, `newer from ${hubSource}`)
}

/** A source is named as it is, or as its class before the colon (`user` for `user:ann`); unnamed ones come last. */
function rank(order: readonly Source[], source: Source): number {
  const at = order.findIndex((name) => name === source || name === source.split(':')[0])
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
  const value = hub.includes(removed[0] ?? '') ? merged : [...merged, ...added]
  if (same(value, hub)) return push(sides, 'the hub knows more members')
  const rule = `members changed at ${sides.remoteSays.source}`
  return { kind: 'both', value: value.length === 0 ? null : value, rule }
}

const members = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

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

function push(sides: Sides, rule: string): Decision {
  const value = sides.hub ?? null
  if (isEmpty(sides.remote) || (sides.base !== undefined && same(sides.remote, sides.base.remote))) {
    return { kind: 'push', value, rule }
  }
  return { kind: 'push', value, rule, lost: { source: sides.remoteSays.source, value: sides.remote ?? null } }
}
