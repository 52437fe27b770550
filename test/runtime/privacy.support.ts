import type { Database } from '../../src/store/database.ts'

/** Every place where one of the texts stands: `table.column`, over all columns that can hold one. */
export async function tracesLeft({ sql }: Database, texts: readonly string[]): Promise<readonly string[]> {
  const columns = await sql<{ table: string; column: string }[]>`
    select c.table_name as table, c.column_name as column from information_schema.columns c
    join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
      and (c.data_type in ('text', 'json', 'jsonb', 'ARRAY', 'character varying', 'bytea'))`
  const found: string[] = []
  for (const { table, column } of columns) {
    const value = sql`lower(case when pg_typeof(${sql(column)})::text = 'bytea' then encode(${sql(column)}::text::bytea, 'escape') else ${sql(column)}::text end)`
    for (const text of texts) {
      const [row] = await sql<{ count: number }[]>`
        select count(*) as count from ${sql(table)} where position(${text.toLowerCase()} in ${value}) > 0`
      if ((row?.count ?? 0) > 0) found.push(`${table}.${column}: ${text}`)
    }
  }
  return found
}
