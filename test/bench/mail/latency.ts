import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import postgres from 'postgres'
import { csv } from '../../../src/connectors/csv/index.ts'
import { gmail } from '../../../src/connectors/gmail/index.ts'
import { serveHttp } from '../../../src/http/serve.ts'
import { syncAll } from '../../../src/runtime/cycle.ts'
import type { Hub } from '../../../src/runtime/hub.ts'
import { startWorkers } from '../../../src/runtime/jobs.ts'
import { timelineOf } from '../../../src/runtime/mail/timeline.ts'
import { holders } from '../../../src/store/identities.ts'
import { listMailboxes } from '../../../src/store/mail/mailboxes.ts'
import { percentile, rounded, type Figures } from '../aims.ts'
import { openBenchHub } from '../hub.ts'
import type { BenchServer } from '../server.ts'
import { shipped } from '../vendors.ts'
import { customer, customersOf, writeCustomers } from './customers.ts'
import { openMailVendor, type MailVendor } from './vendor.ts'
import { PUSHER, TOPIC, wallNow } from './wire.ts'
import { mailYaml } from './yaml.ts'

/** Google drops what comes within a second of a mailbox's last notification: so several, by turns. */
const REPS = Array.from({ length: 12 }, (_, n) => `rep-${n}@ours.example`)
const ARCHIVE = 'archive@ours.example'
const APART_MS = 100
const LOST_MS = 15_000
/** The first ones compile the code they run. */
const WARMING = 20

/**
 * New mail, from the notification that leaves Google to the activity on the timeline: the hub's HTTP server, queue,
 * workers, history, message, rules and commit. At first with nothing else to do, then while another mailbox of the same
 * connection is read from its first message, as quickly as the machine allows.
 */
export async function benchMailLatency(
  server: BenchServer,
  size: { readonly quiet: number; readonly busy: number; readonly archive: number },
): Promise<Figures> {
  const people = await writeCustomers(`${server.scratch}/mail-latency`, customersOf(size.archive))
  const held = Object.fromEntries(REPS.map((address) => [address, 0]))
  const vendor = await openMailVendor({ ...held, [ARCHIVE]: size.archive })
  try {
    const quiet = await phase(server, vendor, people, { mailboxes: REPS, events: size.quiet })
    const busy = await phase(server, vendor, people, { mailboxes: [...REPS, ARCHIVE], events: size.busy })
    return {
      mail_latency_p50_ms: rounded(percentile(busy, 0.5), 1),
      mail_latency_p99_ms: rounded(percentile(busy, 0.99), 1),
      mail_latency_max_ms: rounded(Math.max(...busy), 1),
      mail_latency_events: busy.length,
      mail_latency_quiet_p50_ms: rounded(percentile(quiet, 0.5), 1),
      mail_latency_quiet_p99_ms: rounded(percentile(quiet, 0.99), 1),
    }
  } finally {
    await vendor.close()
  }
}

async function phase(
  server: BenchServer,
  vendor: MailVendor,
  people: string,
  { mailboxes, events }: { readonly mailboxes: readonly string[]; readonly events: number },
): Promise<readonly number[]> {
  const url = await server.database()
  const { hub, close } = await openBenchHub(url, {
    csv: { connector: csv, yaml: await shipped('csv'), settings: { folder: people }, secrets: {} },
    gmail: {
      connector: { ...gmail, limits: [] },
      yaml: await mailYaml(),
      settings: {
        baseUrl: vendor.url,
        tokenUrl: `${vendor.url}/token`,
        keysUrl: `${vendor.url}/oauth2/v3/certs`,
        topic: TOPIC,
        pushServiceAccount: PUSHER,
        mailboxes: [...mailboxes],
      },
      secrets: { serviceAccountKey: vendor.serviceAccountKey },
    },
  })
  for (const { problem } of await syncAll(hub, ['csv'], 'changes'))
    if (problem !== null) throw new Error(problem)
  const log = pino({ level: 'error' })
  const http = await serveHttp({ hub }, { host: '127.0.0.1', port: 0, log })
  vendor.order({ kind: 'notify', endpoint: `${http.url}/webhooks/gmail` })
  const arrivals = await watchTimelines(url)
  const workers = await startWorkers(hub)
  try {
    await untilRead(hub)
    const isBusy = mailboxes.includes(ARCHIVE)
    return await send(hub, vendor, arrivals, events, async () => isBusy && (await isRead(hub, ARCHIVE)))
  } finally {
    await workers.stop()
    await arrivals.close()
    await http.close()
    await close()
    await server.drop(url)
  }
}

