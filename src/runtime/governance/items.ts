import { inWords, labelOf } from '../../core/governance/findings.ts'
import { textOf } from '../../core/json.ts'
import type { FieldName, HubRecord, RecordKind } from '../../core/model.ts'
import { MOST_COUNTED } from '../../store/findings.ts'
import type { NewItem } from '../../store/inbox.ts'
import type { Hub } from '../hub.ts'

export const STAGE_PREFIX = 'missing_data:stage:'
export const stageKey = (deal: number): string => `${STAGE_PREFIX}${deal}`
export const stagesKey = (source: string): string => `missing_data:stages:${source}`
export const lackingKey = (kind: RecordKind, field: FieldName, source: string): string =>
  `missing_data:lacking:${kind}:${field}:${source}`
export const unknownKey = (kind: RecordKind, field: FieldName, value: string): string =>
  `unknown_value:${kind}:${field}:${value}`
/** Stands for all values of a field that are too many for items of their own. */
export const unknownsKey = (kind: RecordKind, field: FieldName): string => `unknown_values:${kind}:${field}`

const PLURAL: Readonly<Record<RecordKind, string>> = {
  contact: 'contacts',
  company: 'companies',
  deal: 'deals',
  activity: 'activities',
  invoice: 'invoices',
}
export const plural = (kind: RecordKind): string => PLURAL[kind]

export function counted(count: number, kind: RecordKind): string {
  if (count >= MOST_COUNTED) return `More than ${MOST_COUNTED.toLocaleString('en')} ${plural(kind)}`
  return `${count.toLocaleString('en')} ${count === 1 ? kind : plural(kind)}`
}

/** The stream that records of a kind come through, where a connection has one alone. */
function streamOf(hub: Hub, kind: RecordKind, source: string) {
  const streams = hub.targets.filter((t) => t.stream.connection === source && t.stream.record === kind)
  return streams.length === 1 ? streams[0] : undefined
}

export function lackingItem(
  hub: Hub,
  kind: RecordKind,
  field: FieldName,
  source: string,
  count: number,
): NewItem {
  const stream = streamOf(hub, kind, source)
  const list = `concord quality list ${plural(kind)} --lacking ${field} --source ${source}`
  return {
    kind: 'missing_data',
    key: lackingKey(kind, field, source),
    title: `${counted(count, kind)} from ${stream?.label ?? source} ${count === 1 ? 'lacks' : 'lack'} ${labelOf(kind, field)}`,
    fix: `Fill it in at ${source} or in the hub; the item closes when none is left. \`${list}\` lists them, with \`--out FILE.csv\` into a file.`,
    detail: { record: kind, field, source, count },
    streamId: stream?.id ?? null,
    recordId: null,
  }
}

export function unknownItem(
  kind: RecordKind,
  field: FieldName,
  value: string,
  said: string,
  count: number,
): NewItem {
  const verb = count === 1 ? 'says' : 'say'
  const list = `concord quality list ${plural(kind)} --unknown ${field}`
  return {
    kind: 'unknown_value',
    key: unknownKey(kind, field, value),
    title: `${counted(count, kind)} ${verb} ${labelOf(kind, field)} "${said}", which is on no list`,
    fix: `Add it to the list with \`concord inbox accept ID\`, or with \`--as VALUE\` as another word for a value that is there; or correct the ${plural(kind)} (\`${list}\`).`,
    detail: { record: kind, field, value, said, count },
    streamId: null,
    recordId: null,
  }
}

export function unknownsItem(kind: RecordKind, field: FieldName): NewItem {
  return {
    kind: 'unknown_value',
    key: unknownsKey(kind, field),
    title: `${plural(kind)} say many more values for ${labelOf(kind, field)} that are on no list`,
    fix: `\`concord quality list ${plural(kind)} --unknown ${field} --out FILE.csv\` lists them. Add what should stay to the picklists, or write unknown: keep.`,
    detail: { record: kind, field },
    streamId: null,
    recordId: null,
  }
}

export function stageItem(deal: HubRecord, stage: string, missing: readonly FieldName[]): NewItem {
  const lacks = inWords(missing.map((field) => labelOf('deal', field)))
  return {
    kind: 'missing_data',
    key: stageKey(deal.id),
    title: `Deal ${deal.id} (${textOf(deal.fields['name'] ?? 'no name')}) is in "${stage}" without ${lacks}`,
    fix: 'Fill in what is missing, in the hub or where the deal comes from, or move it back. The item closes by itself.',
    detail: { deal: deal.id, stage, missing },
    streamId: null,
    recordId: deal.id,
  }
}

export function stagesItem(hub: Hub, source: string, count: number): NewItem {
  const stream = streamOf(hub, 'deal', source)
  return {
    kind: 'missing_data',
    key: stagesKey(source),
    title: `${counted(count, 'deal')} from ${stream?.label ?? source} ${count === 1 ? 'lacks' : 'lack'} what ${count === 1 ? 'its stage needs' : 'their stages need'}`,
    fix: `\`concord quality list deals --is stage-missing --source ${source}\` lists them with what is missing, with \`--out FILE.csv\` into a file. The item closes when none is left.`,
    detail: { record: 'deal', source, count },
    streamId: stream?.id ?? null,
    recordId: null,
  }
}
