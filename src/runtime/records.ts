import type { Instant, Json } from '../core/json.ts'
import type { Key } from '../core/identity.ts'
import type { HubRecord, RecordId, RecordKind } from '../core/model.ts'
import { normalise } from '../mappings/normalise.ts'
import { holders } from '../store/identities.ts'
import { listRecords, loadRecords, TABLE } from '../store/records.ts'
import type { Hub } from './hub.ts'

/** A record as callers see it, with the times of its row. */
export type DatedRecord = {
  readonly record: HubRecord
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

/** A page of the records that are not archived, by rising id. `next` is where the following page starts. */
export async function recordsAfter(
  hub: Hub,
  kind: RecordKind,
  after: RecordId,
  limit: number,
): Promise<{ readonly records: readonly DatedRecord[]; readonly next: RecordId | null }> {
  const found = await listRecords(hub.db.sql, kind, after, limit + 1)
  const records = found.slice(0, limit)
  const next = found.length > limit ? (records.at(-1)?.id ?? null) : null
  return { records: await dated(hub, kind, records), next }
}

/** The one record that holds an email address or a domain, written in any form people write them. */
export async function recordByKey(
  hub: Hub,
  kind: 'contact' | 'company',
  text: string,
): Promise<
  | { readonly kind: 'found'; readonly records: readonly DatedRecord[] }
  | { readonly kind: 'unreadable'; readonly problem: string }
> {
  const field = kind === 'contact' ? 'emails' : 'domains'
  const { defaultCountry, defaultCurrency } = hub.configuration
  const read = normalise(kind, field, [text], { country: defaultCountry, currency: defaultCurrency })
  if (read.kind === 'invalid') return { kind: 'unreadable', problem: read.problem }
  const values = Array.isArray(read.value) ? read.value.filter((v: Json) => typeof v === 'string') : []
  const keys = values.map((value): Key => ({ kind: kind === 'contact' ? 'email' : 'domain', value }))
  const ids = (await holders(hub.db.sql, kind, keys)).map((holder) => holder.id)
  const records = [...(await loadRecords(hub.db.sql, kind, ids)).values()]
  return { kind: 'found', records: await dated(hub, kind, records) }
}

/** Archived records too; null where there is none of this kind. */
export async function readRecord(hub: Hub, kind: RecordKind, id: RecordId): Promise<DatedRecord | null> {
  const record = (await loadRecords(hub.db.sql, kind, [id])).get(id)
  return record === undefined ? null : withTimes(hub, record)
}

export async function withTimes(hub: Hub, record: HubRecord): Promise<DatedRecord> {
  const [only] = await dated(hub, record.kind, [record])
  if (only === undefined) throw new Error(`${record.kind} ${record.id} has no row`)
  return only
}

async function dated(
  hub: Hub,
  kind: RecordKind,
  records: readonly HubRecord[],
): Promise<readonly DatedRecord[]> {
  if (records.length === 0) return []
  const q = hub.db.sql
  const found = await q<{ id: RecordId; createdAt: Instant; updatedAt: Instant }[]>`
    select id, created_at as "createdAt", updated_at as "updatedAt" from ${q(TABLE[kind])}
    where id = any(${records.map((r) => r.id)})`
  const times = new Map(found.map((row) => [row.id, row]))
  return records.flatMap((record) => {
    const row = times.get(record.id)
    return row === undefined ? [] : [{ record, createdAt: row.createdAt, updatedAt: row.updatedAt }]
  })
}
