import { CATALOG, isDerived, type FieldName, type RecordId } from '../core/model.ts'
import type { GovernedKind } from '../core/governance/rules.ts'
import { texts } from './columns.ts'
import type { Query, Tx } from './database.ts'
import { columnOf } from './field-values.ts'
import { TABLE } from './records.ts'

/** Something a record may have wrong, by which records are counted and listed. */
export type Check =
  | { readonly name: 'lacking' | 'unknown'; readonly field: FieldName }
  | { readonly name: PlainCheck }

export const PLAIN_CHECKS = [
  'duplicate',
  'stale',
  'bouncing',
  'unowned',
  'no-next-step',
  'overdue',
  'close-date-past',
  'stage-missing',
  'unknown-stage',
] as const
export type PlainCheck = (typeof PLAIN_CHECKS)[number]

/** What the checks are measured against. */
export type Measure = {
  /** Records without contact since are stale: ISO time. */
  readonly staleBefore: string
  /** YYYY-MM-DD. */
  readonly today: string
  /** Stages of open deals, and all that are configured, as `stagePair` writes them. */
  readonly openStages: readonly string[]
  readonly knownStages: readonly string[]
}

export const stagePair = (pipeline: string, stage: string): string =>
  `${pipeline.trim().toLowerCase()}\u001f${stage.trim().toLowerCase()}`

const STAGE = `coalesce(lower(btrim(t.pipeline)), '') || E'\\x1f' || coalesce(lower(btrim(t.stage)), '')`
const IS_OPEN = `(${STAGE}) = any(p.open_stages)`
const CONTACT = 'greatest(t.last_contacted_at, t.last_replied_at, t.created_at) < p.stale_before'
const UNOWNED = 't.owner is null'
const DUPLICATE = `t.id in (
  select record_id from inbox where state = 'open' and kind = 'duplicate' and record_id is not null union all
  select (detail->'records'->>1)::bigint from inbox where state = 'open' and kind = 'duplicate')`

/** The plain checks that make sense for a kind, as conditions on `t`, its table, and `p`, the measure. */
const CONDITIONS: Readonly<Record<GovernedKind, Readonly<Partial<Record<PlainCheck, string>>>>> = {
  contact: {
    duplicate: DUPLICATE,
    stale: CONTACT,
    bouncing: 't.bouncing_emails is not null',
    unowned: UNOWNED,
  },
  company: {
    duplicate: DUPLICATE,
    stale: `t.created_at < p.stale_before and not exists (
      select from activities a where a.company_id = t.id and a.occurred_at >= p.stale_before and a.archived_at is null)`,
    unowned: UNOWNED,
  },
  deal: {
    stale: `${IS_OPEN} and ${CONTACT}`,
    unowned: UNOWNED,
    'no-next-step': `${IS_OPEN} and (t.next_step is null or t.next_step_due is null)`,
    overdue: `${IS_OPEN} and t.next_step_due < p.today`,
    'close-date-past': `${IS_OPEN} and t.close_date < p.today`,
    'stage-missing': `t.id in (select record_id from findings where kind = 'deal' and what = 'stage')`,
    'unknown-stage': `cardinality(p.known_stages) > 0 and t.stage is not null and not (${STAGE}) = any(p.known_stages)`,
  },
}

export const checksOf = (kind: GovernedKind): readonly PlainCheck[] =>
  PLAIN_CHECKS.filter((name) => CONDITIONS[kind][name] !== undefined)

/** Undefined where a kind knows no such check. */
function conditionOf(kind: GovernedKind, check: Check): string | undefined {
  switch (check.name) {
    case 'lacking':
      return `(t.${columnOf(kind, check.field)}) is null`
    case 'unknown':
      return `t.id in (select record_id from findings where kind = '${kind}' and what = 'unknown' and field = ${quoted(check.field)})`
    default:
      return CONDITIONS[kind][check.name]
  }
}

/** Names of fields were checked where they came from; quoted all the same. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

const PARAMETERS = `(select $1::timestamptz as stale_before, $2::date as today, $3::text[] as open_stages,
  $4::text[] as known_stages)`
const parametersOf = ({ staleBefore, today, openStages, knownStages }: Measure): (string | number)[] => [
  staleBefore,
  today,
  texts(openStages),
  texts(knownStages),
]

export type Figure = {
  readonly metric: 'records' | 'complete' | Check['name']
  /** Of `complete`, `lacking` and `unknown`; else ''. */
  readonly field: FieldName
  readonly value: number
}

export type Breakdown = 'owner' | 'source'
const DIMENSIONS: Readonly<Record<Breakdown, string>> = {
  owner: 't.owner',
  source: `t.provenance->'*'->>'source'`,
}
const MOST_GROUPS = 200

/** The fields whose share of records that say something is reported. */
export const fieldsOf = (kind: GovernedKind, more: readonly FieldName[]): readonly FieldName[] => [
  ...new Set([...Object.keys(CATALOG[kind]).filter((name) => !isDerived(kind, name)), ...more]),
]

