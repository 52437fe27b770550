import type { Json } from '../../src/core/json.ts'
import type { Fields, HubRecord, RecordId } from '../../src/core/model.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { loadRecords, stated } from '../../src/store/records.ts'
import type { World } from '../support/world.ts'

export type Given = Readonly<Record<string, Json>>

export async function made(
  hub: Hub,
  kind: 'contact' | 'company' | 'deal',
  fields: Given,
  source = 'user:ann',
): Promise<RecordId> {
  const result = await createRecord(hub, kind, fields, source)
  if (result.kind !== 'saved') throw new Error(JSON.stringify(result))
  return result.record.id
}

export async function edit(
  hub: Hub,
  kind: 'contact' | 'company' | 'deal',
  id: RecordId,
  fields: Given,
  source = 'user:ann',
): Promise<void> {
  const result = await editRecord(hub, kind, id, fields, source)
  if (result.kind !== 'saved') throw new Error(JSON.stringify(result))
}

export async function read(
  hub: Hub,
  kind: 'contact' | 'company' | 'deal' | 'activity',
  id: RecordId,
): Promise<HubRecord> {
  const record = (await loadRecords(hub.db.sql, kind, [id])).get(id)
  if (record === undefined) throw new Error(`no ${kind} ${id}`)
  return record
}

/** What is stated; that nothing is known of consent says nothing. */
export async function fieldsOf(hub: Hub, id: RecordId): Promise<Fields> {
  const fields = stated((await read(hub, 'contact', id)).fields)
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 'unknown'))
}

export async function merge(hub: Hub, survivor: RecordId, ...losers: readonly RecordId[]): Promise<void> {
  const request = { kind: 'contact', survivor, losers, by: 'user:ann', rule: 'merged by user:ann' } as const
  const result = await mergeRecords(hub, request)
  if (result.kind !== 'merged') throw new Error(JSON.stringify(result))
}

export async function unmerge(hub: Hub, loser: RecordId): Promise<void> {
  const result = await unmergeRecord(hub, { kind: 'contact', loser, by: 'user:ann' })
  if (result.kind !== 'unmerged') throw new Error(JSON.stringify(result))
}

/** All that a merge touches of contacts: rows without versions, keys, links, references and messages. */
export async function stateOf({ db }: World, ids: readonly RecordId[]): Promise<object> {
  const q = db.sql
  const records = await loadRecords(q, 'contact', ids)
  return {
    records: [...records.values()]
      .toSorted((a, b) => a.id - b.id)
      .map(({ id, fields, provenance, archived }) => ({ id, archived, provenance, fields: stated(fields) })),
    keys: await q`select kind, key, record_id from identities where record_id = any(${[...ids]}) order by 1, 2, 3`,
    links: await q`
      select id, record_id, stream_id, remote_id from links where record_id = any(${[...ids]}) and remote_id is not null
      order by id`,
    deals:
      await q`select id, contact_id, provenance from deals where contact_id = any(${[...ids]}) order by id`,
    activities:
      await q`select id, contact_id from activities where contact_id = any(${[...ids]}) order by id`,
    messages: await q`
      select message_id, address, contact_id from message_participants where contact_id = any(${[...ids]})
      order by 1, 2`,
    facets: await q`select record_id, root_id from facets order by 1`,
  }
}
