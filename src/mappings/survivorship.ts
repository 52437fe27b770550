import { fieldType, isDerived, isSet, type FieldName } from '../core/model.ts'
import {
  DEFAULT_SURVIVORSHIP,
  GROUPS,
  groupOf,
  type MergedKind,
  type Survivorship,
  type SurvivorshipRule,
} from '../core/survivorship.ts'
import { unknownField } from './normalise.ts'
import { checkSources, type Policies } from './policy.ts'
import { within, type Report } from './problem.ts'
import type { SurvivorshipEntry, SurvivorshipEntries } from './schema.ts'

const KINDS = ['contact', 'company'] as const

const compileRule = (entry: SurvivorshipEntry): SurvivorshipRule =>
  typeof entry === 'string' ? { kind: entry } : { kind: 'prefer', order: entry.prefer }

/**
 * The rules of `survivorship:`. Where it says nothing of a field, a field policy that names sources counts, as whoever
 * wins an edit on two sides should win here too. What is said together has one rule.
 */
export function compileSurvivorship(
  entries: SurvivorshipEntries,
  policies: Policies,
  connections: readonly string[],
  report: Report,
): Survivorship {
  if (entries.default !== undefined)
    checkSources(namesOf(entries.default), connections, within(report, 'default', 'prefer'))
  const rules: Record<MergedKind, Record<FieldName, SurvivorshipRule>> = { contact: {}, company: {} }
  for (const kind of KINDS) {
    for (const [field, entry] of Object.entries(entries[kind] ?? {})) {
      check(kind, field, entry, connections, within(report, kind, field))
      rules[kind][field] = compileRule(entry)
    }
    checkGroups(kind, rules[kind], within(report, kind))
    const said = { ...rules[kind] }
    for (const [field, rule] of Object.entries(said))
      for (const part of groupOf(kind, field)) rules[kind][part] = rule
    for (const [field, rule] of Object.entries(fromPolicies(kind, policies)))
      for (const part of groupOf(kind, field)) rules[kind][part] ??= rule
  }
  const general = entries.default === undefined ? DEFAULT_SURVIVORSHIP.default : compileRule(entries.default)
  return { default: general, ...rules }
}

const namesOf = (entry: SurvivorshipEntry): readonly string[] =>
  typeof entry === 'string' ? [] : entry.prefer

function fromPolicies(kind: MergedKind, policies: Policies): Record<FieldName, SurvivorshipRule> {
  const rules: Record<FieldName, SurvivorshipRule> = {}
  for (const [field, policy] of Object.entries(policies[kind] ?? {})) {
    if (typeof policy === 'string') continue
    rules[field] = { kind: 'prefer', order: 'owner' in policy ? [policy.owner] : policy.prefer }
  }
  return rules
}

function check(
  kind: MergedKind,
  field: FieldName,
  entry: SurvivorshipEntry,
  connections: readonly string[],
  report: Report,
): void {
  const type = fieldType(kind, field)
  if (type === undefined) return report([], ...unknownField(kind, field))
  if (type === 'consent')
    return report([], `${field} cannot be chosen: the strictest over all addresses counts`, 'Remove it.')
  if (isDerived(kind, field))
    return report([], `${field} is computed by the hub from what was merged`, 'Remove it.')
  if (isSet(type)) return report([], `${field} is a set: its members are united, always`, 'Remove it.')
  checkSources(namesOf(entry), connections, within(report, 'prefer'))
}

function checkGroups(
  kind: MergedKind,
  rules: Readonly<Record<FieldName, SurvivorshipRule>>,
  report: Report,
): void {
  for (const group of GROUPS[kind]) {
    const [first, ...others] = group.filter((field) => rules[field] !== undefined)
    const other = others.find((field) => JSON.stringify(rules[field]) !== JSON.stringify(rules[first ?? '']))
    if (first !== undefined && other !== undefined)
      report([other], `${first} and ${other} are taken together, from one record`, 'Give both the same rule.')
  }
}
