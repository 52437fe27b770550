import { isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'
import { foldChoice } from '../core/governance/picklist.ts'
import type { FieldName, RecordKind } from '../core/model.ts'

export type NewChoice = {
  readonly record: RecordKind
  readonly field: FieldName
  readonly said: string
  /** The value it is another word for; null where it becomes a value itself. */
  readonly of: string | null
}

/**
 * The text of a picklists file with one more value or synonym; comments and order stay. Undefined where the file has no
 * list of the field, or the list no such value.
 */
export function withChoice(text: string, { record, field, said, of }: NewChoice): string | undefined {
  const document = parseDocument(text)
  const lists = document.get('picklists')
  if (!isSeq(lists)) return undefined
  const list = lists.items.find(
    (item): item is YAMLMap => isMap(item) && item.get('record') === record && item.get('field') === field,
  )
  const values = list?.get('values')
  if (!isSeq(values)) return undefined
  if (of === null) values.add(document.createNode(said))
  else if (!addSynonym(values, of, said, (value) => document.createNode(value))) return undefined
  return document.toString({ lineWidth: 110, flowCollectionPadding: true })
}

function addSynonym(
  values: YAMLSeq,
  of: string,
  said: string,
  node: (value: unknown) => ReturnType<ReturnType<typeof parseDocument>['createNode']>,
): boolean {
  const names = (value: unknown) => typeof value === 'string' && foldChoice(value) === foldChoice(of)
  const at = values.items.findIndex((item) =>
    isMap(item) ? names(item.get('value')) : isScalar(item) && names(item.value),
  )
  const item = values.items[at]
  if (isMap(item)) {
    const synonyms = item.get('synonyms')
    if (isSeq(synonyms)) synonyms.add(node(said))
    else item.set('synonyms', node([said]))
    return true
  }
  if (!isScalar(item)) return false
  const entry = node({ value: item.value, synonyms: [said] })
  if (isMap(entry)) entry.flow = true
  values.items[at] = entry
  return true
}
