import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { finishErasures } from '../../src/runtime/privacy/finish.ts'
import { objectDigest } from '../../src/runtime/privacy/digests.ts'
import { liftAddress } from '../../src/runtime/privacy/tombstones.ts'
import { addTombstones } from '../../src/store/tombstones.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, made, read } from './merge.support.ts'

const QUIN = 'quin@varnhagen.example'
let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['csv', 'mailchimp'] })
})
afterEach(() => world.close())

const row = (given: Readonly<Record<string, string>>) => COLUMNS.contacts.map((name) => given[name] ?? '')
const quin = { email: QUIN, first_name: 'Quintessa', last_name: 'Varnhagen', phone: '+49 30 901820' }
const exported = (...rows: readonly Readonly<Record<string, string>>[]) =>
  world.export('contacts', [COLUMNS.contacts, ...rows.map(row)])

async function erased(address: string): Promise<void> {
  const [found] = await world.db.sql<{ id: number }[]>`select id from contacts where email = ${address}`
  await eraseRecord(world.hub, { id: found?.id ?? 0, by: 'user:ann' })
  await finishErasures(world.hub)
}
const people = () => world.db.sql`select email, phones from contacts where archived_at is null order by id`

test('whoever was let in again comes in with their number, from the row they had', async () => {
  exported({ id: 'c1', ...quin })
  await syncAll(world.hub, ['csv'], 'changes')
  await erased(QUIN)
  await syncAll(world.hub, ['csv'], 'sweep')
  expect(await people()).toEqual([])
  await liftAddress(world.hub, QUIN)
  exported({ id: 'c1', ...quin }, { id: 'c2', ...quin, email: '' })
  await syncAll(world.hub, ['csv'], 'sweep')
  // The number alone, beside the name, is still that of somebody who was erased.
  expect(await people()).toEqual([{ email: QUIN, phones: ['+4930901820'] }])
  await erased(QUIN)
  await syncAll(world.hub, ['csv'], 'sweep')
  expect(await people()).toEqual([])
})

test('one address that was let in again lets in no other of the same person', async () => {
  const id = await made(world.hub, 'contact', { emails: [QUIN, 'q@old.example'] })
  await eraseRecord(world.hub, { id, by: 'user:ann' })
  await liftAddress(world.hub, QUIN)
  exported({ id: 'c5', ...quin, email: 'q@old.example' })
  await syncAll(world.hub, ['csv'], 'sweep')
  expect(await people()).toEqual([])
})

test('an opt-out that a vendor tells of somebody erased is kept beside those of other audiences, once', async () => {
  const id = await made(world.hub, 'contact', { emails: [QUIN] })
  await world.db.sql`
    insert into consents (address, channel, audience, state, at, explicit, source)
    values (${QUIN}, 'email', 'another', 'out', ${world.clock.now}, true, 'csv')`
  await eraseRecord(world.hub, { id, by: 'user:ann' })
  world.mailchimp.admin.subscribe(QUIN, {})
  world.mailchimp.admin.unsubscribe(QUIN)
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  const kept = await world.db.sql<{ said: { audience: string; state: string }[] }[]>`
    select said from tombstones where kind = 'out'`
  expect(kept).toHaveLength(1)
  expect(kept[0]?.said).toMatchObject([{ audience: 'another' }, { state: 'out' }])
  expect(kept[0]?.said).toHaveLength(2)
})

test('a page of people who were erased and opted out asks as much, however many they are', async () => {
  const asks = async (count: number, from: string): Promise<number> => {
    for (let i = 0; i < count; i++) {
      const address = `${from}${i}@x.example`
      const id = await made(world.hub, 'contact', { emails: [address] })
      await eraseRecord(world.hub, { id, by: 'user:ann' })
      world.mailchimp.admin.subscribe(address, {})
      world.mailchimp.admin.unsubscribe(address)
    }
    let statements = 0
    world.db.sql.options.debug = () => {
      statements++
    }
    await syncAll(world.hub, ['mailchimp'], 'sweep')
    world.db.sql.options.debug = () => undefined
    return statements
  }
  await asks(1, 'warm')
  const few = await asks(2, 'few')
  expect(await asks(12, 'many')).toBe(few)
})

/** Whoever has an address now that somebody had who was erased. */
async function heir(): Promise<number> {
  const ann = await made(world.hub, 'contact', { familyName: 'Varnhagen', emails: [QUIN, 'bo@b.example'] })
  await edit(world.hub, 'contact', ann, { emails: [QUIN] })
  const bo = await made(world.hub, 'contact', { familyName: 'Other', emails: ['bo@b.example'] })
  await eraseRecord(world.hub, { id: ann, by: 'user:ann' })
  return bo
}

test('an opt-out of an address that somebody living has is taken in, though somebody erased once had it', async () => {
  const bo = await heir()
  world.mailchimp.admin.subscribe('bo@b.example', {})
  world.mailchimp.admin.unsubscribe('bo@b.example')
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  expect((await read(world.hub, 'contact', bo)).fields).toMatchObject({ emailConsent: 'out' })
  expect(
    await world.db.sql`select record_id from links where state = 'linked' and record_id = ${bo}`,
  ).toHaveLength(1)
  expect(await world.db.sql`select 1 from tombstones where kind = 'out'`).toEqual([])
})

test('of two rows, the one with the address that somebody living has comes in, and that of who was erased does not', async () => {
  const bo = await heir()
  exported({ id: 'c1', email: 'bo@b.example', first_name: 'Bo' }, { id: 'c2', ...quin })
  await syncAll(world.hub, ['csv'], 'sweep')
  expect(await world.db.sql`select remote_id, record_id from links where remote_id is not null`).toEqual([
    { remote_id: 'c1', record_id: bo },
  ])
})

test('whoever was let in again, and is back, still comes in with their number from a row they had', async () => {
  exported({ id: 'c1', ...quin })
  await syncAll(world.hub, ['csv'], 'changes')
  await erased(QUIN)
  await liftAddress(world.hub, QUIN)
  const back = await made(world.hub, 'contact', { emails: [QUIN] })
  await syncAll(world.hub, ['csv'], 'sweep')
  expect(await world.db.sql`select remote_id, record_id from links where record_id = ${back}`).toContainEqual(
    {
      remote_id: 'c1',
      record_id: back,
    },
  )
})

test('an opt-out that an object of somebody erased tells of an address that somebody living has is theirs', async () => {
  const bo = await heir()
  const label = world.hub.targets.find((one) => one.stream.connection === 'mailchimp')?.label ?? ''
  world.mailchimp.admin.subscribe('bo@b.example', { FNAME: 'Ann' })
  const id = world.mailchimp.admin.member('bo@b.example')?.contactId ?? ''
  await addTombstones(world.db.sql, 0, 'object', [objectDigest(await world.hub.mailHash(), label, id)])
  world.mailchimp.admin.unsubscribe('bo@b.example')
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  expect((await read(world.hub, 'contact', bo)).fields).toMatchObject({
    givenName: null,
    emailConsent: 'out',
  })
})
