import type { Instant } from '../core/json.ts'
import type { RecordId, RecordKind } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import type { Query } from './database.ts'

/** What one record lacks; see core/governance/findings.ts. `source`: where the record came from. */
export type FindingRow = {
  readonly recordId: RecordId
  readonly what: string
  readonly field: string
  readonly value: string
  readonly said: string
  readonly source: string
}

/** Sets what records of one kind lack. Records of `ids` without a row lack nothing. Two statements. */
export async function writeFindings(
  q: Query,
  kind: RecordKind,
  ids: readonly RecordId[],
  found: readonly FindingRow[],
): Promise<void> {
  if (ids.length === 0) return
  await q`delete from findings where record_id = any(${numbers(ids)}::bigint[])`
  if (found.length === 0) return
  const column = (read: (row: FindingRow) => string) => texts(found.map(read))
  await q`
    insert into findings (record_id, kind, what, field, value, said, source)
    select r.id, ${kind}, r.what, r.field, coalesce(r.value, ''), coalesce(r.said, ''), r.source
    from unnest(${numbers(found.map((row) => row.recordId))}::bigint[], ${column((row) => row.what)}::text[],
      ${column((row) => row.field)}::text[], ${column((row) => row.value)}::text[],
      ${column((row) => row.said)}::text[], ${column((row) => row.source)}::text[])
      as r(id, what, field, value, said, source)
    on conflict do nothing`
}

/** Counts end here: more are told as "more than". */
export const MOST_COUNTED = 10_000

export type Group = { readonly what: string; readonly field: string; readonly value: string }

/** How many records have each of the findings, at most `MOST_COUNTED`, and one way in which it was written. */
export async function countValues(
  q: Query,
  kind: RecordKind,
  groups: readonly Group[],
): Promise<readonly (Group & { readonly count: number; readonly said: string })[]> {
  if (groups.length === 0) return []
  const column = (read: (group: Group) => string) => texts(groups.map(read))
  return q<(Group & { count: number; said: string })[]>`
    select g.what, g.field, coalesce(g.value, '') as value, n.count, coalesce(n.said, '') as said
    from unnest(${column((g) => g.what)}::text[], ${column((g) => g.field)}::text[], ${column((g) => g.value)}::text[])
      as g(what, field, value),
    lateral (select count(*) as count, min(said) as said from (
      select said from findings f where f.kind = ${kind} and f.what = g.what and f.field = g.field
        and f.value = coalesce(g.value, '') limit ${MOST_COUNTED}) counted) n`
}

export type SourceGroup = { readonly what: string; readonly field: string; readonly source: string }

/** The same by where the records came from. */
export async function countSources(
  q: Query,
  kind: RecordKind,
  groups: readonly SourceGroup[],
): Promise<readonly (SourceGroup & { readonly count: number })[]> {
  if (groups.length === 0) return []
  const column = (read: (group: SourceGroup) => string) => texts(groups.map(read))
  return q<(SourceGroup & { count: number })[]>`
    select g.what, g.field, g.source, n.count
    from unnest(${column((g) => g.what)}::text[], ${column((g) => g.field)}::text[], ${column((g) => g.source)}::text[])
      as g(what, field, source),
    lateral (select count(*) as count from (
      select 1 from findings f where f.kind = ${kind} and f.what = g.what and f.field = g.field and f.value = ''
        and f.source = g.source limit ${MOST_COUNTED}) counted) n`
}

/** Deals from each of the sources that lack what their stage needs, without those that have an item of their own. */
export async function countStageGaps(
  q: Query,
  sources: readonly string[],
  keyPrefix: string,
): Promise<readonly { readonly source: string; readonly count: number }[]> {
  if (sources.length === 0) return []
  return q<{ source: string; count: number }[]>`
    select g.source, n.count from unnest(${texts(sources)}::text[]) as g(source),
    lateral (select count(*) as count from (
      select distinct record_id from findings f where f.kind = 'deal' and f.what = 'stage' and f.source = g.source
        and not exists (select from inbox i where i.state = 'open' and i.key = ${keyPrefix} || f.record_id)
      limit ${MOST_COUNTED}) counted) n`
}

/** Every group there is: once in a while, as it reads all findings. */
export async function allGroups(
  q: Query,
  kind: RecordKind,
): Promise<readonly (Group & { readonly source: string })[]> {
  return q<(Group & { source: string })[]>`
    select what, field, value, source from findings where kind = ${kind}
    group by what, field, value, source order by count(*) desc limit 5000`
}

/** Records with findings, by rising id. */
export async function recordsFound(
  q: Query,
  kind: RecordKind,
  after: RecordId,
  limit: number,
): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select distinct record_id as id from findings where kind = ${kind} and record_id > ${after}
    order by record_id limit ${limit}`
  return found.map((row) => row.id)
}

/** Open items whose key begins so, locked in the order of their keys: who counts next has seen what others wrote. */
export async function lockItems(q: Query, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set()
  const found = await q<{ key: string }[]>`
    select key from inbox where state = 'open' and key = any(${texts(keys)}::text[]) order by key for update`
  return new Set(found.map((row) => row.key))
}

/** Keys of open items that begin with a prefix, at most `limit`. */
export async function keysUnder(q: Query, prefix: string, limit: number): Promise<readonly string[]> {
  const found = await q<{ key: string }[]>`
    select key from inbox where state = 'open' and starts_with(key, ${prefix}) order by key limit ${limit}`
  return found.map((row) => row.key)
}

/** Rules that stored records are kept in step with, each with its row. */
const RULES = { findings: 1, survivorship: 2, keys: 3 } as const

export async function rulesFingerprint(
  q: Query,
  rules: keyof typeof RULES = 'findings',
): Promise<string | null> {
  const [row] = await q<{ fingerprint: string }[]>`
    select fingerprint from finding_rules where id = ${RULES[rules]}`
  return row?.fingerprint ?? null
}

export async function noteRules(
  q: Query,
  fingerprint: string,
  at: Instant,
  rules: keyof typeof RULES = 'findings',
): Promise<void> {
  await q`
    insert into finding_rules (id, fingerprint, at) values (${RULES[rules]}, ${fingerprint}, ${at})
    on conflict (id) do update set fingerprint = excluded.fingerprint, at = excluded.at`
}

/** Forgets a finding of whatever record: the rules have it no more. */
export async function findingGroupGone(q: Query, kind: RecordKind, group: Group): Promise<void> {
  await q`
    delete from findings where kind = ${kind} and what = ${group.what} and field = ${group.field} and value = ${group.value}`
}
