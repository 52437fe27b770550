import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { startWorkers, type Workers } from '../../src/runtime/jobs.ts'
import { storeEvent } from '../../src/store/webhook-events.ts'
import { wakeHints } from '../../src/store/wake.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
let workers: Workers | null = null
beforeEach(async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await syncAll(world.hub, ['mailchimp'], 'changes')
})
afterEach(async () => {
  await workers?.stop()
  workers = null
  await world.close()
})

test('a webhook that comes in while its connection is busy is followed as soon as that is done', async () => {
  workers = await startWorkers(world.hub)
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  const id = world.mailchimp.admin.member('ada@example.com')?.id ?? ''
  const waited: number[] = []
  for (let i = 0; i < 8; i++) {
    const busy = Promise.withResolvers<void>()
    world.mailchimp.faults.plan = ({ method }) => {
      if (method !== 'GET') busy.resolve()
      return { kind: 'slow', ms: 50 }
    }
    await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: `Analyst ${i}` }, 'api')
    await busy.promise
    await storeEvent(world.db.sql, 'mailchimp', `event ${i}`, [{ resource: 'members', id }], 0)
    await wakeHints(world.db.sql, 'mailchimp')
    const from = performance.now()
    for (;;) {
      const [event] = await world.db.sql<{ at: number | null }[]>`
        select processed_at as at from webhook_events where event_id = ${`event ${i}`}`
      if (event?.at !== null) break
      await wait(5)
    }
    waited.push(performance.now() - from)
  }
  // Jobs are looked for every two seconds anyhow; nobody should have had to wait for that.
  expect(Math.max(...waited)).toBeLessThan(1_500)
})
