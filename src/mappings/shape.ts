import { createHash } from 'node:crypto'
import { isName } from './governed.ts'
import { policyOf } from './policy.ts'
import type { StreamEntry } from './schema.ts'
import type { StreamContext } from './stream.ts'

/** What decides when something is read, how much may change at once and what is told, and not what is written. */
const NOT_SHAPE = new Set<string>(['schedule', 'sweep', 'guard', 'duplicates', 'quiet'])

/**
 * Fingerprint of everything in the configuration that decides what a stream writes, SHA-256 in hexadecimal: the entry
 * with its defaults (`resolved`), and what other files say to it. Comments, the order of keys and of fields, and
 * defaults that are written out do not change it; nor do schedules and guards.
 */
export function shapeOfEntry(
  entry: StreamEntry,
  resolved: Readonly<Record<string, unknown>>,
  context: StreamContext,
): string {
  const own = Object.fromEntries(Object.entries(entry).filter(([key]) => !NOT_SHAPE.has(key)))
  const fields = entry.fields.map((field) => ({
    ...field,
    codec: typeof field.codec === 'string' ? { name: field.codec } : (field.codec ?? { name: 'text' }),
    direction: field.direction ?? entry.direction ?? 'both',
    policy: policyOf(field.policy, entry.record, [field.hub ?? []].flat()[0], context.policies),
  }))
  return fingerprint({
    ...own,
    ...resolved,
    // What reads telephone numbers and amounts that name no country or currency.
    defaults: context.defaults,
    governed: governedBy(entry, context),
    fields: fields.map((field) => canonical(field)).toSorted(),
  })
}

/** The lists of values that its fields are read by, and what is made of names. */
function governedBy({ record, fields }: StreamEntry, { governance }: StreamContext): unknown {
  const mapped = fields.map((field) => [field.hub ?? []].flat())
  const picklists = governance.picklists.filter(
    (list) => list.record === record && mapped.flat().includes(list.field),
  )
  return { picklists, names: mapped.some((hub) => isName(record, hub)) ? governance.names : null }
}

/** Fingerprint of what decides which remote objects come in at all: another one, and everything is listed again. */
export function arrivalsOf(
  entry: StreamEntry,
  { resource, createInHub }: { readonly resource: string; readonly createInHub: boolean },
): string {
  return fingerprint({ only: entry.only ?? null, resource, createInHub })
}

/** SHA-256, in hexadecimal. The same for the same value, whatever the order of its keys. */
export const fingerprint = (value: unknown): string =>
  createHash('sha256').update(canonical(value)).digest('hex')

function canonical(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    const entries = Object.entries(part)
    // Of several remote values for one of the hub's, the first is the one that is written: here the order counts.
    return key === 'values' ? entries : Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
