import { isEmpty, isObject, same, textOf, textsIn, type Json } from './json.ts'
import {
  fieldType,
  isDerived,
  isSet,
  provenanceOf,
  type FieldName,
  type Fields,
  type Provenance,
  type Provenances,
  type RecordId,
  type Source,
} from './model.ts'

/** The kinds of record that can be merged. */
export type MergedKind = 'contact' | 'company'

/** What one member of a merged record says by itself. */
export type Facet = {
  readonly id: RecordId
  readonly fields: Fields
  readonly provenance: Provenances
  /**
   * By field: the members whose later word about the merged record overruled this one's. Whoever edits a merged record
   * has seen what all of its members said, so the edit counts more than any of it, until that member leaves again.
   */
  readonly overruled: Readonly<Record<FieldName, readonly RecordId[]>>
}

/**
 * Whose value stands. `survivor`: the surviving record's. `prefer`: of the source named first. `longest`: the longest
 * text. `complete`: the most parts of an address. Among equals the survivor's, then the newest, then the lowest id.
 * Sets are always united, and consent is no field here: the strictest over all addresses counts, whatever is configured.
 */
export type SurvivorshipRule =
  | { readonly kind: 'survivor' | 'newest' | 'oldest' | 'longest' | 'complete' }
  | { readonly kind: 'prefer'; readonly order: readonly Source[] }

export type Survivorship = {
  readonly default: SurvivorshipRule
  readonly contact: Readonly<Record<FieldName, SurvivorshipRule>>
  readonly company: Readonly<Record<FieldName, SurvivorshipRule>>
}

export const DEFAULT_SURVIVORSHIP: Survivorship = { default: { kind: 'survivor' }, contact: {}, company: {} }

/** Fields that are said together: half of one person's name and half of another's is nobody's. */
export const GROUPS: Readonly<Record<MergedKind, readonly (readonly FieldName[])[]>> = {
  contact: [
    ['givenName', 'familyName'],
    ['company', 'companyName'],
  ],
  company: [],
}

/** The field with those that are said together with it. */
export const groupOf = (kind: MergedKind, field: FieldName): readonly FieldName[] =>
  GROUPS[kind].find((group) => group.includes(field)) ?? [field]

export type MergedField = {
  readonly field: FieldName
  readonly value: Json
  /** The members whose value it is; several for a set. */
  readonly from: readonly RecordId[]
  /** `survivor`, `newest`, `prefer user`, `union`, `the only one` … */
  readonly rule: string
  /** What others say, which does not stand. */
  readonly lost: readonly { readonly id: RecordId; readonly source: Source; readonly value: Json }[]
}

export type Golden = {
  readonly fields: Fields
  readonly provenance: Provenances
  readonly merged: readonly MergedField[]
}

/**
 * The record that members add up to, by the rules; derived fields are left out. Same result for every order of
 * `members`, and for every order in which they were merged, as it is always worked out from what each says by itself.
 * `root` is the member that survives; `primary` may name the member of a set that is to stay its first one.
 */
export function survive(
  kind: MergedKind,
  members: readonly Facet[],
  root: RecordId,
  rules: Survivorship,
  primary: Fields = {},
): Golden {
  const ordered = members.toSorted((a, b) => Number(b.id === root) - Number(a.id === root) || a.id - b.id)
  const names = new Set(ordered.flatMap((facet) => Object.keys(facet.fields)))
  const fields: Record<FieldName, Json> = {}
  const provenance: Record<FieldName, Provenance> = {}
  const merged: MergedField[] = []
  const general = ordered[0]?.provenance['*']
  if (general !== undefined) provenance['*'] = general
  const settledFields = new Set<FieldName>()
  for (const field of [...names].toSorted()) {
    if (settledFields.has(field) || isDerived(kind, field)) continue
    const picks = isSet(fieldType(kind, field))
      ? [unite(ordered, field, primary[field])]
      : pickGroup(ordered, groupOf(kind, field), rules[kind][field] ?? rules.default)
    for (const pick of picks) {
      settledFields.add(pick.field)
      const { says, ...told } = pick
      fields[pick.field] = pick.value
      if (says !== undefined) provenance[pick.field] = says
      merged.push(told)
    }
  }
  return { fields, provenance, merged }
}

type Pick = MergedField & { readonly says: Provenance | undefined }

const says = (facet: Facet, field: FieldName): Provenance | undefined =>
  provenanceOf({ ...facet, kind: 'contact', version: 0, archived: false }, field)

