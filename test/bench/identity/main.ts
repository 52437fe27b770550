import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { fuzzball, MOST_ROWS } from './known-matcher.ts'
import { LARGE, madeSet, madeSets, publicSets, type IdentitySet } from './sets.ts'
import { accuracyOf, type Accuracy } from './truth.ts'

const HELP = `npm run bench:identity -- [options]
  --data DIR    folder with febrl1.csv, febrl2.csv, fake_1000.csv (../shared/data beside the repository)
  --json FILE   writes {set: {precision, recall, f1, seconds}}
  --scale       also 50,000 historical people, 20,000 and 200,000 made contacts: time and memory a record
  --only NAME   only the sets whose name contains this`

const ROOT = path.join(import.meta.dirname, '..', '..', '..')
const summary = z.object({
  rows: z.number(),
  compared: z.number(),
  seconds: z.number(),
  largestMemoryBytes: z.number(),
})
/** `grouped`: rows that were put into a group. */
type Measured = Accuracy & z.infer<typeof summary> & { readonly grouped: number }
type Results = Record<string, Accuracy & { readonly seconds: number }>
const run = promisify(execFile)

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    json: { type: 'string' },
    scale: { type: 'boolean' },
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (values.help === true) {
  process.stdout.write(`${HELP}\n`)
  process.exit(0)
}

const scratch = await mkdtemp(path.join(os.tmpdir(), 'concord-identity-'))
try {
  await main()
} finally {
  await rm(scratch, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const folder = values.data ?? [path.join(ROOT, '..', 'shared', 'data')].find((place) => existsSync(place))
  const known = folder === undefined ? { sets: [], missing: ['../shared/data'] } : await publicSets(folder)
  for (const file of known.missing) line(`Missing, and left out: ${file}. Name the folder with --data DIR.`)
  const wanted = ({ name }: { readonly name: string }) => name.includes(values.only ?? '')
  const sets = [...known.sets, ...(await madeSets(scratch))].filter(wanted)
  const results: Results = {}
  line('set                           precision  recall     F1  seconds')
  for (const set of sets) {
    const { precision, recall, f1, seconds, grouped } = await measure(set)
    results[set.name] = { precision, recall, f1, seconds }
    row(set.name, { precision, recall, f1 }, seconds)
    if (new Set(set.truths).size === set.truths.length)
      line(`  no two of its ${set.truths.length} rows are one; ${grouped} rows were put into groups`)
    if (set.published !== '') line(`  published F1: ${set.published}`)
    if (set.published !== '' && set.truths.length <= MOST_ROWS) {
      const other = await fuzzball(set)
      row('  fuzzball, best threshold', other, other.seconds)
    }
  }
  line(
    'Published figures: the Splink and recordlinkage projects and their evaluators, as the data folder tells.',
  )
  line(
    'No record linkage library was found in the npm registry. Looked at: fuzzball (timed above), talisman,',
  )
  line(
    'fuse.js, natural, string-similarity, @leeoniya/ufuzzy: they compare texts and leave the rest to the caller.',
  )
  if (values.scale === true) await scale(results)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`)
}

/** The same path as anybody's: the command, in a process of its own, and its output file. */
async function measure(set: IdentitySet): Promise<Measured> {
  const out = path.join(scratch, 'out.csv')
  const command = [
    'src/main.ts',
    '--json',
    'dedupe',
    set.file,
    '--as',
    set.as,
    '--columns',
    set.columns,
    '--out',
    out,
  ]
  const env = { ...process.env, CONCORD_DIR: path.join(scratch, 'hub'), DATABASE_URL: '' }
  const { stdout } = await run(process.execPath, command, { cwd: ROOT, env, maxBuffer: 1 << 24 })
  const told = summary.parse(JSON.parse(stdout))
  const rows: Record<string, string>[] = parse(await readFile(out), { columns: true })
  const clusters = new Map(rows.map((found) => [Number(found['row']), found['cluster'] ?? '']))
  return { ...told, ...accuracyOf(set.truths, clusters), grouped: clusters.size }
}

async function scale(results: Results): Promise<void> {
  const costs: number[] = []
  for (const made of LARGE.filter(({ name }) => name.includes(values.only ?? ''))) {
    const found = await measure(await madeSet(scratch, made, made.as))
    const { precision, recall, f1, seconds } = found
    results[made.name] = { precision, recall, f1, seconds }
    row(made.name, found, seconds)
    const microseconds = (seconds / made.rows) * 1e6
    if (made.as === 'person') costs.push(microseconds)
    line(
      `  ${microseconds.toFixed(0)} µs a record, ${(found.compared / made.rows).toFixed(1)} comparisons a record, ${Math.round(found.largestMemoryBytes / 2 ** 20)} MB at most`,
    )
  }
  const [small, large] = costs
  if (small !== undefined && large !== undefined)
    line(`  cost a record, 200,000 against 20,000: ${(large / small).toFixed(2)}x (aim: below 1.5x)`)
}

function row(name: string, { precision, recall, f1 }: Accuracy, seconds: number): void {
  const figures = [precision, recall, f1].map((value) => value.toFixed(3).padStart(7)).join(' ')
  line(`${name.padEnd(30)} ${figures} ${seconds.toFixed(1).padStart(8)}`)
}

function line(text: string): void {
  process.stdout.write(`${text}\n`)
}
