import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { compile, readConfigFolder, type Booted } from '../../src/runtime/boot.ts'
import { approvePlan } from '../../src/runtime/plan/decide.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { applyVersion, type ConfigFiles } from '../../src/runtime/configure.ts'
import { syncAll, syncConnection } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { keepRunning, type Running } from '../../src/runtime/keep-running.ts'
import { readiness } from '../../src/runtime/readiness.ts'
import { SupersededError } from '../../src/runtime/superseded.ts'
import { applyConfig, newestVersion } from '../../src/store/config-versions.ts'
import { queueSync } from '../../src/store/wake.ts'
import { CONNECTORS, openWorld, type World } from '../support/world.ts'

let world: World
const running: Running[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
  await world.close()
})

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 800; i++) {
    if (await done()) return
    await wait(25)
  }
  throw new Error(`never happened: ${what}`)
}

type Change = (name: string, text: string) => string
const unasked: Change = (name, text) =>
  name === 'hub.yaml' ? text.replace('approvals: ask', 'approvals: none') : text
/** Job titles stand at another place of Stripe's. */
const elsewhere: Change = (name, text) =>
  name === 'stripe.yaml' ? text.replace('metadata.job_title', 'metadata.role') : text

async function files(...changes: readonly Change[]): Promise<ConfigFiles> {
  const shipped = await readConfigFolder('config')
  const texts = Object.entries(shipped).map(([name, text]): [string, string] => [
    name,
    changes.reduce((now, change) => change(name, now), text),
  ])
  return Object.fromEntries(texts)
}

/** What a process has after its start, with version 1 applied. */
async function process(version: number, given: ConfigFiles): Promise<Booted> {
  const configuration = compile(given, CONNECTORS)
  const hub = await world.restarted(configuration, { knownVersion: () => version })
  const none = () => Promise.resolve()
  return {
    db: world.db,
    vault: hub.vault,
    url: world.db.url,
    keys: 1,
    ownsServer: false,
    close: none,
    hub,
    configVersion: version,
    compile: (texts) => compile(texts, CONNECTORS),
    reopen: (other, options) => world.restarted(other, options),
  }
}

async function openWith(given: ConfigFiles): Promise<void> {
  world = await openWorld({ connections: ['mailchimp', 'stripe'] })
  await applyConfig(world.db.sql, 0, given, 'shipped', world.clock.now)
}
async function start(given: ConfigFiles, use?: (hub: Hub, version: number) => void): Promise<Running> {
  const one = await keepRunning(await process(1, given), use)
  running.push(one)
  return one
}
const apply = (basedOn: number, given: ConfigFiles) =>
  applyVersion({ db: world.db }, CONNECTORS, basedOn, given, 'user:ann', world.clock.now)
const said = (place: string) => world.stripe.admin.customers()[0]?.metadata[place]
const comes = (name: string) => world.stripe.admin.createCustomer({ email: `${name}@example.com`, name })
async function ada(): Promise<number> {
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  return row?.id ?? 0
}

test('every process takes up a version that another one applied, and readiness never falters', async () => {
  const first = await files(unasked)
  await openWith(first)
  comes('ada')
  await syncAll(await world.restarted(compile(first, CONNECTORS)), ['stripe'], 'changes')
  const taken: string[] = []
  const [a, b] = [
    await start(first, (_, version) => void taken.push(`a ${version}`)),
    await start(first, (_, version) => void taken.push(`b ${version}`)),
  ]
  const ready: boolean[] = []
  const asks = until('both took it up', async () => {
    ready.push((await readiness(a.hub())).ready, (await readiness(b.hub())).ready)
    return taken.length >= 2
  })
  expect(await apply(1, await files(unasked, elsewhere))).toMatchObject({ version: 2 })
  await asks
  expect(taken.toSorted()).toEqual(['a 2', 'b 2'])
  expect(new Set(ready)).toEqual(new Set([true]))
  expect(a.hub().knownVersion()).toBe(2)
  await editRecord(a.hub(), 'contact', await ada(), { jobTitle: 'Countess' }, 'api')
  await until('it goes where the new version says', () => said('role') === 'Countess')
  expect(said('job_title') ?? '').toBe('')
})

test('work that comes while versions change is lost nowhere', async () => {
  const first = await files(unasked)
  await openWith(first)
  await start(first)
  await start(first)
  for (let i = 0; i < 6; i++) {
    comes(`p${i}`)
    await queueSync(world.db.sql, 'stripe', false)
    await apply(
      i + 1,
      await files(unasked, (name, text) => (name === 'hub.yaml' ? `${text}\n# ${i}\n` : text)),
    )
  }
  await until('all six are there', async () => {
    const [row] = await world.db.sql<{ n: number }[]>`select count(*) as n from contacts`
    return row?.n === 6
  })
  await until('the last version is at work everywhere', () =>
    running.every((one) => one.hub().knownVersion() === 7),
  )
  const [failed] = await world.db.sql<{ n: number }[]>`
    select count(*) as n from graphile_worker.jobs where last_error is not null`
  expect(failed?.n).toBe(0)
})

