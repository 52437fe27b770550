import { isList, isObject, type Json } from '../core/json.ts'
import type { InboxItem } from '../runtime/status.ts'
import { iso, shown, when } from './output.ts'

/** The kinds of inbox items, as people call them. */
export const describeKind = (kind: string): string => kind.replaceAll('_', ' ')

export function itemJson(item: InboxItem): Readonly<Record<string, Json>> {
  const { id, kind, title, fix, detail, recordId, state, seen, resolution } = item
  return {
    id,
    kind,
    state,
    title,
    fix,
    recordId,
    seen,
    detail,
    resolution,
    createdAt: iso(item.createdAt),
    updatedAt: iso(item.updatedAt),
  }
}

/** The commands that settle an item. */
export function answers({ id, kind }: InboxItem): readonly string[] {
  switch (kind) {
    case 'conflict':
      return [`concord inbox resolve ${id} --take hub`, `concord inbox resolve ${id} --take remote`]
    case 'mass_change':
      return [`concord inbox approve ${id}`]
    case 'rejected_write':
      return [`concord inbox retry ${id}`, `concord inbox dismiss ${id}`]
    default:
      return [`concord inbox dismiss ${id}`]
  }
}

/** An item in full, line by line. */
export function tellItem(item: InboxItem): readonly string[] {
  const { id, kind, title, fix, detail, seen, recordId, state, resolution } = item
  const times = seen === 1 ? 'once' : `${seen} times, last ${when(item.updatedAt)}`
  return [
    `Item ${id}: ${describeKind(kind)}`,
    title,
    '',
    `Fix: ${fix}`,
    '',
    ...Object.entries(detail).flatMap(([name, value]) => tellDetail(name, value)),
    ...(recordId === null ? [] : [`record: ${recordId}`]),
    `since ${when(item.createdAt)}, seen ${times}`,
    ...(state === 'done' ? [`closed: ${resolution ?? ''}`] : answers(item).map((command) => `  ${command}`)),
  ]
}

const HIDDEN = new Set(['link'])

function tellDetail(name: string, value: Json): readonly string[] {
  if (HIDDEN.has(name) || value === null || value === '') return []
  if (!isList(value) || !value.some(isObject)) return [`${name}: ${shown(value)}`]
  return [`${name}:`, ...value.map((part) => `  ${shown(part)}`)]
}
