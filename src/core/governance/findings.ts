import { isEmpty, isList, type Json } from '../json.ts'
import { CATALOG, type FieldName, type Fields, type RecordKind } from '../model.ts'
import { fieldKey, foldChoice, type Chooser } from './picklist.ts'
import { isGoverned, type Rules } from './rules.ts'
import { stageGap } from './stages.ts'

/** One thing a record lacks by the rules. */
export type Finding = {
  readonly what: 'lacking' | 'stage' | 'unknown'
  readonly field: FieldName
  /** Of `stage`: the stage. Of `unknown`: the value as choices are told apart. Else ''. */
  readonly value: string
  /** Of `unknown`: the value as it was written. */
  readonly said: string
}

/** Values are named by what fits into an index; a pair of characters that the cut would halve, by what is stored of it. */
const cut = (text: string): string => text.slice(0, 200).toWellFormed()

/** What a record lacks: required fields, what its stage needs, and listed values. Nothing where it is archived. */
export function findingsOf(
  kind: RecordKind,
  record: { readonly fields: Fields; readonly archived: boolean },
  rules: Rules,
): readonly Finding[] {
  if (record.archived || !isGoverned(kind)) return []
  const { fields } = record
  const lacking = rules.governance.required[kind]
    .filter((field) => isEmpty(fields[field]))
    .map((field): Finding => ({ what: 'lacking', field, value: '', said: '' }))
  const gap = kind === 'deal' ? stageGap(fields, rules.pipelines) : null
  const stage = (gap?.missing ?? [])
    .filter((field) => !lacking.some((one) => one.field === field))
    .map((field): Finding => ({ what: 'stage', field, value: gap?.place.stage.name ?? '', said: '' }))
  return [...lacking, ...stage, ...unknownChoices(kind, fields, rules)]
}

function unknownChoices(kind: RecordKind, fields: Fields, { governance }: Rules): readonly Finding[] {
  const found = new Map<string, Finding>()
  for (const { list, choose } of governance.choosers.values()) {
    if (list.record !== kind || list.unknown !== 'inbox') continue
    for (const said of textsOf(fields[list.field])) {
      const value = cut(foldChoice(said))
      if (choose(said).kind === 'unknown')
        found.set(`${list.field} ${value}`, {
          what: 'unknown',
          field: list.field,
          value,
          said: cut(said),
        })
    }
  }
  return [...found.values()]
}

export const textsOf = (value: Json | undefined): readonly string[] =>
  (isList(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '')

export const findingKey = ({ what, field, value }: Finding): string => `${what} ${field} ${value}`

/** A value with its choices as they are listed; the same where nothing is to be changed. */
export function chosen(chooser: Chooser, value: Json): Json {
  if (typeof value === 'string') return value === '' ? value : chooser.choose(value).value
  if (!isList(value)) return value
  return [...new Set(value.map((one) => (typeof one === 'string' ? chooser.choose(one).value : one)))]
}

export const chooserFor = (rules: Rules['governance'], kind: RecordKind, field: FieldName) =>
  rules.choosers.get(fieldKey(kind, field))

/** A field as people call it. */
export const labelOf = (kind: RecordKind, field: FieldName): string => CATALOG[kind][field]?.label ?? field

/** `Amount`, `Amount and Close date`, `A, B and C`. */
export function inWords(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`
}
