import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { lineOf, type Figures } from './aims.ts'
import { benchImport } from './import.ts'
import { benchLatency } from './latency.ts'
import { benchMail } from './mail/bench.ts'
import { benchMailLatency } from './mail/latency.ts'
import { benchMatching } from './matching.ts'
import { benchRate } from './rate.ts'
import { openServer, type BenchServer } from './server.ts'

/*
 * npm run bench [-- --json FILE] [--only import,latency,rate,mail,mail-latency,matching] [--quick]
 *
 * What is measured, and the figures of the last full run: docs/performance.md. `--quick` takes a tenth of everything:
 * to see that it works, not to quote.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})
const less = values.quick ? 10 : 1

const benches: Readonly<Record<string, (server: BenchServer) => Promise<Figures>>> = {
  import: (server) =>
    benchImport(server, { large: 100_000 / less, small: 10_000 / less, repeats: values.quick ? 1 : 3 }),
  latency: (server) => benchLatency(server, 420 / less),
  rate: (server) => benchRate(server, 75_000 / less),
  mail: (server) => benchMail(server, { large: 100_000 / less, small: 10_000 / less }),
  'mail-latency': (server) =>
    benchMailLatency(server, { quiet: 200 / less, busy: 400 / less, archive: 60_000 / less }),
  matching: (server) =>
    benchMatching(server, { large: 200_000 / less, small: 20_000 / less, lookups: 2_000 / less }),
}

const only = values.only?.split(',') ?? Object.keys(benches)
const unknown = only.filter((name) => benches[name] === undefined)
if (unknown.length > 0) {
  process.stderr.write(`No bench is called ${unknown.join(', ')}: ${Object.keys(benches).join(', ')}.\n`)
  process.exit(2)
}
const server = await openServer()
const figures: Record<string, number> = {}
const machine = `${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? '?'}), Node ${process.version}, PostgreSQL ${server.version}`
process.stdout.write(`${machine}\n`)
try {
  for (const name of only) {
    const measured = (await benches[name]?.(server)) ?? {}
    for (const [figure, value] of Object.entries(measured)) {
      figures[figure] = value
      process.stdout.write(`${lineOf(figure, value)}\n`)
    }
  }
} finally {
  await server.close()
}
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ ...figures, quick: values.quick, machine }, null, 2)}\n`)
}
