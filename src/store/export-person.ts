import type { RecordId } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import type { Query } from './database.ts'
import { bytes, type Hash } from './mail/key.ts'

/** Whose data is asked for. */
export type Asked = {
  readonly records: readonly RecordId[]
  readonly addresses: readonly string[]
  /** Digests of the addresses, as mail keeps them. */
  readonly hashes: readonly Hash[]
  /** The addresses, numbers and whole names, as a regular expression that does not regard case. */
  readonly named: string
}

/** One part: a page of rows, each as JSON text with `n`, what the next page starts after. */
export type Part = {
  readonly name: string
  /** For whoever asked for their data. */
  readonly about: string
  /** What comes before all rows. */
  readonly begin: string
  page(q: Query, asked: Asked, after: string, limit: number): Promise<readonly { n: string; row: string }[]>
}

type Rows = Promise<readonly { n: string; row: string }[]>
const people = (asked: Asked) => numbers(asked.records)
const known = (asked: Asked) => texts(asked.addresses)

const byContact = (name: string, table: 'deals' | 'activities' | 'invoices', about: string): Part => ({
  name,
  about,
  begin: '0',
  page: (q, asked, after, limit): Rows => q`
    select id::text as n, to_json(t)::text as row from ${q(table)} t
    where contact_id = any(${people(asked)}::bigint[]) and id > ${Number(after)} order by id limit ${limit}`,
})

const byRecord = (
  name: string,
  about: string,
  from: (q: Query, asked: Asked, after: number, limit: number) => Rows,
): Part => ({
  name,
  about,
  begin: '0',
  page: (q, asked, after, limit) => from(q, asked, Number(after), limit),
})

/** By a text that tells rows apart. */
const keyed = (name: string, about: string, page: Part['page']): Part => ({ name, about, begin: '', page })

