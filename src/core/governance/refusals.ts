import { isEmpty } from '../json.ts'
import type { FieldName, Fields, RecordKind } from '../model.ts'
import { placeOf } from '../pipeline.ts'
import { inWords, labelOf } from './findings.ts'
import { isGoverned, type Rules } from './rules.ts'
import { stageGap } from './stages.ts'

export type Refusal = { readonly field: FieldName; readonly message: string }

/**
 * What a person or the API may not do to a record: make one without what it must have, take that away, or move a deal
 * to a stage that needs more. An edit that leaves a lack as it was passes: it may be the first of several that heal it.
 */
export function refusals(
  kind: RecordKind,
  before: Fields | null,
  after: Fields,
  rules: Rules,
): readonly Refusal[] {
  if (!isGoverned(kind)) return []
  const taken = (field: FieldName) => isEmpty(after[field]) && (before === null || !isEmpty(before[field]))
  const required = rules.governance.required[kind].filter(taken).map((field): Refusal => {
    const label = labelOf(kind, field)
    return { field, message: `${field}: a ${kind} needs ${label}. Fix: send ${field} with a value.` }
  })
  if (kind !== 'deal') return required
  return [...required, ...stageRefusal(before, after, rules, taken, new Set(required.map((r) => r.field)))]
}

function stageRefusal(
  before: Fields | null,
  after: Fields,
  { pipelines }: Rules,
  taken: (field: FieldName) => boolean,
  told: ReadonlySet<FieldName>,
): readonly Refusal[] {
  const gap = stageGap(after, pipelines)
  if (gap === null) return []
  const { pipeline, stage } = gap.place
  const from = before === null ? undefined : placeOf(before, pipelines)
  const moved = from?.pipeline !== pipeline || from.stage !== stage
  const missing = gap.missing.filter((field) => !told.has(field) && (moved || taken(field)))
  const [first] = missing
  if (first === undefined) return []
  const needed = inWords(missing.map((field) => labelOf('deal', field)))
  const send = `send ${inWords(missing)} with it`
  if (moved) {
    const stay = from === undefined ? '' : `, or leave it in "${from.stage.name}"`
    const message = `stage: a deal needs ${needed} to enter "${stage.name}". Fix: ${send}${stay}.`
    return [{ field: 'stage', message }]
  }
  const message = `${first}: a deal in "${stage.name}" needs ${needed}. Fix: keep a value, or move the deal back first.`
  return [{ field: first, message }]
}
