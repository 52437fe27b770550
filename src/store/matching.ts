import type { MatchedKind } from '../core/duplicates.ts'
import type { Instant } from '../core/json.ts'
import type { Fields, RecordId } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import type { Query } from './database.ts'
import { TABLE } from './records.ts'

/**
 * Has records compared with the others, in the transaction that changed them. A row that is there already is locked,
 * not left alone: whoever works it off meanwhile has read the record before this change, and must not take it away.
 */
export async function queueMatching(q: Query, kind: MatchedKind, ids: readonly RecordId[]): Promise<void> {
  if (ids.length === 0) return
  await q`
    insert into match_queue (record_id, kind)
    select id, ${kind} from unnest(${numbers(ids)}::bigint[]) as r(id) order by id
    on conflict (record_id) do update set kind = excluded.kind`
}

/**
 * Forgets what archived records are found by and whom they look like, and has the next step look at them once more: one
 * under way may have read them before, and writes down after this what it found.
 */
export async function forgetMatching(q: Query, kind: MatchedKind, ids: readonly RecordId[]): Promise<void> {
  if (ids.length === 0) return
  const gone = numbers(ids)
  await q`
    with paired as (delete from match_pairs where a = any(${gone}::bigint[]) or b = any(${gone}::bigint[]))
    delete from match_keys where record_id = any(${gone}::bigint[])`
  await queueMatching(q, kind, ids)
}

/** Queues every record of a kind. Returns how many there are. */
export async function queueAll(q: Query, kind: MatchedKind): Promise<number> {
  const queued = await q`
    insert into match_queue (record_id, kind)
    select id, ${kind} from ${q(TABLE[kind])} where archived_at is null order by id
    on conflict (record_id) do update set kind = excluded.kind`
  return queued.count
}

const LOCK = 4_017_602
const LOCK_OF: Readonly<Record<MatchedKind, number>> = { contact: 1, company: 2 }

/**
 * Makes this transaction the only one that compares records of a kind: two that each brought one of a pair would not
 * see each other's. With `wait` false, says whether it is.
 */
export async function lockMatching(q: Query, kind: MatchedKind, wait: boolean): Promise<boolean> {
  if (wait) {
    await q`select pg_advisory_xact_lock(${LOCK}::int, ${LOCK_OF[kind]}::int)`
    return true
  }
  const [row] = await q<{ held: boolean }[]>`
    select pg_try_advisory_xact_lock(${LOCK}::int, ${LOCK_OF[kind]}::int) as held`
  return row?.held === true
}

/** Takes records off the queue, lowest id first; those given alone with `only`. Records being changed are left for later. */
export async function takeWaiting(
  q: Query,
  kind: MatchedKind,
  limit: number,
  only: readonly RecordId[] | null,
): Promise<readonly RecordId[]> {
  const taken = await q<{ id: RecordId }[]>`
    with waiting as materialized (
      select record_id from match_queue
      where kind = ${kind} and (${only === null} or record_id = any(${numbers(only ?? [])}::bigint[]))
      order by record_id limit ${limit} for update skip locked
    )
    delete from match_queue m using waiting w where m.record_id = w.record_id returning m.record_id as id`
  return taken.map((row) => row.id).toSorted((a, b) => a - b)
}

/** What a record is recognised by. */
export type Recognised = {
  readonly id: RecordId
  readonly version: number
  readonly archived: boolean
  readonly fields: Fields
}

/** Few columns: there may be many candidates. A contact's company gives its name where the contact states none. */
const IDENTITY: Readonly<Record<MatchedKind, string>> = {
  contact: `select c.id, c.version, c.archived_at is not null as archived, c.given_name as "givenName",
      c.family_name as "familyName", c.emails, c.phones, c.job_title as "jobTitle",
      coalesce(c.company_name, o.name) as "companyName", c.address, c.birthday
    from contacts c left join companies o on o.id = c.company_id`,
  company: `select c.id, c.version, c.archived_at is not null as archived, c.name, c.domains, c.phones, c.address
    from companies c`,
}

/** The fields above: a change to another one does not change who a record is. */
export const RECOGNISED_BY: Readonly<Record<MatchedKind, readonly string[]>> = {
  contact: [
    'givenName',
    'familyName',
    'emails',
    'phones',
    'jobTitle',
    'companyName',
    'company',
    'address',
    'birthday',
  ],
  company: ['name', 'domains', 'phones', 'address'],
}

