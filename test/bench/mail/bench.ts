import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { median, rounded, type Figures } from '../aims.ts'
import type { BenchServer } from '../server.ts'
import { customersOf, writeCustomers } from './customers.ts'
import { openMailVendor } from './vendor.ts'
import { type Measured, measured, type Task } from './wire.ts'

const CHILD = path.join(import.meta.dirname, 'hub-child.ts')
const run = promisify(execFile)

/**
 * A mailbox read from its first message to its last: Google in one process, the hub in another, PostgreSQL beside them.
 * The small one before and after the large one, each on a database of its own, and the floor for the small one.
 */
export async function benchMail(
  server: BenchServer,
  size: { readonly large: number; readonly small: number },
): Promise<Figures> {
  const warm = 1_000
  const mailboxes = {
    'warm@ours.example': warm,
    'small@ours.example': size.small,
    'large@ours.example': size.large,
  } as const
  type Address = keyof typeof mailboxes
  const vendor = await openMailVendor(mailboxes)
  try {
    const folders = new Map<Address, string>()
    for (const address of ['warm@ours.example', 'small@ours.example', 'large@ours.example'] as const) {
      const folder = path.join(server.scratch, `mail-${address}`)
      folders.set(address, await writeCustomers(folder, customersOf(mailboxes[address])))
    }
    const taskOf = async (what: Task['what'], address: Address): Promise<Task> => ({
      what,
      url: await server.database(),
      vendor: vendor.url,
      address,
      token: vendor.tokens[address] ?? '',
      people: folders.get(address) ?? '',
    })
    const measure = async (what: Task['what'], address: Address): Promise<Measured> => {
      const [main, first] = [await taskOf(what, address), await taskOf(what, 'warm@ours.example')]
      await server.settle()
      const { stdout } = await run(process.execPath, [CHILD, JSON.stringify(main), JSON.stringify(first)])
      await server.drop(main.url)
      await server.drop(first.url)
      return measured.parse(JSON.parse(stdout))
    }
    const floors = [await measure('floor', 'small@ours.example')]
    const smalls = [await measure('mail', 'small@ours.example')]
    const large = await measure('mail', 'large@ours.example')
    smalls.push(await measure('mail', 'small@ours.example'))
    floors.push(await measure('floor', 'small@ours.example'))
    const seconds = (of: readonly Measured[]) => median(of.map((one) => one.seconds))
    return {
      mail_per_s: rounded(size.large / large.seconds, 0),
      mail_growth: rounded(large.seconds / size.large / (seconds(smalls) / size.small)),
      mail_rss_mb: rounded(large.rssMb, 0),
      mail_ratio: rounded(seconds(floors) / seconds(smalls)),
      mail_small_per_s: rounded(size.small / seconds(smalls), 0),
      mail_floor_per_s: rounded(size.small / seconds(floors), 0),
      // What the hub's own process worked, whatever else the machine did.
      mail_cpu_ms: rounded((large.cpuSeconds * 1000) / size.large),
      mail_small_cpu_ms: rounded((median(smalls.map((one) => one.cpuSeconds)) * 1000) / size.small),
      mail_rss_growth: rounded(large.rssMb / median(smalls.map((one) => one.rssMb))),
      mail_seconds: rounded(large.seconds, 1),
    }
  } finally {
    await vendor.close()
  }
}
