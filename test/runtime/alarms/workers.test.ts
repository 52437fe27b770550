import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { freshSecret, setSecret } from '../../../src/runtime/alerts/channels.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { connectionRestored } from '../../../src/runtime/cycle.ts'
import { startWorkers, type Workers } from '../../../src/runtime/jobs.ts'
import { setConnectionState } from '../../../src/store/connections.ts'
import { queueSync } from '../../../src/store/wake.ts'
import { openWorld, type World } from '../../support/world.ts'
import { openReceiver } from './receiver.ts'

const running: Workers[] = []
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((workers) => workers.stop()))
  for (const one of open.splice(0)) await one.close()
})

async function until(what: string, done: () => boolean): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (done()) return
    await wait(25)
  }
  throw new Error(`never happened: ${what}`)
}

it('two workers tell of a refused connection once, though the first attempt fails, and of its recovery once', async () => {
  const ops = await openReceiver()
  const text = `alerts: { webhooks: [{ name: ops, url: "${ops.url}", allowPrivate: true }] }`
  const world: World = await openWorld({
    connections: ['mailchimp'],
    configure: (name, was) => (name === 'alerts.yaml' ? text : was),
  })
  open.push(world, ops)
  await setSecret(world.hub, 'ops', freshSecret())
  ops.answers(() => ({ status: ops.received.length === 1 ? 503 : 204 }))
  for (let i = 0; i < 2; i++)
    running.push(await startWorkers({ ...(await world.restarted()), clock: systemClock }))

  Object.assign(world.mailchimp.state, { apiKey: 'another-us1' })
  await queueSync(world.db.sql, 'mailchimp', false)
  const types = () => ops.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
  await until('it is told', () => types().length === 2)
  await setConnectionState(world.db.sql, 'mailchimp', 'ready', null)
  await connectionRestored(world.hub, 'mailchimp')
  await until('its recovery is told', () => types().includes('alarm.recovered'))
  await wait(300)
  expect(types()).toEqual(['alarm.raised', 'alarm.raised', 'alarm.recovered'])
  const ids = ops.received.map(({ headers }) => headers['webhook-id'])
  expect(ids[1]).toBe(ids[0])
}, 30_000)