/** Everything that is kept about a person, part by part, each by a rising key. */
export const PARTS: readonly Part[] = [
  byRecord(
    'record',
    'The records, with whose word each value is (provenance).',
    (q, asked, after, limit) => q`
    select id::text as n, to_json(t)::text as row from contacts t
    where id = any(${people(asked)}::bigint[]) and id > ${after} order by id limit ${limit}`,
  ),
  byRecord(
    'members',
    'Of merged records, what each says by itself.',
    (q, asked, after, limit) => q`
    select record_id::text as n, to_json(t)::text as row from facets t
    where record_id = any(${people(asked)}::bigint[]) and record_id > ${after} order by record_id limit ${limit}`,
  ),
  byRecord(
    'merges',
    'When records were merged, by whom and why.',
    (q, asked, after, limit) => q`
    select id::text as n, to_json(t)::text as row from merges t
    where (loser_id = any(${people(asked)}::bigint[]) or survivor_id = any(${people(asked)}::bigint[])) and id > ${after}
    order by id limit ${limit}`,
  ),
  byRecord(
    'history',
    'Every change, with its source, time and rule.',
    (q, asked, after, limit) => q`
    select id::text as n, json_build_object('at', at, 'record', record_id, 'what', op, 'source', source, 'run', run_id,
      'changes', changes)::text as row from history
    where record_id = any(${people(asked)}::bigint[]) and id > ${after} order by id limit ${limit}`,
  ),
  byRecord(
    'systems',
    'The objects in other systems, as they were last seen.',
    (q, asked, after, limit) => q`
    select l.id::text as n, json_build_object('stream', s.connection || '/' || s.name, 'id', l.remote_id,
      'state', l.state, 'object', l.observed)::text as row
    from links l join streams s on s.id = l.stream_id
    where l.record_id = any(${people(asked)}::bigint[]) and l.id > ${after} order by l.id limit ${limit}`,
  ),
  byRecord(
    'sent',
    'What was sent to other systems.',
    (q, asked, after, limit) => q`
    select o.id::text as n, json_build_object('at', o.created_at, 'stream', s.connection || '/' || s.name, 'what', o.op,
      'state', o.state, 'body', o.body)::text as row
    from outbox o join streams s on s.id = o.stream_id
    where o.record_id = any(${people(asked)}::bigint[]) and o.id > ${after} order by o.id limit ${limit}`,
  ),
  byRecord(
    'consent',
    'What was said about being contacted, by address.',
    (q, asked, after, limit) => q`
    select id::text as n, to_json(t)::text as row from consents t
    where address = any(${known(asked)}::text[]) and id > ${after} order by id limit ${limit}`,
  ),
  byContact('deals', 'deals', 'Deals that name the person.'),
  byContact('activities', 'activities', 'What happened with the person.'),
  byContact('invoices', 'invoices', 'Invoices to the person.'),
  byRecord(
    'messages',
    'Logged mail in which the person takes part, as far as it is kept.',
    (q, asked, after, limit) => q`
    select m.id::text as n, json_build_object('at', m.at, 'direction', m.direction, 'subject', m.subject, 'text', m.text,
      'quoted', m.quoted, 'signature', m.signature, 'html', m.html, 'attachments', m.attachments,
      'people', (select json_agg(json_build_object('address', p.address, 'name', p.name, 'role', p.role))
        from message_participants p where p.message_id = m.id))::text as row
    from messages m
    where m.id in (
      select message_id from message_participants where contact_id = any(${people(asked)}::bigint[])
      union select message_id from message_participants where address = any(${known(asked)}::text[])
      union select message_id from message_participants where plain = any(${known(asked)}::text[])
    ) and m.id > ${after} order by m.id limit ${limit}`,
  ),
  keyed(
    'mailKeptOut',
    'Mail that names the person and was not logged: only that it was seen is known, by digests.',
    (q, asked, after, limit) => q`
      select stream_id || ' ' || remote_id as n, json_build_object('id', remote_id, 'verdict', verdict, 'reason', reason,
        'seenAt', seen_at)::text as row
      from sightings where address_hashes && ${texts(asked.hashes.map(bytes))}::bytea[]
        and stream_id || ' ' || remote_id > ${after} order by 1 limit ${limit}`,
  ),
  byRecord(
    'inbox',
    'Questions to the staff about the person, or naming them.',
    (q, asked, after, limit) => q`
    select id::text as n, json_build_object('kind', kind, 'title', title, 'state', state, 'detail', detail,
      'createdAt', created_at, 'resolution', resolution)::text as row
    from inbox where id > ${after} and (record_id = any(${people(asked)}::bigint[])
      or (kind = 'duplicate' and exists (
        select from jsonb_array_elements_text(detail -> 'records') r where r = any(${texts(asked.records.map(String))}::text[])))
      or title ~* ${asked.named} or detail::text ~* ${asked.named})
    order by id limit ${limit}`,
  ),
  keyed(
    'held',
    'Changes that wait for the staff, or that they decided about.',
    (q, asked, after, limit) => q`
    select n, row from (
      select concat_ws(' ', h.stream_id, h.side, h.what, h.record_id) as n, json_build_object(
        'stream', s.connection || '/' || s.name, 'side', side, 'what', what, 'record', record_id, 'id', remote_id,
        'title', title, 'changes', changes, 'verdict', verdict, 'seenAt', seen_at)::text as row
      from held_changes h join streams s on s.id = h.stream_id
      where record_id = any(${people(asked)}::bigint[]) or title ~* ${asked.named} or changes::text ~* ${asked.named}
    ) t where n > ${after} order by n limit ${limit}`,
  ),
  keyed(
    'plans',
    'What a plan of changes lists about the person, or naming them.',
    (q, asked, after, limit) => q`
    select n, row from (
      select concat_ws(' ', plan_id, p.n) as n, json_build_object('plan', plan_id, 'stream', s.connection || '/' || s.name,
        'side', side, 'what', op, 'record', record_id, 'id', remote_id, 'title', title, 'changes', changes,
        'why', why)::text as row
      from plan_lines p join streams s on s.id = p.stream_id
      where record_id = any(${people(asked)}::bigint[]) or title ~* ${asked.named} or changes::text ~* ${asked.named}
        or why ~* ${asked.named}
    ) t where n > ${after} order by n limit ${limit}`,
  ),
  keyed(
    'matching',
    'Records that look like the same person, and how they agree.',
    (q, asked, after, limit) => q`
    select n, row from (
      select concat_ws(' ', a, b) as n, to_json(t)::text as row from match_pairs t
      where a = any(${people(asked)}::bigint[]) or b = any(${people(asked)}::bigint[])
    ) t where n > ${after} order by n limit ${limit}`,
  ),
  keyed(
    'findings',
    'What the record lacks by the rules of the organisation.',
    (q, asked, after, limit) => q`
    select n, row from (
      select concat_ws(' ', record_id, what, field, value) as n, to_json(t)::text as row from findings t
      where record_id = any(${people(asked)}::bigint[])
    ) t where n > ${after} order by n limit ${limit}`,
  ),
  keyed(
    'unreadable',
    'What other systems said that could not be read.',
    (q, asked, after, limit) => q`
    select n, row from (
      select concat_ws(' ', p.stream_id, p.place) as n, json_build_object('stream', s.connection || '/' || s.name,
        'place', place, 'id', p.remote_id, 'problem', p.problem, 'raw', raw, 'seenAt', seen_at)::text as row
      from quarantine p join streams s on s.id = p.stream_id
      where raw ~* ${asked.named} or p.problem ~* ${asked.named} or exists (
        select from links l where l.stream_id = p.stream_id and l.remote_id = p.remote_id
          and l.record_id = any(${people(asked)}::bigint[]))
    ) t where n > ${after} order by n limit ${limit}`,
  ),
]
