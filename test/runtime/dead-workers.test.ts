import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { startWorkers, type Workers } from '../../src/runtime/jobs.ts'
import { openDatabase } from '../../src/store/database.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
let workers: Workers | null = null
beforeEach(async () => {
  world = await openWorld({ connections: ['mailchimp', 'stripe'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await syncAll(world.hub, ['mailchimp', 'stripe'], 'changes')
})
afterEach(async () => {
  await workers?.stop()
  workers = null
  await world.close()
})

async function editAda(): Promise<void> {
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: 'Analyst' }, 'api')
}

/** As `kill -9` in the middle of a push leaves it: the job and the queue of its connection are locked. */
async function lockedBy(pool: string): Promise<void> {
  await world.db
    .sql`update graphile_worker._private_jobs set locked_by = ${pool}, locked_at = now() - interval '1 minute'`
  await world.db.sql`
    update graphile_worker._private_job_queues set locked_by = ${pool}, locked_at = now() - interval '1 minute'`
}
const title = () => world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('JOBTITLE')

test('what a killed worker had locked is done by the next one, not four hours later', async () => {
  await editAda()
  await lockedBy('pool-that-died')
  workers = await startWorkers(world.hub)
  for (let i = 0; i < 200 && title() !== 'Analyst'; i++) await wait(25)
  expect(title()).toBe('Analyst')
})

test('a worker that lives keeps what it has locked', async () => {
  const living = openDatabase(world.db.url, 1)
  await living.sql`select pg_advisory_lock(hashtextextended('concord worker pool-that-lives', 0))`
  await editAda()
  await lockedBy('pool-that-lives')
  workers = await startWorkers(world.hub)
  await wait(500)
  expect(title()).toBeUndefined()
  const locked = await world.db.sql`
    select distinct locked_by from graphile_worker._private_job_queues where locked_by = 'pool-that-lives'`
  expect(locked).toHaveLength(1)
  await living.close()
})

test('a job that runs for long stays with the worker that runs it', async () => {
  const release = Promise.withResolvers<void>()
  world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada' })
  await syncAll(world.hub, ['mailchimp', 'stripe'], 'changes')
  world.stripe.state.switches.gate = () => release.promise
  workers = await startWorkers(world.hub)
  await editAda()
  const holders = async () => {
    // Taken over by its own process it would have the same name, but a later time.
    const rows = await world.db.sql<{ lock: string }[]>`
      select locked_by || ' ' || locked_at as lock from graphile_worker._private_job_queues
      where queue_name = 'connection:stripe' and locked_by is not null`
    return rows.map((row) => row.lock)
  }
  try {
    for (let i = 0; i < 200 && (await holders()).length === 0; i++) await wait(25)
    const before = await holders()
    expect(before).toHaveLength(1)
    // Dead workers are looked for every three seconds.
    await wait(4_500)
    expect(await holders()).toEqual(before)
  } finally {
    release.resolve()
  }
})