export async function loadRecognised(
  q: Query,
  kind: MatchedKind,
  ids: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, Recognised>> {
  if (ids.length === 0) return new Map()
  const found = await q.unsafe<(Fields & Pick<Recognised, 'id' | 'version' | 'archived'>)[]>(
    `${IDENTITY[kind]} where c.id = any($1)`,
    [[...new Set(ids)]],
    { prepare: true },
  )
  return new Map(found.map(({ id, version, archived, ...fields }) => [id, { id, version, archived, fields }]))
}

/** Replaces the keys that records are found by. */
export async function writeKeys(
  q: Query,
  ids: readonly RecordId[],
  keys: readonly { readonly id: RecordId; readonly key: number }[],
): Promise<void> {
  await q`delete from match_keys where record_id = any(${numbers(ids)}::bigint[])`
  await q`
    insert into match_keys (key, record_id)
    select * from unnest(${numbers(keys.map((k) => k.key))}::bigint[], ${numbers(keys.map((k) => k.id))}::bigint[])
    order by 1, 2 on conflict do nothing`
}

/** The keys that records are found by. */
export async function keysOf(
  q: Query,
  ids: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, ReadonlySet<number>>> {
  const found = await q<{ id: RecordId; keys: readonly number[] }[]>`
    select record_id as id, array_agg(key) as keys from match_keys
    where record_id = any(${numbers(ids)}::bigint[]) group by record_id`
  return new Map(found.map((row) => [row.id, new Set(row.keys)]))
}

/** A page of the records that are compared, by rising id. */
export async function liveAfter(
  q: Query,
  kind: MatchedKind,
  after: RecordId,
  limit: number,
): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select id from ${q(TABLE[kind])} where archived_at is null and id > ${after} order by id limit ${limit}`
  return found.map((row) => row.id)
}

/** Who holds the keys, those aside that more than `most` records share: they tell nobody apart. */
export async function holdersOf(
  q: Query,
  keys: readonly number[],
  most: number,
): Promise<ReadonlyMap<number, readonly RecordId[]>> {
  if (keys.length === 0) return new Map()
  const found = await q<{ key: number; ids: readonly number[] }[]>`
    select k.key, m.ids
    from unnest(${numbers(keys)}::bigint[]) as k(key)
    cross join lateral (
      select array_agg(record_id) as ids
      from (select record_id from match_keys where key = k.key limit ${most + 1}) held
    ) m
    where cardinality(m.ids) between 1 and ${most}`
  return new Map(found.map((row) => [row.key, row.ids]))
}

/** Two records of one kind; `a` is the lower id. */
export type Pair = { readonly a: RecordId; readonly b: RecordId }
export const pairOf = (one: RecordId, other: RecordId): Pair =>
  one < other ? { a: one, b: other } : { a: other, b: one }
export const pairKey = ({ a, b }: Pair): string => `duplicate:${a}:${b}`

export type LikelyPair = Pair & { readonly probability: number; readonly evidence: string }

/** The pairs that records are in, as they were last compared. */
export async function pairsWith(q: Query, ids: readonly RecordId[]): Promise<readonly LikelyPair[]> {
  const all = numbers(ids)
  return q<LikelyPair[]>`
    select a, b, probability, evidence from match_pairs
    where a = any(${all}::bigint[]) or b = any(${all}::bigint[])`
}

/**
 * Keeps pairs that look like one. Those that are `news` are asked about, also where a person closed their item; of the
 * others the figures follow.
 */
export async function savePairs(
  q: Query,
  kind: MatchedKind,
  pairs: readonly (LikelyPair & { readonly news: boolean })[],
  at: Instant,
): Promise<void> {
  if (pairs.length === 0) return
  await q`
    insert into match_pairs as m (a, b, kind, probability, evidence, at, asked)
    select a, b, ${kind}, probability, evidence, ${at}, not news
    from unnest(${numbers(pairs.map((p) => p.a))}::bigint[], ${numbers(pairs.map((p) => p.b))}::bigint[],
      ${numbers(pairs.map((p) => p.probability))}::float8[], ${texts(pairs.map((p) => p.evidence))}::text[],
      ${texts(pairs.map((p) => String(p.news)))}::bool[]) as r(a, b, probability, evidence, news)
    on conflict (a, b) do update set probability = excluded.probability, evidence = excluded.evidence,
      asked = m.asked and excluded.asked, at = case when excluded.asked then m.at else excluded.at end
    where m.probability <> excluded.probability or m.evidence <> excluded.evidence`
}

export async function forgetPairs(q: Query, pairs: readonly Pair[]): Promise<void> {
  if (pairs.length === 0) return
  await q`
    delete from match_pairs m
    using unnest(${numbers(pairs.map((p) => p.a))}::bigint[], ${numbers(pairs.map((p) => p.b))}::bigint[]) as p(a, b)
    where m.a = p.a and m.b = p.b`
}

/** The streams that records came through. */
export async function streamsOf(
  q: Query,
  ids: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, readonly number[]>> {
  if (ids.length === 0) return new Map()
  const found = await q<{ id: RecordId; streams: readonly number[] }[]>`
    select record_id as id, array_agg(distinct stream_id) as streams from links
    where record_id = any(${numbers(ids)}::bigint[]) and state = 'linked' group by record_id`
  return new Map(found.map((row) => [row.id, row.streams]))
}
