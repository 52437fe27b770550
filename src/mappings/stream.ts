import { validateDetailed } from 'node-cron'
import { DEFAULT_LIMITS } from '../core/guard.ts'
import type { Json } from '../core/json.ts'
import type { Lens } from '../core/lens.ts'
import { isMatched, type Thresholds } from '../core/duplicates.ts'
import type { RecordKind } from '../core/model.ts'
import type { Refs, Stream } from '../core/stream.ts'
import { compileCel, recordVariable } from './cel.ts'
import { compileQuiet } from './alerts.ts'
import { compileConsent, type CompiledConsent } from './consent.ts'
import { brokenLaw } from './laws.ts'
import type { FieldContext } from './fit.ts'
import { compileDuplicates } from './duplicates.ts'
import { compileField, type Field } from './lens.ts'
import { choose } from './nearest.ts'
import type { Path } from './path.ts'
import { within, type Report } from './problem.ts'
import type { FieldEntry, StreamEntry } from './schema.ts'
import { arrivalsOf, shapeOfEntry } from './shape.ts'

export type StreamContext = Omit<FieldContext, 'kind' | 'direction'> & {
  readonly connection: string
  /** What the connector offers; undefined where the connector itself is unknown. */
  readonly resources: readonly string[] | undefined
  /** The hub's own, for streams that say nothing else. */
  readonly duplicates: Thresholds
}

const EVERY_FIVE_MINUTES = '*/5 * * * *'
const EVERY_NIGHT = '30 2 * * *'

/** Compiles one stream; undefined where something is wrong, which is reported. */
export function compileStream(
  name: string,
  entry: StreamEntry,
  context: StreamContext,
  report: Report,
): Stream | undefined {
  let sound = true
  const tell: Report = (...problem) => {
    sound = false
    report(...problem)
  }
  const { record, direction = 'both', schedule = EVERY_FIVE_MINUTES, sweep = EVERY_NIGHT } = entry
  const resource = entry.resource ?? name
  checkResource(resource, entry, context, tell)
  checkCron(schedule, within(tell, 'schedule'))
  checkCron(sweep, within(tell, 'sweep'))
  checkMatch(entry, tell)
  if (entry.duplicates !== undefined && !isMatched(record))
    tell(
      ['duplicates'],
      `records of the kind "${record}" are not compared`,
      'Remove it; contacts and companies are.',
    )
  const duplicates = compileDuplicates(entry.duplicates, context.duplicates, within(tell, 'duplicates'))
  const fields = entry.fields.map((field, i) =>
    compileField(field, { ...context, kind: record, direction }, within(tell, 'fields', i)),
  )
  const consent =
    entry.consent === undefined ? undefined : compileConsent(entry.consent, within(tell, 'consent'))
  checkTogether(fields, entry.fields, consent, tell)
  const only = condition(entry.only, 'remote', record, within(tell, 'only'))
  const where = condition(entry.create?.where, 'record', record, within(tell, 'create', 'where'))
  if (!sound) return undefined
  const resolved = {
    resource,
    record,
    direction,
    match:
      entry.match ??
      (record === 'contact'
        ? (['email', 'phone'] as const)
        : record === 'company'
          ? (['domain', 'phone'] as const)
          : []),
    trustTimes: entry.times === 'trusted',
    createInHub: entry.create?.hub ?? true,
    createAtRemote: entry.create?.remote ?? 'never',
    deletes: entry.deletes ?? 'unlink',
    archives: entry.archives ?? 'keep',
    merges: entry.merges ?? 'keep',
  } as const
  return {
    ...resolved,
    connection: context.connection,
    name,
    schedule,
    sweep,
    shape: shapeOfEntry(
      entry,
      { ...resolved, mergesFrom: isMatched(record) ? duplicates.link : null },
      context,
    ),
    arrivals: arrivalsOf(entry, resolved),
    guard: {
      share: entry.guard?.share ?? DEFAULT_LIMITS.share,
      atLeast: entry.guard?.atLeast ?? DEFAULT_LIMITS.atLeast,
    },
    duplicates,
    quiet: compileQuiet(entry.quiet, within(report, 'quiet')),
    consent: consent?.lens ?? null,
    filterIn: only,
    filterOut: (values) => where(recordVariable(record, values)),
    conditions: joined(entry.create?.where).map((text) => {
      // A part that does not stand by itself says nothing alone.
      const part = compileCel(text, 'record', record, 'bool')
      return {
        text,
        holds: (values) => {
          const outcome = part.kind === 'problem' ? null : part.run(recordVariable(record, values))
          return outcome === null || (outcome.kind === 'value' && outcome.value === true)
        },
      }
    }),
    ...compiledLenses(fields.filter((field) => field !== undefined)),
  }
}

