import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReservedSql } from 'postgres'
import type { Sql } from '../../store/database.ts'

type Session = ReservedSql<{ bigint: number; date: number; day: string }>

/** A record as it waits in the database: where it stood, and what it is compared by. */
export type Stored = {
  readonly id: number
  readonly line: number
  readonly label: string
  /** JSON: the prepared record and its blocking keys. */
  readonly payload: string
}

export type Match = { readonly a: number; readonly b: number; readonly weight: number }
export type Holder = { readonly key: string; readonly id: number }

/**
 * The working tables of one run. They are temporary tables of one session, so the server itself removes them when the
 * session ends: also after Ctrl-C, an error, or a process that was killed.
 */
export type Scratch = Awaited<ReturnType<typeof openScratch>>

export async function openScratch(sql: Sql) {
  const session = await sql.reserve()
  try {
    await session.unsafe(`
      set work_mem = '64MB';
      set synchronous_commit = off;
      create temp table dedupe_records (id int not null, line int not null, label text not null, payload text not null);
      create temp table dedupe_keys (key text collate "C" not null, place text collate "C" not null, id int not null);
      create temp table dedupe_matches (a int not null, b int not null, weight real not null);
      create temp table dedupe_members (root int not null, id int not null)`)
  } catch (error) {
    await drop(session)
    throw error
  }
  return {
    saveRecords: (rows: readonly Stored[]) =>
      copyIn(
        session,
        'dedupe_records',
        rows.map(({ id, line, label, payload }) => [id, line, label, payload]),
      ),
    saveKeys: (rows: readonly (readonly [key: string, place: string, id: number])[]) =>
      copyIn(session, 'dedupe_keys', rows),
    saveMatches: (rows: readonly Match[]) =>
      copyIn(
        session,
        'dedupe_matches',
        rows.map(({ a, b, weight }) => [a, b, weight]),
      ),
    saveMembers: (rows: readonly (readonly [root: number, id: number])[]) =>
      copyIn(session, 'dedupe_members', rows),
    /** To be called once all records and keys are in. */
    async ready(): Promise<void> {
      await session.unsafe(`
        create unique index on dedupe_records (id);
        create temp table dedupe_blocks as
          select key, place, id from (select *, count(*) over (partition by key) as holders from dedupe_keys) k
          where holders > 1 order by key, place, id;
        drop table dedupe_keys;
        analyze dedupe_records; analyze dedupe_blocks`)
    },
    /** Blocks by size: what there is to compare. */
    async sizes(): Promise<readonly { readonly size: number; readonly blocks: number }[]> {
      return session<{ size: number; blocks: number }[]>`
        select size::int, count(*)::int as blocks from (select count(*) as size from dedupe_blocks group by key) b
        group by size order by size`
    },
    async keysAbove(size: number): Promise<readonly string[]> {
      const rows = await session<{ key: string }[]>`
        select key from dedupe_blocks group by key having count(*) > ${size} order by key`
      return rows.map(({ key }) => key)
    },
    /** Who holds which key, key by key; one key in `every` only, by chance that depends on the key alone. */
    holders: (every: number, chunk: number) =>
      cursor<Holder>(
        session,
        `select key, id from dedupe_blocks ${every > 1 ? `where (hashtext(key) & 2147483647) % ${Math.trunc(every)} = 0` : ''}
         order by key, place, id`,
        chunk,
      ),
    async payloads(
      ids: readonly number[],
    ): Promise<readonly { readonly id: number; readonly payload: string }[]> {
      return session<{ id: number; payload: string }[]>`
        select id, payload from dedupe_records where id = any(${[...ids]}::int[])`
    },
    async places(ids: readonly number[]): Promise<readonly Omit<Stored, 'payload'>[]> {
      return session<Omit<Stored, 'payload'>[]>`
        select id, line, label from dedupe_records where id = any(${[...ids]}::int[])`
    },
    async membersReady(): Promise<void> {
      await session.unsafe(
        'create index on dedupe_members (id); analyze dedupe_members; analyze dedupe_matches',
      )
    },
    /** The matches of each group that hangs together, group by group. */
    chains: (chunk: number) =>
      cursor<Match & { readonly root: number }>(
        session,
        `select root, a, b, weight from dedupe_matches join dedupe_members on id = a order by root, a, b`,
        chunk,
      ),
    close: () => drop(session),
  }
}

async function copyIn(
  session: Session,
  table: string,
  rows: readonly (readonly (string | number)[])[],
): Promise<void> {
  if (rows.length === 0) return
  const text = rows.map((row) => `${row.map((cell) => escaped(String(cell))).join('\t')}\n`)
  const into = await session.unsafe(`copy ${table} from stdin`).writable()
  await pipeline(Readable.from([text.join('')]), into)
}

/** https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2 */
const escaped = (text: string): string =>
  /[\\\t\n\r\0]/.test(text)
    ? text
        .replaceAll('\\', '\\\\')
        .replaceAll('\t', '\\t')
        .replaceAll('\n', '\\n')
        .replaceAll('\r', '\\r')
        .replaceAll('\0', '')
    : text

let cursors = 0
/** Rows of a query in chunks. Other statements of the session may run between two of them. */
async function* cursor<Row extends object>(
  session: Session,
  query: string,
  chunk: number,
): AsyncGenerator<readonly Row[]> {
  const name = `dedupe_cursor_${++cursors}`
  await session.unsafe(`declare ${name} cursor with hold for ${query}`)
  try {
    for (;;) {
      const rows = await session.unsafe<Row[]>(`fetch ${chunk} from ${name}`)
      if (rows.length === 0) return
      yield [...rows]
    }
  } finally {
    await session.unsafe(`close ${name}`)
  }
}

async function drop(session: Session): Promise<void> {
  try {
    await session.unsafe(
      'drop table if exists pg_temp.dedupe_records, pg_temp.dedupe_keys, pg_temp.dedupe_blocks, pg_temp.dedupe_matches, pg_temp.dedupe_members; reset work_mem; reset synchronous_commit',
    )
  } finally {
    session.release()
  }
}