/** Sends at a steady pace, whatever is still on its way, until so many are sent or `isOver`. */
async function send(
  hub: Hub,
  vendor: MailVendor,
  arrivals: Arrivals,
  events: number,
  isOver: () => Promise<boolean>,
): Promise<readonly number[]> {
  const leaving = new Map(REPS.map((address) => [address, [] as ((at: number) => void)[]]))
  vendor.onPosted((mailbox, at) => leaving.get(mailbox)?.shift()?.(at))
  const took: Promise<number>[] = []
  for (let n = 0; n < events && !(await isOver()); n++) {
    const mailbox = REPS[n % REPS.length] ?? ''
    const subject = `${LIVE} ${process.hrtime.bigint()}`
    const left = new Promise<number>((resolve) => leaving.get(mailbox)?.push(resolve))
    const arrived = arrivals.of(subject)
    took.push(measured(subject, left, arrived))
    vendor.order({ kind: 'deliver', mailbox, from: FROM, subject })
    await sleep(APART_MS)
  }
  const all = await Promise.all(took)
  await checkTimeline(hub, all.length)
  return all.slice(Math.min(WARMING, all.length >> 1))
}

const LIVE = 'We take it'
/** A contact of every archive. */
const FROM = customer(0).address

async function measured(subject: string, left: Promise<number>, arrived: Promise<number>): Promise<number> {
  const lost = new AbortController()
  const late = sleep(LOST_MS, undefined, { signal: lost.signal }).then(() => {
    throw new Error(`"${subject}" did not reach its timeline within ${LOST_MS / 1000} s`)
  })
  late.catch(() => undefined)
  try {
    const [from, to] = await Promise.race([Promise.all([left, arrived]), late])
    return to - from
  } finally {
    lost.abort()
  }
}

type Arrivals = { of(subject: string): Promise<number>; close(): Promise<void> }

/** Told by PostgreSQL as an activity is committed: asking for it again and again would be work of its own. */
async function watchTimelines(url: string): Promise<Arrivals> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  const waiting = new Map<string, (at: number) => void>()
  await sql.unsafe(`create function told() returns trigger language plpgsql as
    $$ begin perform pg_notify('arrived', new.subject); return null; end $$`)
  await sql.unsafe(`create trigger told after insert on activities for each row
    when (new.subject like '${LIVE} %' and new.contact_id is not null) execute function told()`)
  await sql.listen('arrived', (subject) => {
    waiting.get(subject)?.(wallNow())
    waiting.delete(subject)
  })
  return {
    of: (subject) => new Promise((resolve) => waiting.set(subject, resolve)),
    close: () => sql.end(),
  }
}

/** What was told is what the API shows: the contact's newest entries are these messages. */
async function checkTimeline(hub: Hub, count: number): Promise<void> {
  const [contact] = await holders(hub.db.sql, 'contact', [{ kind: 'email', value: FROM }])
  const { entries } = await timelineOf(hub, 'contact', contact?.id ?? 0, { before: null, limit: 500 })
  const shown = entries.filter(({ subject }) => subject?.startsWith(LIVE)).length
  if (shown < Math.min(count, 400)) throw new Error(`only ${shown} of ${count} messages are on the timeline`)
}

/** Until every rep's mailbox is read, and notifications are asked for. */
async function untilRead(hub: Hub): Promise<void> {
  for (;;) {
    const rows = await listMailboxes(hub.db.sql, 'gmail')
    const reps = rows.filter(({ address }) => REPS.includes(address))
    const isReady = (one: (typeof reps)[number]) => one.backfill?.done === true && one.subscription !== null
    if (reps.length === REPS.length && reps.every(isReady)) return
    await sleep(100)
  }
}

async function isRead(hub: Hub, address: string): Promise<boolean> {
  const rows = await listMailboxes(hub.db.sql, 'gmail')
  return rows.some((row) => row.address === address && row.backfill?.done === true)
}