/** The parts of a condition that must all hold: `a && (b || c)` has two; `a || b && c`, in which && binds closer, one. */
function joined(source: string | undefined): readonly string[] {
  if (source === undefined) return []
  const parts: string[] = []
  let [depth, quote, from] = [0, '', 0]
  for (const [i, char] of source.split('').entries()) {
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === '"' || char === "'") quote = char
    else if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
    else if (depth > 0) continue
    else if (char === '?' || source.startsWith('||', i)) return [source]
    else if (source.startsWith('&&', i)) {
      parts.push(source.slice(from, i))
      from = i + 2
    }
  }
  return [...parts, source.slice(from)].map((part) => part.trim())
}

/** The lenses in the order of the file; those that need no answers are built once. */
function compiledLenses(fields: readonly Field[]): Pick<Stream, 'lenses' | 'remoteRefs' | 'hubRefs'> {
  const references = fields.filter((field) => field.kind === 'ref')
  const lensesFor = (refs: Refs): readonly Lens[] =>
    fields.map((field) => (field.kind === 'ref' ? field.lens(refs) : field.lens))
  const fixed =
    references.length === 0 ? fields.flatMap((f) => (f.kind === 'ref' ? [] : [f.lens])) : undefined
  return {
    lenses: fixed === undefined ? lensesFor : () => fixed,
    remoteRefs: (body) => references.map((field) => field.remoteRef(body)).filter((ref) => ref !== undefined),
    hubRefs: (values) => references.map((field) => field.hubRef(values)).filter((ref) => ref !== undefined),
  }
}

/** A condition that cannot be answered (a missing property) does not hold. */
export function condition(
  source: string | undefined,
  variable: 'remote' | 'record',
  kind: RecordKind,
  report: Report,
): (value: Json) => boolean {
  if (source === undefined) return () => true
  const compiled = compileCel(source, variable, kind, 'bool')
  if (compiled.kind === 'problem') {
    report([], compiled.problem.message, compiled.problem.fix, compiled.problem.offset)
    return () => false
  }
  return (value) => {
    const outcome = compiled.run(value)
    return outcome.kind === 'value' && outcome.value === true
  }
}

function checkResource(resource: string, entry: StreamEntry, context: StreamContext, report: Report): void {
  const { resources } = context
  if (resources === undefined || resources.includes(resource)) return
  report(
    entry.resource === undefined ? [] : ['resource'],
    `the connector has no resource "${resource}"`,
    `${choose(resource, resources)} Name it in resource:.`,
  )
}

export function checkCron(expression: string, report: Report): void {
  const parts = expression.trim().split(/\s+/)
  const fix = 'Write five fields, minute hour day month weekday: "*/5 * * * *" is every five minutes.'
  if (parts.length !== 5) {
    report([], `"${expression}" is not a schedule: it has ${parts.length} fields, not five`, fix)
    return
  }
  const [fault] = validateDetailed(expression).errors
  if (fault !== undefined) report([], `"${expression}" is not a schedule: ${fault.message}`, fix)
}

const KEYS_BY_KIND: Readonly<Record<RecordKind, readonly string[]>> = {
  contact: ['email', 'phone'],
  company: ['domain', 'phone'],
  deal: [],
  activity: [],
  invoice: [],
}

function checkMatch(entry: StreamEntry, report: Report): void {
  const known = KEYS_BY_KIND[entry.record]
  for (const [i, key] of (entry.match ?? []).entries()) {
    if (!known.includes(key)) {
      const fix = known.length === 0 ? 'Write match: [].' : `Use ${known.join(' or ')}.`
      report(['match', i], `a ${entry.record} is not found by ${key}`, fix)
    }
  }
}

/** What only shows when the entries are seen together: two writers of one place, and mappings that break the laws. */
function checkTogether(
  fields: readonly (Field | undefined)[],
  entries: readonly FieldEntry[],
  consent: CompiledConsent | undefined,
  report: Report,
): void {
  const keys = new Set<string>()
  const takers = new Set<string>()
  const written: Path[] = consent === undefined ? [] : [consent.statePath]
  for (const [i, field] of fields.entries()) {
    if (field === undefined) continue
    const at = within(report, 'fields', i)
    const frame = field.kind === 'ref' ? field.frame : field.lens
    if (keys.has(frame.key))
      at([], `two entries are called "${frame.key}"`, 'Give this one another name with key:.')
    keys.add(frame.key)
    for (const name of frame.direction === 'out' ? [] : frame.fields) {
      if (takers.has(name))
        at(['hub'], `${name} is read by two entries`, 'Keep one, or add direction: out to the other.')
      takers.add(name)
    }
    const taken = field.written.find((path) => written.some((other) => overlaps(path, other)))
    if (taken !== undefined)
      at(
        entries[i]?.remote === undefined ? [] : ['remote'],
        `"${taken.join('.')}" is written twice`,
        'Keep one; consent is written by consent: alone.',
      )
    written.push(...field.written)
    const broken = brokenLaw(field)
    if (broken !== null)
      at(
        [],
        `the two sides would never agree: ${broken}`,
        'Change the options of the codec, or map one way only.',
      )
  }
}

function overlaps(a: Path, b: Path): boolean {
  const shorter = Math.min(a.length, b.length)
  return a.slice(0, shorter).every((segment, i) => segment === b[i])
}
