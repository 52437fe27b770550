import postgres from 'postgres'
import type { Instant } from '../core/json.ts'
import type { Query, Sql } from './database.ts'

/** The rows that one statement took, and the last of them: the next one goes on behind it. */
export type Taken = { readonly count: number; readonly last: number }

/*
 * Each takes away at most `limit` rows, by rising id behind `after`; called again until nothing is left, no statement
 * holds many rows for long, and none looks again at what was looked through.
 */

async function taken(found: PromiseLike<readonly { count: number; last: number | null }[]>): Promise<Taken> {
  const [row] = await found
  return { count: row?.count ?? 0, last: row?.last ?? 0 }
}

const OLD_TEXTS = (q: Query, before: Instant) => q`at < ${before} and content = 'full' and state = 'kept'`

/** Texts of logged mail; subject, people and times stay. */
export const stripOldMail = (q: Query, before: Instant, after: number, limit: number): Promise<Taken> =>
  taken(q<{ count: number; last: number | null }[]>`
    with gone as (
      update messages set content = 'subject', text = null, quoted = null, signature = null, html = null,
        attachments = '[]'::json
      where id in (
        select id from messages where ${OLD_TEXTS(q, before)} and id > ${after} order by id limit ${limit}
        for update skip locked)
      returning id
    ) select count(*) as count, max(id) as last from gone`)

const OLD_ITEMS = (q: Query, before: Instant) => q`state = 'done' and updated_at < ${before}`

export const forgetOldItems = (q: Query, before: Instant, after: number, limit: number): Promise<Taken> =>
  taken(q<{ count: number; last: number | null }[]>`
    with gone as (
      delete from inbox where id in (
        select id from inbox where ${OLD_ITEMS(q, before)} and id > ${after} order by id limit ${limit})
      returning id
    ) select count(*) as count, max(id) as last from gone`)

const OLD_WRITES = (q: Query, before: Instant) =>
  q`settled_at < ${before} and state not in ('sending', 'uncertain') and (body <> '{}' or sent <> '{}')`

/** What was sent to vendors; that it was sent, when and with what outcome stays. */
export const blankOldWrites = (q: Query, before: Instant, after: number, limit: number): Promise<Taken> =>
  taken(q<{ count: number; last: number | null }[]>`
    with gone as (
      update outbox set body = '{}', sent = '{}', outcome = coalesce(outcome, '{}') - 'message'
      where id in (
        select id from outbox where ${OLD_WRITES(q, before)} and id > ${after} order by id limit ${limit}
        for update skip locked)
      returning id
    ) select count(*) as count, max(id) as last from gone`)

/** How much each of them would take. */
export async function countOld(
  q: Query,
  before: {
    readonly mail: Instant | null
    readonly inbox: Instant | null
    readonly writes: Instant | null
  },
): Promise<{ readonly mail: number; readonly inbox: number; readonly writes: number }> {
  const one = async (found: Promise<readonly { count: number }[]>) => (await found)[0]?.count ?? 0
  return {
    mail:
      before.mail === null
        ? 0
        : await one(
            q<{ count: number }[]>`select count(*) as count from messages where ${OLD_TEXTS(q, before.mail)}`,
          ),
    inbox:
      before.inbox === null
        ? 0
        : await one(
            q<{ count: number }[]>`select count(*) as count from inbox where ${OLD_ITEMS(q, before.inbox)}`,
          ),
    writes:
      before.writes === null
        ? 0
        : await one(
            q<
              { count: number }[]
            >`select count(*) as count from outbox where ${OLD_WRITES(q, before.writes)}`,
          ),
  }
}

/** The months of the history that end before a time: `history_2026_03`. */
export async function oldMonths(q: Query, before: Instant): Promise<readonly string[]> {
  const found = await q<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'history'::regclass and c.relname ~ '^history_[0-9]{4}_[0-9]{2}$'
      and (to_date(substr(c.relname, 9), 'YYYY_MM') + interval '1 month') at time zone 'UTC' <= ${before}
    order by 1`
  return found.map((row) => row.name)
}

/** Nobody's write waits longer than this for a month to go. */
const DROP_WAIT = '2s'
/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Drops a month of the history whole: no row is touched, however many there are. It needs the history for itself for a
 * moment; while it waits for whoever reads or writes there, all others wait behind it. False: it gave up waiting.
 */
export async function dropMonth(sql: Sql, name: string): Promise<boolean> {
  try {
    await sql.begin(async (tx) => {
      await tx`select set_config('lock_timeout', ${DROP_WAIT}, true)`
      await tx`drop table if exists ${tx(name)}`
    })
    return true
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === LOCK_NOT_AVAILABLE) return false
    throw error
  }
}

/** The first run whose history may have been taken away. */
export async function historyBegins(q: Query): Promise<Instant | null> {
  const [row] = await q<{ at: Instant | null }[]>`
    select min(to_date(substr(c.relname, 9), 'YYYY_MM')::timestamp at time zone 'UTC') as at
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'history'::regclass and c.relname ~ '^history_[0-9]{4}_[0-9]{2}$'`
  return row?.at ?? null
}
