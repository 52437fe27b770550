import { isList, type JsonObject } from '../core/json.ts'
import type { Fields, RecordId, RecordKind } from '../core/model.ts'
import type { HubRef, RefBy, Refs, RemoteRef, Stream } from '../core/stream.ts'
import { holders } from '../store/identities.ts'
import type { Query } from '../store/database.ts'
import { survivorsOf } from '../store/merges.ts'
import { loadRecords } from '../store/records.ts'
import type { Hub, Target } from './hub.ts'
import { mustStayNamed } from './merge/moved.ts'

const byName = (by: RefBy) => (typeof by === 'string' ? by : `stream ${by.stream}`)
const nameOf = (ref: { record: RecordKind; by: RefBy }, key: string | number) =>
  `${ref.record} ${byName(ref.by)} ${ref.by === 'name' ? String(key).toLowerCase() : key}`

/** What remote objects name, by way of naming and key. */
export type Named = ReadonlyMap<string, RecordId>

/** Looks up what a page's objects and records refer to, with one query for each way of naming. */
export async function resolveRefs(
  hub: Hub,
  q: Query,
  target: Target,
  bodies: readonly JsonObject[],
  records: readonly Fields[],
): Promise<Refs> {
  return refsFrom(hub, q, target, await namedBy(hub, q, target, bodies), records)
}

/** The records that remote objects name. */
export async function namedBy(
  hub: Hub,
  q: Query,
  target: Target,
  bodies: readonly JsonObject[],
): Promise<Named> {
  const named = bodies.flatMap((body) => target.stream.remoteRefs(body))
  const ids = new Map<string, RecordId>()
  for (const refs of groups(named)) {
    for (const [key, id] of await lookUp(hub, q, target.stream, refs)) ids.set(key, id)
  }
  return ids
}

/**
 * As `namedBy`, for who writes them: none of the contacts and companies is merged before the transaction ends. To be
 * called before records that name them are locked, as a merge takes them in that order too. Throws `RaceError`.
 */
export async function heldNames(
  hub: Hub,
  q: Query,
  target: Target,
  bodies: readonly JsonObject[],
): Promise<Named> {
  const ids = await namedBy(hub, q, target, bodies)
  await mustStayNamed(q, [...ids.values()])
  return ids
}

/** What remote objects refer to, looked up before, and what records refer to. */
export async function refsFrom(
  hub: Hub,
  q: Query,
  target: Target,
  ids: Named,
  records: readonly Fields[],
): Promise<Refs> {
  const owned = records.flatMap((fields) => target.stream.hubRefs(fields))
  const keys = new Map<string, string>()
  for (const refs of groups(owned)) {
    for (const [key, value] of await nameThem(hub, q, target.stream, refs)) keys.set(key, value)
  }
  return {
    toId: (ref) => ids.get(nameOf(ref, ref.key)),
    toKey: (ref) => keys.get(nameOf(ref, ref.id)),
  }
}

function groups<T extends { record: RecordKind; by: RefBy }>(refs: readonly T[]): readonly (readonly T[])[] {
  const grouped = new Map<string, T[]>()
  for (const ref of refs) {
    const key = `${ref.record} ${byName(ref.by)}`
    const group = grouped.get(key)
    if (group === undefined) grouped.set(key, [ref])
    else group.push(ref)
  }
  return [...grouped.values()]
}

async function lookUp(
  hub: Hub,
  q: Query,
  stream: Stream,
  refs: readonly RemoteRef[],
): Promise<readonly (readonly [string, RecordId])[]> {
  const [first] = refs
  if (first === undefined) return []
  const keys = [...new Set(refs.map((ref) => ref.key))]
  const { record, by } = first
  if (by === 'email' || by === 'domain') {
    const found = await holders(
      q,
      record,
      keys.map((value) => ({ kind: by, value: value.toLowerCase() })),
    )
    return found.map((holding) => [nameOf(first, holding.key.value), holding.id])
  }
  if (by === 'id') {
    const wanted = keys.map(Number).filter(Number.isSafeInteger)
    const moved = await survivorsOf(q, wanted)
    return [...(await loadRecords(q, record, wanted)).keys()].map((id) => [
      nameOf(first, id),
      moved.get(id) ?? id,
    ])
  }
  if (by === 'name') {
    if (record !== 'company') return []
    const found = await q<{ name: string; id: number }[]>`
      select lower(name) as name, min(id) as id from companies
      where lower(name) = any(${keys.map((key) => key.toLowerCase())}) and archived_at is null
      group by lower(name) having count(*) = 1`
    return found.map((row) => [nameOf(first, row.name), row.id])
  }
  const other = siblingStream(hub, stream, by.stream)
  if (other === undefined) return []
  const found = await q<{ remoteId: string; recordId: number }[]>`
    select remote_id as "remoteId", record_id as "recordId" from links
    where stream_id = ${other} and remote_id = any(${keys})`
  return found.map((row) => [nameOf(first, row.remoteId), row.recordId])
}

async function nameThem(
  hub: Hub,
  q: Query,
  stream: Stream,
  refs: readonly HubRef[],
): Promise<readonly (readonly [string, string])[]> {
  const [first] = refs
  if (first === undefined) return []
  const ids = [...new Set(refs.map((ref) => ref.id))]
  const { record, by } = first
  if (by === 'id') return ids.map((id) => [nameOf(first, id), String(id)])
  if (typeof by === 'object') {
    const other = siblingStream(hub, stream, by.stream)
    if (other === undefined) return []
    const found = await q<{ remoteId: string; recordId: number }[]>`
      select distinct on (record_id) remote_id as "remoteId", record_id as "recordId" from links
      where stream_id = ${other} and record_id = any(${ids}) and state = 'linked' order by record_id, id`
    return found.map((row) => [nameOf(first, row.recordId), row.remoteId])
  }
  const field = { email: 'emails', domain: 'domains', name: 'name' }[by]
  const found = await loadRecords(q, record, ids)
  return [...found.values()].flatMap((r) => {
    const value = r.fields[field]
    const key = isList(value) ? value[0] : value
    return typeof key === 'string' ? [[nameOf(first, r.id), key] as const] : []
  })
}

function siblingStream(hub: Hub, stream: Stream, name: string): number | undefined {
  return hub.targets.find((t) => t.stream.connection === stream.connection && t.stream.name === name)?.id
}