const isLive = (facet: Facet, field: FieldName): boolean => (facet.overruled[field] ?? []).length === 0

/** Members of all, those of the survivor first. */
function unite(ordered: readonly Facet[], field: FieldName, primary: Json | undefined): Pick {
  const contributors = ordered.filter((facet) => !isEmpty(facet.fields[field]))
  const all = [...new Set(contributors.flatMap((facet) => textsIn(facet.fields[field])))]
  const [first] = textsIn(primary)
  const value = first !== undefined && all.includes(first) ? [first, ...all.filter((v) => v !== first)] : all
  const [best] = contributors
  return {
    field,
    value: value.length === 0 ? null : value,
    from: contributors.map((facet) => facet.id),
    rule: contributors.length === 1 ? ONLY : 'union',
    lost: [],
    says: best === undefined ? undefined : says(best, field),
  }
}

const ONLY = 'the only one'

/** What one member (or what is left of several after edits) says of fields that belong together. */
type Bundle = {
  readonly parts: Readonly<Record<FieldName, Facet | undefined>>
  readonly facets: readonly Facet[]
}

const valueOf = (bundle: Bundle, field: FieldName): Json => bundle.parts[field]?.fields[field] ?? null

function pickGroup(
  ordered: readonly Facet[],
  group: readonly FieldName[],
  rule: SurvivorshipRule,
): readonly Pick[] {
  const whole = ordered.filter((facet) => group.every((field) => isLive(facet, field)))
  const partial = ordered.filter((facet) => !whole.includes(facet))
  const bundles: Bundle[] = whole.map((facet) => ({
    parts: Object.fromEntries(group.map((field) => [field, facet])),
    facets: [facet],
  }))
  // A part that was edited since stands beside those that were not: together they are what the merged record says.
  const left = group.map((field) => {
    const live = partial.filter((facet) => isLive(facet, field))
    const single = live.map((facet): Bundle => ({ parts: { [field]: facet }, facets: [facet] }))
    return [field, best(single, [field], rule, ordered)?.parts[field]] as const
  })
  const rest = left.flatMap(([, facet]) => facet ?? [])
  if (rest.length > 0)
    bundles.push({
      parts: Object.fromEntries(left.filter(([, facet]) => facet !== undefined)),
      facets: rest,
    })
  const stated = bundles.filter((bundle) => group.some((field) => !isEmpty(valueOf(bundle, field))))
  const winner = best(stated, group, rule, ordered)
  const filler = winner === undefined ? undefined : donorOf(stated, winner, group, rule, ordered)
  return group.flatMap((field): readonly Pick[] => {
    if (!ordered.some((facet) => facet.fields[field] !== undefined)) return []
    const isGap = winner !== undefined && filler !== undefined && fills(winner, filler, field, ordered)
    const donor = isGap ? filler : undefined
    const stands = (donor ?? winner)?.parts[field]
    const value = stands?.fields[field] ?? null
    return [
      {
        field,
        value,
        from: stands === undefined || isEmpty(value) ? [] : [stands.id],
        rule:
          donor === undefined ? ruleName(stated, winner, group, rule) : 'fills what the other leaves open',
        lost: ordered.flatMap((facet) => lostBy(facet, field, value)),
        says: stands === undefined ? undefined : says(stands, field),
      },
    ]
  })
}

function lostBy(facet: Facet, field: FieldName, value: Json): MergedField['lost'] {
  const mine = facet.fields[field] ?? null
  if (isEmpty(mine) || same(mine, value)) return []
  return [{ id: facet.id, source: says(facet, field)?.source ?? 'hub', value: mine }]
}

/**
 * Who fills the parts that the winner leaves empty, or gives only the initial of: one other that does not contradict it
 * anywhere.
 */
function donorOf(
  stated: readonly Bundle[],
  winner: Bundle,
  group: readonly FieldName[],
  rule: SurvivorshipRule,
  ordered: readonly Facet[],
): Bundle | undefined {
  if (group.length < 2) return undefined
  const others = stated.filter(
    (bundle) =>
      bundle !== winner &&
      group.every((part) => compatible(valueOf(winner, part), valueOf(bundle, part))) &&
      group.some((part) => fills(winner, bundle, part, ordered)),
  )
  return best(others, group, rule, ordered)
}

