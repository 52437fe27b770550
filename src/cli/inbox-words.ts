import { isList, isObject, textOf, type Json, type JsonObject } from '../core/json.ts'
import { describeKind } from '../runtime/inbox/kinds.ts'
import type { InboxItem } from '../runtime/status.ts'
import { percent, shown, when } from './output.ts'

export { describeKind } from '../runtime/inbox/kinds.ts'
export { itemView as itemJson } from '../runtime/inbox/view.ts'

/** An item in full, line by line. `view` is what the API answers for it. */
export function tellItem(item: InboxItem, view: JsonObject): readonly string[] {
  const { id, kind, title, fix, detail, seen, recordId, state, resolution, assignee, snoozedUntil } = item
  const times = seen === 1 ? 'once' : `${seen} times, last ${when(item.updatedAt)}`
  const { columns } = view
  return [
    `Item ${id}: ${describeKind(kind)}`,
    title,
    '',
    ...['what', 'why'].map((name) => textOf(view[name])).filter((text) => text !== ''),
    `Fix: ${fix}`,
    '',
    ...(isObject(columns)
      ? tellColumns(columns)
      : Object.entries(detail).flatMap(([name, value]) => tellDetail(name, value))),
    ...(recordId === null ? [] : [`record: ${recordId}`]),
    `since ${when(item.createdAt)}, seen ${times}`,
    ...(assignee === null ? [] : [`given to ${assignee}`]),
    ...(snoozedUntil === null ? [] : [`not shown before ${when(snoozedUntil)}`]),
    ...(state === 'done' ? [`closed: ${resolution ?? ''}`] : commandsOf(view)),
  ]
}

/** The commands that settle an item. */
export function commandsOf(view: JsonObject): readonly string[] {
  const { actions } = view
  if (!isList(actions)) return []
  return actions.filter(isObject).map((one) => `  ${textOf(one['command'])}   ${textOf(one['label'])}`)
}

/** The three columns of a conflict. */
function tellColumns(columns: JsonObject): readonly string[] {
  const { field, hub, remote, agreed } = columns
  const side = (name: string, said: Json | undefined): string => {
    if (!isObject(said)) return `  ${name}`
    const at = said['at'] === null ? '' : `, ${textOf(said['at']).slice(0, 16).replace('T', ' ')} UTC`
    const by = said['by'] === null ? '' : `   (${textOf(said['by'])}${at})`
    return `  ${name.padEnd(12)}${shown(said['value'])}${by}`
  }
  return [
    `${textOf(field)}:`,
    side('hub', hub),
    side('remote', remote),
    `  ${'last agreed'.padEnd(12)}${shown(agreed)}`,
  ]
}

const HIDDEN = new Set(['link', 'key'])

function tellDetail(name: string, value: Json): readonly string[] {
  if (HIDDEN.has(name) || value === null || value === '') return []
  if (name === 'probability' && typeof value === 'number') return [`likely: ${percent(value)}`]
  if (!isList(value) || !value.some(isObject)) return [`${name}: ${shown(value)}`]
  return [`${name}:`, ...value.map((part) => `  ${shown(part)}`)]
}
