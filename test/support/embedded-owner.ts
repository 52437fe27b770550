// Opens the embedded database in a process of its own, says so in one line, and stays until it is ended.
import postgres from 'postgres'
import { openEmbedded } from '../../src/store/embedded.ts'

const dir = process.argv[2]
if (dir === undefined) throw new Error('usage: embedded-owner.ts <dir>')
const { url, ownsServer, stop } = await openEmbedded({ dir, durable: false })
const alive = setInterval(() => undefined, 1000)

async function end(): Promise<void> {
  clearInterval(alive)
  await stop()
}
async function workThenEnd(): Promise<void> {
  const sql = postgres(url, { max: 1 })
  await sql`select pg_sleep(0.1)`
  await sql.end()
  process.stdout.write('still serving\n')
  await end()
}
process.once('SIGINT', () => void workThenEnd())
process.once('SIGTERM', () => void end())
// Said last: whoever reads it may send a signal at once.
process.stdout.write(`${JSON.stringify({ url, ownsServer })}\n`)
