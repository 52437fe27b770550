import { syncConnection } from '../../src/runtime/cycle.ts'
import { rounded, type Figures } from './aims.ts'
import { openBenchHub } from './hub.ts'
import type { BenchServer } from './server.ts'
import { serveStripe } from './vendors.ts'

const PAGE = 100

/**
 * A first import of so many Stripe customers, page after page, against the sandbox's 25 requests a second. Counts what
 * the vendor saw, from its first request to its last.
 */
export async function benchRate(server: BenchServer, customers: number): Promise<Figures> {
  const url = await server.database()
  const at: number[] = []
  const stripe = await serveStripe(() => at.push(performance.now()))
  stripe.sandbox.admin.seed(
    Array.from({ length: customers }, (_, n) => ({
      email: `customer-${n}@example.com`,
      name: `Ada Customer ${n}`,
      metadata: { job_title: 'Engineer', company: 'Analytical Engines' },
    })),
  )
  const { hub, close } = await openBenchHub(url, { stripe: stripe.connection })
  try {
    const passed = await syncConnection(hub, 'stripe', 'changes')
    if (passed.problem !== null) throw new Error(passed.problem)
    if (passed.seen < customers) throw new Error(`only ${passed.seen} of ${customers} customers were seen`)
  } finally {
    await close()
    await stripe.close()
    await server.drop(url)
  }
  const { allowed, refused } = stripe.sandbox.limiter
  const seconds = ((at.at(-1) ?? 0) - (at[0] ?? 0)) / 1000
  // The last request stands for its share of a second too.
  const use = (at.length - 1) / seconds / ALLOWED_PER_SECOND
  return {
    rate_use: refused === 0 ? rounded(use) : 0,
    rate_refused: refused,
    rate_requests: allowed,
    rate_seconds: rounded(seconds, 1),
    rate_pages: Math.ceil(customers / PAGE),
  }
}

const ALLOWED_PER_SECOND = 25
