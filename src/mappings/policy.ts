import type { Policy } from '../core/lens.ts'
import { fieldType, isSet, type FieldName, type RecordKind } from '../core/model.ts'
import { choose } from './nearest.ts'
import { within, type Report } from './problem.ts'
import type { PolicyEntry } from './schema.ts'

/** What policies.yaml says, as written: the sources it names are checked where it stands. */
export type Policies = {
  readonly default?: PolicyEntry | undefined
} & { readonly [Kind in RecordKind]?: Readonly<Record<FieldName, PolicyEntry>> | undefined }

export function compilePolicy(entry: PolicyEntry): Policy {
  if (typeof entry === 'string') return { kind: entry }
  return 'owner' in entry ? { kind: 'owner', source: entry.owner } : { kind: 'prefer', order: entry.prefer }
}

/** The field's own policy, else what policies.yaml says; sets are united where neither says anything. */
export function policyOf(
  own: PolicyEntry | undefined,
  kind: RecordKind,
  field: FieldName | undefined,
  policies: Policies,
): Policy {
  const stated = own ?? (field === undefined ? undefined : policies[kind]?.[field])
  if (stated !== undefined) return compilePolicy(stated)
  if (field !== undefined && isSet(fieldType(kind, field))) return { kind: 'union' }
  const general = policies.default
  return general === undefined || general === 'union' ? { kind: 'newest' } : compilePolicy(general)
}

/** Sources besides connections. A class stands for all of its kind: `user` for `user:ann`. */
const CLASSES = ['api', 'user', 'rule']

export function checkPolicy(
  entry: PolicyEntry,
  kind: RecordKind | undefined,
  field: FieldName | undefined,
  connections: readonly string[],
  report: Report,
): void {
  if (entry === 'union' && kind !== undefined && field !== undefined && !isSet(fieldType(kind, field)))
    report([], `${field} holds one value, so there is nothing to unite`, 'Use newest, prefer, owner or ask.')
  if (typeof entry === 'string') return
  if ('owner' in entry)
    checkSources([entry.owner], connections, (_, ...problem) => report(['owner'], ...problem))
  else checkSources(entry.prefer, connections, within(report, 'prefer'))
}

/** Reports names that are no source, each at its place in the list. */
export function checkSources(names: readonly string[], connections: readonly string[], report: Report): void {
  const known = [...connections, ...CLASSES]
  for (const [i, name] of names.entries()) {
    if (known.includes(name) || CLASSES.includes(name.split(':')[0] ?? '')) continue
    report([i], `there is no source "${name}"`, choose(name, known))
  }
}