test('an approval that comes right after the version that it is about is followed at once', async () => {
  const first = await files()
  await openWith(first)
  const one = await start(first)
  comes('ada')
  await queueSync(world.db.sql, 'stripe', false)
  await until('nobody has approved anything', async () => {
    const jobs = await world.db.sql`select from graphile_worker.jobs where key = 'sync:stripe'`
    return jobs.length === 0
  })
  const second = await files(elsewhere)
  await apply(1, second)
  // Another process, which has the new version already.
  const other = await process(2, second)
  const plan = await makePlan(other.hub, ['stripe'], 'user:ann')
  expect(await approvePlan(other.hub, plan.id, 'user:ann')).toMatchObject({ kind: 'done' })
  await until('Ada is there', async () => (await ada()) > 0)
  expect(one.hub().knownVersion()).toBe(2)
})

test('a version that does not load here leaves the one before at work, and says so until one does', async () => {
  const first = await files(unasked)
  await openWith(first)
  const taken: number[] = []
  const one = await start(first, (_, version) => void taken.push(version))
  const strange = await files(unasked, (name, text) =>
    name === 'hub.yaml' ? `${text}\nfromTheFuture: true\n` : text,
  )
  await applyConfig(world.db.sql, 1, strange, 'user:ann', world.clock.now)
  const alarms = () =>
    world.db.sql<{ title: string; fix: string }[]>`
      select title, fix from alarms where key = 'configuration' and recovered_at is null`
  await until('it is an alarm', async () => (await alarms()).length === 1)
  const [alarm] = await alarms()
  expect(alarm?.title).toContain('Version 2 of the configuration, applied by user:ann, cannot be read')
  expect(alarm?.title).toContain('fromTheFuture')
  expect(alarm?.fix).toContain('It works on with version 1')
  comes('ada')
  await queueSync(world.db.sql, 'stripe', false)
  await until('it works on', async () => (await ada()) > 0)
  expect(taken).toEqual([])
  await apply(2, await files(unasked, elsewhere))
  await until('the next one is taken up', () => taken.length === 1)
  expect(one.hub().knownVersion()).toBe(3)
  await until('the alarm is over', async () => (await alarms()).length === 0)
})

test('a version is taken up where the word of it was lost', async () => {
  const first = await files(unasked)
  await openWith(first)
  const one = await start(first)
  await apply(1, await files(unasked, elsewhere))
  await until('it listens', () => one.hub().knownVersion() === 2)
  // As with a session for listening that is gone: nothing is told.
  await world.db.sql`
    insert into config_versions (version, files, applied_at, applied_by)
    select 3, files, now(), 'user:ann' from config_versions where version = 2`
  await until('it was looked for', () => one.hub().knownVersion() === 3)
})

test('a session for listening that was cut off is made anew', async () => {
  const first = await files(unasked)
  await openWith(first)
  const one = await start(first)
  const [cut] = await world.db.sql<{ n: number }[]>`
    select count(pg_terminate_backend(pid)) as n from pg_stat_activity
    where datname = current_database() and query ilike 'listen%concord_config%'`
  expect(cut?.n).toBe(1)
  await apply(1, await files(unasked, elsewhere))
  await until('it was heard of', () => one.hub().knownVersion() === 2)
})

test('a pass under way writes nothing more once another version was applied, in neither direction', async () => {
  const first = await files(unasked)
  await openWith(first)
  const old = (await process(1, first)).hub
  comes('ada')
  await syncAll(old, ['stripe'], 'changes')
  await editRecord(old, 'contact', await ada(), { jobTitle: 'Countess' }, 'api')
  comes('bob')
  await apply(1, await files(elsewhere))
  const sent = world.sent.length
  // It has not heard of the new version yet, and its own shape is the approved one still.
  await expect(syncConnection(old, 'stripe', 'changes')).rejects.toThrow(SupersededError)
  expect(world.sent.slice(sent).filter((line) => !line.startsWith('GET '))).toEqual([])
  expect(await world.db.sql`select from contacts`).toHaveLength(1)
  expect(said('job_title') ?? '').toBe('')
  const [stream] = await world.db.sql<{ problem: string | null }[]>`
    select problem from streams where connection = 'stripe' and name = 'customers'`
  expect(stream?.problem).toBeNull()
})

test('a version that is applied between two batches stops the second', async () => {
  const first = await files(unasked)
  await openWith(first)
  const old = (await process(1, first)).hub
  world.stripe.admin.seed(
    Array.from({ length: 25 }, (_, i) => ({ email: `p${i}@example.com`, name: `P ${i}` })),
  )
  await syncAll(old, ['stripe'], 'changes')
  const rows = await world.db.sql<{ id: number }[]>`select id from contacts order by id`
  for (const { id } of rows) await editRecord(old, 'contact', id, { jobTitle: `Title ${id}` }, 'api')
  const before = world.sent.length
  let isSent = false
  const watched: Hub = {
    ...old,
    progress(event) {
      isSent ||= event.kind === 'sent'
    },
    // The first batch is answered; then somebody applies another version.
    session: {
      q: old.session.q,
      async begin(work) {
        if (isSent && (await newestVersion(world.db.sql)) === 1) await apply(1, await files(elsewhere))
        return old.session.begin(work)
      },
    },
  }
  const push = old.targets.find((target) => target.stream.connection === 'stripe')?.push
  expect(push?.batchMax).toBeLessThan(25)
  await expect(syncConnection(watched, 'stripe', 'changes')).rejects.toThrow(SupersededError)
  const writes = world.sent.slice(before).filter((line) => line.startsWith('POST '))
  expect(writes).toHaveLength(push?.batchMax ?? 0)
})