function fills(winner: Bundle, donor: Bundle, field: FieldName, ordered: readonly Facet[]): boolean {
  const [mine, theirs] = [valueOf(winner, field), valueOf(donor, field)]
  if (isEmpty(theirs)) return false
  // Somebody cleared it after the merge: that is a word, not a gap.
  return isEmpty(mine) ? !clears(winner, field, ordered) : isInitialOf(mine, theirs)
}

function clears(winner: Bundle, field: FieldName, ordered: readonly Facet[]): boolean {
  const by = winner.parts[field]?.id
  return by !== undefined && ordered.some((facet) => facet.overruled[field]?.includes(by) === true)
}

const fold = (value: Json): string =>
  textOf(value)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[\s.]+/g, ' ')
    .trim()

const compatible = (a: Json, b: Json): boolean =>
  isEmpty(a) || isEmpty(b) || fold(a) === fold(b) || isInitialOf(a, b) || isInitialOf(b, a)

/** `J.` of `John`; an id is never one. */
function isInitialOf(short: Json, long: Json): boolean {
  if (typeof short !== 'string' || typeof long !== 'string') return false
  const [a, b] = [fold(short), fold(long)]
  return a.length === 1 && b.length > 1 && b.startsWith(a)
}

function best(
  bundles: readonly Bundle[],
  group: readonly FieldName[],
  rule: SurvivorshipRule,
  ordered: readonly Facet[],
): Bundle | undefined {
  const stated = bundles.filter((bundle) => group.some((field) => !isEmpty(valueOf(bundle, field))))
  const from = stated.length === 0 ? bundles : stated
  return from.toSorted(
    (a, b) =>
      byRule(a, b, group, rule) ||
      firstOf(a, ordered) - firstOf(b, ordered) ||
      newest(b, group) - newest(a, group) ||
      lowest(a) - lowest(b),
  )[0]
}

/** 0 for what the survivor says, 1 for all others. */
const firstOf = (bundle: Bundle, ordered: readonly Facet[]): number =>
  bundle.facets.some((facet) => facet === ordered[0]) ? 0 : 1
const lowest = (bundle: Bundle): number => Math.min(...bundle.facets.map((facet) => facet.id))

function byRule(a: Bundle, b: Bundle, group: readonly FieldName[], rule: SurvivorshipRule): number {
  switch (rule.kind) {
    case 'survivor':
      return 0
    case 'newest':
      return newest(b, group) - newest(a, group)
    case 'oldest':
      return newest(a, group) - newest(b, group)
    case 'longest':
      return length(b, group) - length(a, group)
    case 'complete':
      return parts(b, group) - parts(a, group)
    case 'prefer':
      return rank(rule.order, a, group) - rank(rule.order, b, group)
  }
}

/** Unknown times are older than all others. */
function newest(bundle: Bundle, group: readonly FieldName[]): number {
  const times = group.flatMap((field) => {
    const facet = bundle.parts[field]
    return facet === undefined || isEmpty(facet.fields[field]) ? [] : (says(facet, field)?.at ?? [])
  })
  return Math.max(-8.64e15, ...times)
}

const length = (bundle: Bundle, group: readonly FieldName[]): number =>
  group.reduce((sum, field) => sum + textOf(valueOf(bundle, field)).length, 0)

function parts(bundle: Bundle, group: readonly FieldName[]): number {
  const count = (value: Json): number => {
    if (isEmpty(value)) return 0
    return isObject(value) ? Object.values(value).filter((part) => !isEmpty(part)).length : 1
  }
  return group.reduce((sum, field) => sum + count(valueOf(bundle, field)), 0)
}

/** A source is named as it is, or as its class before the colon; unnamed ones come last. */
function rank(order: readonly Source[], bundle: Bundle, group: readonly FieldName[]): number {
  const ranks = group.flatMap((field) => {
    const facet = bundle.parts[field]
    if (facet === undefined || isEmpty(facet.fields[field])) return []
    const source = says(facet, field)?.source ?? ''
    const at = order.findIndex((name) => name === source || name === source.split(':')[0])
    return [at === -1 ? order.length : at]
  })
  return Math.min(order.length, ...ranks)
}

function ruleName(
  stated: readonly Bundle[],
  winner: Bundle | undefined,
  group: readonly FieldName[],
  rule: SurvivorshipRule,
): string {
  if (winner === undefined || stated.length < 2) return ONLY
  const agree = stated.every((bundle) =>
    group.every((field) => same(valueOf(bundle, field), valueOf(winner, field))),
  )
  if (agree) return 'all agree'
  return rule.kind === 'prefer' ? `prefer ${rule.order.join(', ')}` : rule.kind
}
