// One measurement in a process of its own: `hub-child.ts <JSON task> <JSON task to warm up with>`. Says its result in
// one line of JSON. The small task comes first, so that no figure holds the time the JavaScript engine takes to compile.
import { csv } from '../../../src/connectors/csv/index.ts'
import { gmail } from '../../../src/connectors/gmail/index.ts'
import { syncAll } from '../../../src/runtime/cycle.ts'
import { keepHeapSmall } from '../../../src/runtime/memory.ts'
import { openBenchHub } from '../hub.ts'
import { shipped } from '../vendors.ts'
import { plainMail } from './floor.ts'
import { checkOutcome } from './outcome.ts'
import { mailYaml } from './yaml.ts'
import { type Measured, task, type Task } from './wire.ts'

/** The connector with Google's limit of some 5 messages a second taken away: what is measured is the hub. */
const unlimited = { ...gmail, limits: [] }

async function logMail({ url, vendor, address, token, people }: Task): Promise<number> {
  const { hub, close } = await openBenchHub(url, {
    csv: { connector: csv, yaml: await shipped('csv'), settings: { folder: people }, secrets: {} },
    gmail: {
      connector: unlimited,
      yaml: await mailYaml(),
      settings: { baseUrl: vendor },
      secrets: { accessToken: token },
    },
  })
  try {
    await pass(() => syncAll(hub, ['csv'], 'changes'))
    const startedAt = performance.now()
    await pass(() => syncAll(hub, ['gmail'], 'changes'))
    const seconds = (performance.now() - startedAt) / 1000
    await checkOutcome(hub.db.sql, { vendor, address, token })
    return seconds
  } finally {
    await close()
  }
}

async function pass(work: () => ReturnType<typeof syncAll>): Promise<void> {
  for (const { problem } of await work()) if (problem !== null) throw new Error(problem)
}

const run = (one: Task) => (one.what === 'floor' ? plainMail(one) : logMail(one))
const [main = '', warm = ''] = process.argv.slice(2)
// As `boot` does for the command.
keepHeapSmall()
await run(task.parse(JSON.parse(warm)))
const before = process.cpuUsage()
const seconds = await run(task.parse(JSON.parse(main)))
const { user, system } = process.cpuUsage(before)
const result: Measured = {
  seconds,
  cpuSeconds: (user + system) / 1e6,
  // Kilobytes, the most there ever was: https://nodejs.org/api/process.html#processresourceusage
  rssMb: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
