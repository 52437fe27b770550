import postgres from 'postgres'
import type { Json } from '../core/json.ts'
import { jsonText } from './json-text.ts'

/** Values the driver reads and writes: int8 as number (ids stay far below 2^53), timestamptz as epoch milliseconds. */
type DriverTypes = { bigint: number; date: number; day: string }
export type Sql = postgres.Sql<DriverTypes>
export type Tx = postgres.TransactionSql<DriverTypes>
/** Runs inside a transaction or outside of one. */
export type Query = Sql | Tx

export type Database = {
  readonly url: string
  /** For transactions, and for statements outside of one. */
  readonly sql: Sql
  /**
   * For statements beside a transaction that is under way. From the same pool, transactions that each wait for one
   * more session would wait for ever.
   */
  readonly beside: Sql
  /** For sessions that hold a lock while other sessions work. Nobody who has one waits for another one. */
  readonly locks: Sql
  /** The same for what people do one at a time: whoever has one may wait for one of `locks`, never the other way. */
  readonly actions: Sql
  close(): Promise<void>
}

/** Locks are held one a connection that is worked on, by whoever does it. */
const LOCK_SESSIONS = 24
/** Of those who act at once, the others wait for a session. */
const ACTION_SESSIONS = 8

/** Opens a pool of at most `connections` sessions on a migrated database. Connects at the first query. */
export function openDatabase(url: string, connections = 8): Database {
  const pool = (max: number): Sql =>
    postgres(url, {
      max,
      idle_timeout: 30,
      onnotice: () => undefined,
      connection: { application_name: 'concord' },
      types: {
        bigint: {
          to: 20,
          from: [20],
          serialize: (n: number) => String(n),
          parse: (text: string): number => Number(text),
        },
        date: {
          to: 1184,
          from: [1114, 1184],
          serialize: (at: number) => new Date(at).toISOString(),
          parse: (text: string): number => Date.parse(text),
        },
        day: { to: 1082, from: [1082], serialize: (day: string) => day, parse: (day: string): string => day },
      },
    })
  const pools = {
    sql: pool(connections),
    beside: pool(2),
    locks: pool(LOCK_SESSIONS),
    actions: pool(ACTION_SESSIONS),
  }
  return {
    url,
    ...pools,
    async close() {
      await Promise.all(Object.values(pools).map((sql) => sql.end({ timeout: 5 })))
    },
  }
}

/**
 * Rows for one statement, as text for `$1::text::jsonb`: through `::text` because the driver would quote a plain
 * `::jsonb` string again.
 */
export function rows(values: readonly { readonly [column: string]: Json | undefined }[]): string {
  return jsonText(values)
}

export { jsonText }

/** The next `count` numbers of a sequence, in one value: rows of one number each cost more than the numbers. */
export async function idsFrom(q: Query, sequence: string, count: number): Promise<readonly number[]> {
  const [row] = await q<{ ids: string }[]>`
    select string_agg(nextval(${sequence}::regclass)::text, ',') as ids from generate_series(1, ${count}::int)`
  return (row?.ids ?? '').split(',').map(Number)
}
