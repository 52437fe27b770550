import type { JsonObject } from '../core/json.ts'
import { CATALOG, type RecordKind } from '../core/model.ts'
import type { Explanation } from '../runtime/explain/record.ts'
import { fieldView, storiesView } from '../runtime/explain/views.ts'
import { iso } from '../runtime/hub.ts'
import type { DatedRecord } from '../runtime/records.ts'

/** The kinds of record that callers read and write, by their place in the API. */
export const KINDS = { contacts: 'contact', companies: 'company', deals: 'deal' } as const
export type Place = keyof typeof KINDS
export const PLACES = ['contacts', 'companies', 'deals'] as const satisfies readonly Place[]

const emptyFields = (kind: RecordKind): JsonObject =>
  Object.fromEntries(Object.keys(CATALOG[kind]).map((name) => [name, null]))

/** A record as callers see it: with every standard field, null where it holds nothing. */
export function viewOf({ record, createdAt, updatedAt }: DatedRecord): JsonObject {
  return {
    id: record.id,
    kind: record.kind,
    version: record.version,
    archived: record.archived,
    fields: { ...emptyFields(record.kind), ...record.fields },
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}

/** Versions only rise, so one names a state of the record. */
export const etagOf = (version: number): string => `"${version}"`

/** An explanation as callers see it: times in ISO form, and nothing of the vendors' own objects. */
export function explanationView(explanation: Explanation): JsonObject {
  const { record, fields, links, consents, writes, items } = explanation
  return {
    id: record.id,
    kind: record.kind,
    version: record.version,
    fields: fields.map(fieldView),
    links: links.map((link) => ({ ...link })),
    ...storiesView(explanation),
    consents: consents.map((statement) => ({ ...statement, at: iso(statement.at) })),
    writes: writes.map(({ stream, op, state, createdAt }) => ({
      stream,
      op,
      state,
      createdAt: iso(createdAt),
    })),
    inbox: items.map(({ id, kind, title, fix }) => ({ id, kind, title, fix })),
  }
}
