import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { serveHttp } from '../../src/http/serve.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { startWorkers } from '../../src/runtime/jobs.ts'
import { percentile, rounded, type Figures } from './aims.ts'
import { openBenchHub } from './hub.ts'
import type { BenchServer } from './server.ts'
import { SECRET, serveMailchimp, serveStripe } from './vendors.ts'

/** Apart, so that each event meets idle vendors and the pace of Stripe's 25 requests a second (two an event) never binds. */
const APART_MS = 150
const LOST_MS = 10_000

/**
 * A person edits their profile at Mailchimp: from there by webhook, over the hub's HTTP server, queue and workers, to
 * the write that Stripe receives. Hub and vendors share one process, so their work counts too.
 */
export async function benchLatency(server: BenchServer, events: number): Promise<Figures> {
  const url = await server.database()
  let arrived = (_path: string): void => undefined
  const stripe = await serveStripe((method, path) => {
    if (method === 'POST') arrived(path)
  })
  const mailchimp = await serveMailchimp()
  const emails = Array.from({ length: events }, (_, n) => `person-${n}@example.com`)
  mailchimp.sandbox.admin.seed(emails.map((email) => ({ email, mergeFields: { FNAME: 'Ada' } })))
  stripe.sandbox.admin.seed(emails.map((email) => ({ email, name: 'Ada' })))
  const { hub, close } = await openBenchHub(url, {
    mailchimp: mailchimp.connection,
    stripe: stripe.connection,
  })
  const log = pino({ level: 'error' })
  for (const pass of await syncAll(hub, ['mailchimp', 'stripe'], 'changes'))
    if (pass.problem !== null) throw new Error(pass.problem)
  const http = await serveHttp({ hub }, { host: '127.0.0.1', port: 0, log })
  const workers = await startWorkers(hub)
  const tookMs: number[] = []
  try {
    subscribe(mailchimp.sandbox, `${http.url}/webhooks/mailchimp?secret=${encodeURIComponent(SECRET)}`)
    await sleep(2_000)
    for (const [n, email] of emails.entries()) {
      const customer = stripe.sandbox.admin.customers()[n]?.id ?? ''
      const written = new Promise<number>((resolve, reject) => {
        const lost = setTimeout(() => reject(new Error(`the edit of ${email} did not reach Stripe`)), LOST_MS)
        arrived = (path) => {
          if (!path.endsWith(customer)) return
          clearTimeout(lost)
          resolve(performance.now())
        }
      })
      const sentAt = performance.now()
      mailchimp.sandbox.admin.editProfile(email, { JOBTITLE: `Engineer ${n}` })
      tookMs.push((await written) - sentAt)
      await sleep(APART_MS)
    }
  } finally {
    await workers.stop()
    await http.close()
    await close()
    await Promise.all([mailchimp.close(), stripe.close()])
    await server.drop(url)
  }
  // The first ones compile the code they run.
  const warm = tookMs.slice(Math.min(20, events >> 1))
  return {
    latency_p50_ms: rounded(percentile(warm, 0.5), 1),
    latency_p99_ms: rounded(percentile(warm, 0.99), 1),
    latency_max_ms: rounded(Math.max(...warm), 1),
    latency_events: warm.length,
  }
}

function subscribe(sandbox: Awaited<ReturnType<typeof serveMailchimp>>['sandbox'], url: string): void {
  sandbox.audience.webhooks.set('bench', {
    id: 'bench',
    url,
    events: new Map([['profile', true]]),
    sources: new Map([['user', true]]),
  })
}
