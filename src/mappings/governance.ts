import { choosersOf, foldChoice, type Picklist } from '../core/governance/picklist.ts'
import { GOVERNED_KINDS, NO_GOVERNANCE, type Governance } from '../core/governance/rules.ts'
import { CATALOG, fieldType, isDerived } from '../core/model.ts'
import type { Pipeline } from '../core/stream.ts'
import { cleanText } from './codecs/text.ts'
import type { Parsed } from './document.ts'
import { picklistsFile, qualityFile, type PicklistEntry } from './governance-schema.ts'
import { choose } from './nearest.ts'
import { unknownField } from './normalise.ts'
import { within, type Report } from './problem.ts'
import { validate } from './validate.ts'

/** What good data is, from the files that say so; either may be missing. */
export function loadGovernance(
  picklistDocument: Parsed | undefined,
  qualityDocument: Parsed | undefined,
  pipelines: readonly Pipeline[],
): Governance {
  const picklists = picklistDocument === undefined ? [] : loadPicklists(picklistDocument, pipelines)
  const quality = qualityDocument === undefined ? {} : loadQuality(qualityDocument)
  return { ...NO_GOVERNANCE, ...quality, picklists, choosers: choosersOf(picklists) }
}

function loadPicklists(document: Parsed, pipelines: readonly Pipeline[]): readonly Picklist[] {
  const entries = validate(picklistsFile, document.root, document, [])?.picklists ?? []
  const taken = new Set<string>()
  return entries.map((entry, i) => {
    const report = within(document.report, 'picklists', i)
    checkField(entry, report)
    const field = `${entry.record} ${entry.field}`
    if (taken.has(field)) report(['field'], `${entry.field} has a list already`, 'Keep one of the two.')
    taken.add(field)
    const values = entry.values.map((one) =>
      typeof one === 'string'
        ? { value: cleanText(one), synonyms: [] }
        : { value: cleanText(one.value), synonyms: (one.synonyms ?? []).map((word) => cleanText(word)) },
    )
    checkWords(values, report)
    checkStages(entry, values, pipelines, report)
    return { record: entry.record, field: entry.field, values, unknown: unknownOf(entry, values, report) }
  })
}

function checkField({ record, field }: PicklistEntry, report: Report): void {
  const type = fieldType(record, field)
  if (type === undefined) report(['field'], ...unknownField(record, field))
  else if (isDerived(record, field)) report(['field'], `${field} is computed by the hub`, 'Remove this list.')
  else if (type !== 'text' && type !== 'tags') {
    const fitting = Object.entries(CATALOG[record]).flatMap(([name, spec]) =>
      spec.derived !== true && (spec.type === 'text' || spec.type === 'tags') ? [name] : [],
    )
    report(
      ['field'],
      `${field} holds no choices but ${typeof type === 'object' ? `a ${type.ref}` : type}`,
      `Choose one of ${fitting.join(', ')}, or custom.<name>.`,
    )
  }
}

/** What people write for a value must name that value alone. */
function checkWords(values: Picklist['values'], report: Report): void {
  const owners = new Map<string, string>()
  for (const [i, { value }] of values.entries()) {
    const other = owners.get(foldChoice(value))
    if (other === value) report(['values', i], `"${value}" is listed twice`, 'Remove one of them.')
    else if (other !== undefined)
      report(
        ['values', i],
        `"${value}" and "${other}" are told apart by nothing but case, accents and punctuation`,
        'Keep one of them.',
      )
    owners.set(foldChoice(value), value)
  }
  for (const [i, { value, synonyms }] of values.entries())
    for (const [j, word] of synonyms.entries()) {
      const owner = owners.get(foldChoice(word))
      if (owner !== undefined && owner !== value)
        report(
          ['values', i, 'synonyms', j],
          `"${word}" belongs to "${owner}" already`,
          `Keep it for "${owner}" or for "${value}".`,
        )
      owners.set(foldChoice(word), value)
    }
}

function unknownOf(entry: PicklistEntry, values: Picklist['values'], report: Report): Picklist['unknown'] {
  const { unknown = 'keep' } = entry
  if (typeof unknown !== 'object') return unknown
  const known = values.map(({ value }) => value)
  const map = cleanText(unknown.map)
  if (!known.includes(map)) report(['unknown', 'map'], `"${map}" is not on the list`, choose(map, known))
  return { map }
}

/** A list of stages is there for its synonyms: what they mean stands in the pipelines. */
function checkStages(
  { record, field }: PicklistEntry,
  values: Picklist['values'],
  pipelines: readonly Pipeline[],
  report: Report,
): void {
  if (record !== 'deal' || (field !== 'stage' && field !== 'pipeline')) return
  const known = pipelines.flatMap((p) => (field === 'pipeline' ? [p.name] : p.stages.map(({ name }) => name)))
  for (const [i, { value }] of values.entries())
    if (!known.includes(value))
      report(['values', i], `no pipeline has the ${field} "${value}"`, choose(value, [...new Set(known)]))
}

function loadQuality(document: Parsed): Partial<Governance> {
  const quality = validate(qualityFile, document.root, document, [])?.quality
  if (quality === undefined) return {}
  for (const kind of GOVERNED_KINDS) {
    const report = within(document.report, 'quality', 'required', kind)
    const fields = quality.required?.[kind] ?? []
    for (const [i, field] of fields.entries()) {
      if (fieldType(kind, field) === undefined) report([i], ...unknownField(kind, field))
      else if (isDerived(kind, field))
        report([i], `${field} is computed by the hub: no stream and no person can give it`, 'Remove it.')
      else if (fields.indexOf(field) < i) report([i], `${field} is listed twice`, 'Remove one of them.')
    }
  }
  const { contact = [], company = [], deal = [] } = quality.required ?? {}
  return {
    required: { contact, company, deal },
    names: quality.names ?? NO_GOVERNANCE.names,
    staleAfterMonths: quality.staleAfterMonths ?? NO_GOVERNANCE.staleAfterMonths,
  }
}
