import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { z } from 'zod'
import type { Floor } from './floor.ts'
import { median, rounded, type Figures } from './aims.ts'
import { writePeople } from './people.ts'
import type { BenchServer } from './server.ts'

const CHILD = path.join(import.meta.dirname, 'import-child.ts')
const measured = z.object({ seconds: z.number(), rssMb: z.number() })
type Measured = z.infer<typeof measured>
type What = 'import' | 'sweep' | Floor

const run = promisify(execFile)

/**
 * The import beside its floor, each time in a process and on a database of their own, by turns; then a sweep over the
 * last import with nothing changed. Medians, because other work on the machine disturbs single runs.
 */
export async function benchImport(
  server: BenchServer,
  size: { readonly large: number; readonly small: number; readonly repeats: number },
): Promise<Figures> {
  const [warm, small, large] = await Promise.all(
    [2_000, size.small, size.large].map((count) =>
      writePeople(path.join(server.scratch, `${count}-people`), count),
    ),
  )
  const measure = async (what: What, folder = '', given?: string): Promise<Measured & { url: string }> => {
    const url = given ?? (await server.database())
    const warmUrl = await server.database()
    await server.settle()
    const { stdout } = await run(process.execPath, [CHILD, what, url, folder, warmUrl, warm ?? ''])
    await server.drop(warmUrl)
    return { ...measured.parse(JSON.parse(stdout)), url }
  }
  const floors: Measured[] = []
  const quickest: Measured[] = []
  const larges: Measured[] = []
  const smalls: Measured[] = []
  let imported = ''
  for (let i = 0; i < size.repeats; i++) {
    for (const [into, what, folder] of [
      [floors, 'values', large],
      [quickest, 'unnest', large],
      [larges, 'import', large],
      [smalls, 'import', small],
    ] as const) {
      const { url, ...figures } = await measure(what, folder)
      into.push(figures)
      if (into === larges && i === size.repeats - 1) imported = url
      else await server.drop(url)
    }
  }
  const before = await rowsWritten(imported)
  const sweep = await measure('sweep', large, imported)
  const idleRows = (await rowsWritten(imported)) - before
  await server.drop(imported)

  const seconds = (of: readonly Measured[]) => median(of.map((m) => m.seconds))
  const rss = (of: readonly Measured[]) => median(of.map((m) => m.rssMb))
  return {
    import_ratio: rounded(seconds(floors) / seconds(larges)),
    import_growth: rounded(seconds(larges) / size.large / (seconds(smalls) / size.small)),
    idle_rows_written: idleRows,
    idle_ratio: rounded(sweep.seconds / seconds(larges)),
    import_rss_mb: rounded(rss(larges), 0),
    import_rss_growth: rounded(rss(larges) / rss(smalls)),
    // Against the quickest upsert there is, of arrays: a stricter floor than the one aimed at.
    import_ratio_unnest: rounded(seconds(quickest) / seconds(larges)),
    import_seconds: rounded(seconds(larges), 2),
    import_per_second: rounded(size.large / seconds(larges), 0),
    import_small_seconds: rounded(seconds(smalls), 2),
    floor_seconds: rounded(seconds(floors), 2),
    floor_unnest_seconds: rounded(seconds(quickest), 2),
    idle_seconds: rounded(sweep.seconds, 2),
  }
}

/** Rows inserted, updated and deleted so far in any table. Sessions report when they end, so ask after they did. */
async function rowsWritten(url: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql`select pg_stat_force_next_flush()`
    await sql`select pg_stat_clear_snapshot()`
    const [row] = await sql<{ n: string }[]>`
      select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::text as n from pg_stat_user_tables`
    return Number(row?.n)
  } finally {
    await sql.end()
  }
}
