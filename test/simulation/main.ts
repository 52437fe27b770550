// npm run simulate -- --seeds 500 [--from 1] [--jobs 2] [--seed 17 (with its trace)] [--plant NAME] [--mail] [--trust] [--act NAME]
import { fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { openServer, withDatabase, type Server } from './database.ts'
import { PLANTS } from './plants.ts'
import { hasMail, simulate, type Result } from './simulate.ts'
import { hasTrust } from './trust/trust.ts'
import { FAULT_KINDS, type FaultKind } from './weather.ts'

const { values } = parseArgs({
  options: {
    /** How many seeds, from which one on, in how many processes. */
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    /** One seed, with everything that happens in it. */
    seed: { type: 'string' },
    /** A bug planted on purpose. */
    plant: { type: 'string' },
    /** Every seed twice: both runs must be the same. */
    twice: { type: 'boolean', default: false },
    /** With mail in every seed, not in half of them. */
    mail: { type: 'boolean', default: false },
    /** With merges, undoes and approvals in every seed, not in a third of them. */
    trust: { type: 'boolean', default: false },
    /** Of those, only this one: 'import and undo' (trust/trust.ts lists them). */
    act: { type: 'string' },
    server: { type: 'string' },
  },
})

type Told = Omit<Result, 'fired'> & {
  readonly fired: readonly (readonly [FaultKind, number])[]
  readonly ms: number
}

async function one(server: Pick<Server, 'url' | 'template'>, seed: number): Promise<Told> {
  const plant = values.plant === undefined ? null : (PLANTS[values.plant] ?? null)
  if (values.plant !== undefined && plant === null)
    throw new Error(`no plant ${values.plant}; there are ${Object.keys(PLANTS).join(', ')}`)
  const started = performance.now()
  const run = (told: string[]) =>
    withDatabase(server, `seed_${seed}_${process.pid}`, (url) => {
      const tell = (line: string) => {
        if (values.seed !== undefined) console.log(line)
        told.push(line)
      }
      return simulate(seed, url, {
        plant,
        tell,
        act: values.act,
        trust:
          values.trust ||
          values.act !== undefined ||
          (plant === null ? hasTrust(seed) : plant.acts !== undefined),
        mail: values.mail || (plant === null ? hasMail(seed) : plant.mail === true),
      })
    })
  const [lines, linesAgain]: [string[], string[]] = [[], []]
  const result = await run(lines)
  const again = values.twice ? await run(linesAgain) : result
  const at = lines.findIndex((line, i) => line !== linesAgain[i])
  const difference = { property: 'Determinism', message: `${lines[at]}, then ${linesAgain[at]}` }
  const violations = again.digest === result.digest ? result.violations : [...result.violations, difference]
  return { ...result, violations, fired: [...result.fired], ms: performance.now() - started }
}

/** A worker: does the seeds it is sent, one after the other. */
function serve(url: string): void {
  const server = { url, template: 'concord_template' }
  process.on('message', (seed: unknown) => {
    void one(server, Number(seed)).then(
      (told) => process.send?.(told),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
}

async function lead(): Promise<number> {
  const server = await openServer()
  try {
    if (values.seed !== undefined) {
      const told = await one(server, Number(values.seed))
      report(told)
      return told.violations.length === 0 ? 0 : 1
    }
    return await spread(server)
  } finally {
    await server.close()
  }
}

async function spread(server: Server): Promise<number> {
  const from = Number(values.from)
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => from + i)
  const fired = new Map<FaultKind, number>()
  const failed: number[] = []
  const started = performance.now()
  let [done, steps, msTotal] = [0, 0, 0]
  const jobs = Array.from({ length: Math.max(1, Number(values.jobs)) }, async () => {
    const worker = fork(import.meta.filename, [...process.argv.slice(2), '--server', server.url])
    try {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const told = await ask(worker, seed)
        for (const [kind, count] of told.fired) fired.set(kind, (fired.get(kind) ?? 0) + count)
        done += 1
        steps += told.steps
        msTotal += told.ms
        if (told.violations.length > 0) failed.push(seed)
        if (told.violations.length > 0) report(told)
        else if (done % 25 === 0) console.log(`${done} seeds, ${failed.length} failed`)
      }
    } finally {
      worker.kill()
    }
  })
  await Promise.all(jobs)
  const wallSeconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `\n${done} seeds with ${steps} steps in ${wallSeconds} s, ${Math.round(msTotal / done)} ms a seed`,
  )
  const withMail = values.mail
    ? done
    : Array.from({ length: done }, (_, i) => from + i).filter(hasMail).length
  const withTrust = values.trust
    ? done
    : Array.from({ length: done }, (_, i) => from + i).filter(hasTrust).length
  console.log(`${withMail} of them with mail, ${withTrust} with merges, undoes and approvals`)
  console.log('\nFaults fired:')
  for (const kind of FAULT_KINDS) console.log(`  ${kind.padEnd(28)} ${fired.get(kind) ?? 0}`)
  console.log(
    failed.length === 0 ? '\nEvery property held.' : `\n${failed.length} seeds failed: ${failed.join(', ')}`,
  )
  return failed.length === 0 ? 0 : 1
}

function ask(worker: ReturnType<typeof fork>, seed: number): Promise<Told> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`seed ${seed}: its process ended with ${code}`))
    worker.once('exit', gone)
    // Sent by `serve` below.
    worker.once('message', (told) => {
      worker.off('exit', gone)
      resolve(told as Told)
    })
    worker.send(seed)
  })
}

function report({ seed, digest, violations, ms }: Told): void {
  console.log(`seed ${seed}: ${digest} in ${Math.round(ms)} ms`)
  for (const { property, message } of violations) console.log(`  ${property}: ${message}`)
  if (violations.length > 0)
    console.log(
      `  npm run simulate -- --seed ${seed}${values.mail ? ' --mail' : ''}${values.trust ? ' --trust' : ''}${values.act === undefined ? '' : ` --act '${values.act}'`}`,
    )
}

if (values.server === undefined) process.exit(await lead())
else serve(values.server)
