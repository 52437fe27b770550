import type { Instant, JsonObject } from '../core/json.ts'
import type { FieldName, RecordId, RecordKind, Source } from '../core/model.ts'
import { texts } from './columns.ts'
import type { Query } from './database.ts'
import { TABLE } from './records.ts'

export type FieldChange = {
  readonly field: FieldName
  readonly op: 'create' | 'update' | 'archive' | 'restore' | 'keep'
  readonly at: Instant
  readonly source: Source
  readonly run: number | null
  /** {before, after, rule, lost?}; of a creation {after}. */
  readonly change: JsonObject
}

/**
 * What happened to each field of a record, or to one of them, latest first: at most `limit` changes a field, and as many
 * edits elsewhere that did not stand. However long ago: a record's whole history is read by its own index.
 */
export async function fieldChanges(
  q: Query,
  id: RecordId,
  field: FieldName | null,
  limit: number,
): Promise<readonly FieldChange[]> {
  return q<FieldChange[]>`
    select field, op, at, source, run, change from (
      select f.key as field, h.op, h.at, h.source, h.run_id as run, h.version, h.id,
        case when h.op = 'create' then json_build_object('after', f.value) else f.value end as change,
        row_number() over (partition by f.key, h.op = 'keep' order by h.version desc, h.id desc) as n
      from history h cross join lateral json_each(h.changes) f
      where h.record_id = ${id} and (${field}::text is null or f.key = ${field})
        and (h.op = 'create' or json_typeof(f.value) = 'object')
    ) c where n <= ${limit} order by version desc, id desc`
}

/** What keeps a record's links from being written, beside what the links say. */
export async function linkTroubles(
  q: Query,
  id: RecordId,
): Promise<
  readonly {
    readonly linkId: number
    readonly notBefore: Instant | null
    /** Of the last write: how it ended, and what the vendor said. */
    readonly op: string | null
    readonly outcome: string | null
    readonly message: string | null
  }[]
> {
  return q<
    {
      linkId: number
      notBefore: Instant | null
      op: string | null
      outcome: string | null
      message: string | null
    }[]
  >`
    select l.id as "linkId", l.not_before as "notBefore", o.op, o.state as outcome, o.outcome ->> 'message' as message
    from links l left join lateral (
      select op, state, outcome from outbox where record_id = l.record_id and link_id = l.id order by id desc limit 1
    ) o on true where l.record_id = ${id}`
}

/** Harm to a record that the guard holds, or that a person refused, by stream. */
export async function heldAbout(
  q: Query,
  id: RecordId,
): Promise<
  readonly {
    readonly streamId: number
    readonly side: 'in' | 'out'
    readonly what: string
    readonly verdict: string | null
    readonly by: Source | null
  }[]
> {
  return q<
    { streamId: number; side: 'in' | 'out'; what: string; verdict: string | null; by: Source | null }[]
  >`
    select stream_id as "streamId", side, what, verdict, decided_by as by from held_changes
    where record_id = ${id} and (verdict is null or verdict = 'rejected')`
}

/** Records that a person said are not this one. */
export async function apartFrom(
  q: Query,
  id: RecordId,
): Promise<readonly { readonly id: RecordId; readonly by: Source; readonly at: Instant }[]> {
  return q<{ id: RecordId; by: Source; at: Instant }[]>`
    select b as id, by, at from kept_apart where a = ${id}
    union all select a, by, at from kept_apart where b = ${id} order by id limit 20`
}

/** Mail that names one of these addresses and was kept out because nobody of it was known: latest first. */
export async function keptOutAbout(
  q: Query,
  hashes: readonly string[],
  limit: number,
): Promise<
  readonly {
    readonly mailbox: string
    readonly remoteId: string
    readonly reason: string | null
    readonly at: Instant
    readonly waits: boolean
  }[]
> {
  if (hashes.length === 0) return []
  return q<{ mailbox: string; remoteId: string; reason: string | null; at: Instant; waits: boolean }[]>`
    select m.address as mailbox, s.remote_id as "remoteId", s.reason, s.seen_at as at, s.recheck as waits
    from sightings s join mailboxes m on m.stream_id = s.stream_id
    where s.address_hashes is not null and s.address_hashes && ${texts(hashes.map((hash) => `\\x${hash}`))}::bytea[]
    order by s.seen_at desc limit ${limit}`
}

const TITLES = {
  contact: `concat_ws(' ', given_name, family_name, '<' || emails[1] || '>')`,
  company: `concat_ws(' ', name, '(' || domains[1] || ')')`,
  deal: `coalesce(name, 'deal without a name')`,
  activity: `coalesce(subject, type, 'activity')`,
  invoice: `concat_ws(' ', coalesce(number, 'not numbered yet'), item)`,
} as const
const NAMES = {
  contact: `lower(concat_ws(' ', given_name, family_name))`,
  company: 'lower(name)',
  deal: 'lower(name)',
  activity: 'lower(subject)',
  invoice: 'lower(number)',
} as const

export type Called = { readonly id: RecordId; readonly title: string; readonly rank: number }

/**
 * The records of a kind that a text may mean: its id, one of its keys, its id at a vendor, or its whole name. Keys and
 * vendor ids are found by their indexes: the keys' are partial and need the kind, the vendors' begin with the stream.
 */
export async function calledSo(
  q: Query,
  kind: RecordKind,
  text: string,
  id: RecordId,
  streams: readonly number[],
): Promise<readonly Called[]> {
  const table = q(TABLE[kind])
  const key = text.toLowerCase()
  return q<Called[]>`
    select t.id, ${q.unsafe(TITLES[kind])} as title, min(f.rank) as rank from (
      select ${id}::bigint as id, 0 as rank
      union all
      select record_id, 1 from identities where key = ${key} and kind = any(array['email', 'domain']) and kind <> 'phone'
      union all select record_id, 1 from identities where key = ${key} and kind = 'phone'
      union all select record_id, 2 from links where stream_id = any(${[...streams]}::int[]) and remote_id = ${text}
      union all select id, 3 from ${table} where ${q.unsafe(NAMES[kind])} = ${key}
    ) f join ${table} t on t.id = f.id group by t.id order by rank, t.id limit 20`
}
