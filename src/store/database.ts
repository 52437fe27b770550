import postgres from 'postgres'
import type { Json } from '../core/json.ts'

/** Values the driver reads and writes: int8 as number (ids stay far below 2^53), timestamptz as epoch milliseconds. */
type DriverTypes = { bigint: number; date: number; day: string }
export type Sql = postgres.Sql<DriverTypes>
export type Tx = postgres.TransactionSql<DriverTypes>
/** Runs inside a transaction or outside of one. */
export type Query = Sql | Tx

export type Database = { readonly url: string; readonly sql: Sql; close(): Promise<void> }

/** Opens a pool of at most `connections` sessions on a migrated database. Connects at the first query. */
export function openDatabase(url: string, connections = 8): Database {
  const sql = postgres(url, {
    max: connections,
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
  return { url, sql, close: () => sql.end({ timeout: 5 }) }
}

/**
 * Rows for one statement, as text for `$1::text::jsonb`: through `::text` because the driver would quote a plain
 * `::jsonb` string again. PostgreSQL's jsonb holds no NUL, so it is dropped.
 */
export function rows(values: readonly { readonly [column: string]: Json | undefined }[]): string {
  const text = JSON.stringify(values)
  return text.includes('\\u0000') ? text.replaceAll('\\u0000', '') : text
}

/** The same for one value. */
export const jsonText = (value: Json): string => JSON.stringify(value).replaceAll('\\u0000', '')
