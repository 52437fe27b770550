import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { rounded, type Figures } from './aims.ts'
import type { BenchServer } from './server.ts'

const CHILD = path.join(import.meta.dirname, 'matching-child.ts')
const measured = z.object({
  seconds: z.number(),
  rssMb: z.number(),
  pairs: z.number(),
  lookupP50Ms: z.number(),
  lookupP99Ms: z.number(),
})

const run = promisify(execFile)

/**
 * All contacts compared with all others in the hub, as after a first sync: a process and a database of its own for each
 * size. Then single look-ups among them, of people who are there and of some who are not.
 */
export async function benchMatching(
  server: BenchServer,
  size: { readonly large: number; readonly small: number; readonly lookups: number },
): Promise<Figures> {
  const measure = async (count: number) => {
    const url = await server.database()
    await server.settle()
    const { stdout } = await run(process.execPath, [CHILD, url, String(count), String(size.lookups)])
    await server.drop(url)
    return measured.parse(JSON.parse(stdout))
  }
  const small = await measure(size.small)
  const large = await measure(size.large)
  return {
    matching_growth: rounded(large.seconds / size.large / (small.seconds / size.small)),
    matching_lookup_p99_ms: rounded(large.lookupP99Ms, 2),
    matching_lookup_p50_ms: rounded(large.lookupP50Ms, 2),
    matching_seconds: rounded(large.seconds, 1),
    matching_small_seconds: rounded(small.seconds, 2),
    matching_per_second: rounded(size.large / large.seconds, 0),
    matching_rss_mb: rounded(large.rssMb, 0),
    matching_rss_growth: rounded(large.rssMb / small.rssMb),
    matching_pairs: large.pairs,
  }
}