/**
 * Every figure of a kind, over records that are not archived, in one pass over its table; by owner or source, one list
 * for each of the 200 largest groups.
 */
export async function figuresOf(
  q: Query,
  kind: GovernedKind,
  measure: Measure,
  asked: { readonly fields: readonly FieldName[]; readonly checks: readonly Check[] },
  by: Breakdown | null = null,
): Promise<readonly { readonly group: string | null; readonly figures: readonly Figure[] }[]> {
  const parts: { readonly metric: Figure['metric']; readonly field: FieldName; readonly sql: string }[] = [
    { metric: 'records', field: '', sql: 'count(*)' },
    ...asked.fields.map((field) => ({
      metric: 'complete' as const,
      field,
      sql: `count(t.${columnOf(kind, field)})`,
    })),
    ...asked.checks.flatMap((check) => {
      const condition = conditionOf(kind, check)
      const field = 'field' in check ? check.field : ''
      return condition === undefined
        ? []
        : [{ metric: check.name, field, sql: `count(*) filter (where ${condition})` }]
    }),
  ]
  const group = by === null ? 'null' : DIMENSIONS[by]
  const found = await q.unsafe<{ group: string | null; values: string }[]>(
    `select ${group} as "group", array_to_json(array[${parts.map(({ sql }) => sql).join(', ')}])::text as values
     from ${TABLE[kind]} t cross join ${PARAMETERS} p where t.archived_at is null
     ${by === null ? '' : `group by 1 order by count(*) desc, 1 limit ${MOST_GROUPS}`}`,
    parametersOf(measure),
  )
  return found.map((row) => {
    const values: unknown = JSON.parse(row.values)
    const counts = Array.isArray(values) ? values.map(Number) : []
    const figures = parts.map(({ metric, field }, i) => ({ metric, field, value: counts[i] ?? 0 }))
    return { group: row.group, figures }
  })
}

export type Listed = {
  readonly id: RecordId
  readonly title: string | null
  readonly owner: string | null
  readonly source: string | null
  readonly updatedAt: number
  /** Of `unknown`: the values. Of `stage-missing`: the fields. */
  readonly what: string | null
}

const TITLES: Readonly<Record<GovernedKind, string>> = {
  contact: `coalesce(nullif(concat_ws(' ', t.given_name, t.family_name), ''), t.emails[1])`,
  company: 'coalesce(t.name, t.domains[1])',
  deal: 't.name',
}

/** A page of the records that a check finds, by rising id; undefined where the kind knows no such check. */
export async function recordsFoundBy(
  q: Query,
  kind: GovernedKind,
  check: Check,
  measure: Measure,
  page: {
    readonly after: RecordId
    readonly limit: number
    readonly source?: string
    readonly owner?: string
  },
): Promise<readonly Listed[] | undefined> {
  const condition = conditionOf(kind, check)
  if (condition === undefined) return undefined
  const finding =
    check.name === 'unknown'
      ? `(select string_agg(f.said, ', ' order by f.said) from findings f
          where f.record_id = t.id and f.what = 'unknown' and f.field = ${quoted(check.field)})`
      : check.name === 'stage-missing'
        ? `(select string_agg(f.field, ', ' order by f.field) from findings f where f.record_id = t.id and f.what = 'stage')`
        : 'null::text'
  return q.unsafe<Listed[]>(
    `select t.id, ${TITLES[kind]} as title, t.owner, ${DIMENSIONS.source} as source, t.updated_at as "updatedAt",
       ${finding} as what
     from ${TABLE[kind]} t cross join ${PARAMETERS} p
     where t.archived_at is null and t.id > $5 and (${condition})
       and ($7::text is null or ${DIMENSIONS.source} = $7) and ($8::text is null or t.owner = $8)
     order by t.id limit $6`,
    [...parametersOf(measure), page.after, page.limit, page.source ?? null, page.owner ?? null],
  )
}

export type DayFigure = Figure & { readonly day: string; readonly kind: string }

/** Keeps the figures of a day; those it had before are replaced. */
export async function keepDay(
  tx: Tx,
  day: string,
  figures: readonly (Figure & { readonly kind: string })[],
): Promise<void> {
  await tx`delete from quality where day = ${day}::text::date`
  await tx`
    insert into quality (day, kind, metric, field, value)
    select ${day}::text::date, kind, metric, coalesce(field, ''), value
    from unnest(${texts(figures.map((f) => f.kind))}::text[], ${texts(figures.map((f) => f.metric))}::text[],
      ${texts(figures.map((f) => f.field))}::text[], ${figures.map((f) => f.value)}::double precision[])
      as r(kind, metric, field, value)
    on conflict (day, kind, metric, field) do update set value = excluded.value`
}

export async function daysSince(q: Query, day: string): Promise<readonly DayFigure[]> {
  return q<DayFigure[]>`
    select day::text as day, kind, metric, field, value from quality where day >= ${day}::text::date
    order by day, kind, metric, field`
}

export async function forgetDays(q: Query, before: string): Promise<void> {
  await q`delete from quality where day < ${before}::text::date`
}
