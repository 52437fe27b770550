import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { recheckUnlisted } from '../../src/store/mail/sightings.ts'
import { FakeMailbox, HOUR, openMailWorld, T0, type MailWorld } from './mail.support.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

async function settled(count: number, deleted: 'keep' | 'remove' = 'remove') {
  const box = new FakeMailbox('rep@ours.example')
  const w = await openMailWorld([box], { deleted })
  world = w
  await w.contact('ann@customer.example')
  const ids = Array.from({ length: count }, (_, i) =>
    box.receive({ from: 'ann@customer.example', at: T0 - (i + 2) * HOUR }),
  )
  await syncAll(w.hub, ['mail'], 'changes')
  w.clock.now += HOUR
  box.asked.length = 0
  return { box, w, ids }
}

/** Deletes messages while the vendor's list of changes has a gap. */
function deleteUnseen(box: FakeMailbox, ids: readonly string[]): void {
  for (const id of ids) box.remove(id)
  box.receive({ from: 'ann@customer.example' })
  box.forgotten = box.log.length
}

const verdicts = async (w: MailWorld) =>
  (
    await w.db.sql<{ verdict: string; n: number }[]>`
      select verdict, count(*) as n from sightings group by 1 order by 1`
  ).map(({ verdict, n }) => [verdict, n])

test('messages deleted in a gap of the changes are found gone, and taken out where the rules say so', async () => {
  const { box, w, ids } = await settled(30)
  deleteUnseen(box, ids.slice(0, 3))
  await syncAll(w.hub, ['mail'], 'changes')
  expect(await verdicts(w)).toEqual([
    ['gone', 3],
    ['logged', 28],
  ])
  // Those three alone were asked for.
  expect(box.asked.filter((what) => what.startsWith('fetch'))).toEqual(['fetch 3'])
  expect(await w.db.sql`select count(*) as n from messages where state = 'kept'`).toEqual([{ n: 28 }])
})

test('the log keeps them where the rules say so', async () => {
  const { box, w, ids } = await settled(10, 'keep')
  deleteUnseen(box, ids.slice(0, 2))
  await syncAll(w.hub, ['mail'], 'changes')
  expect(await verdicts(w)).toEqual([
    ['gone', 2],
    ['logged', 9],
  ])
  expect(await w.db.sql`select count(*) as n from messages where state = 'kept'`).toEqual([{ n: 11 }])
})

test('a message that the listing left out, but that is still there, stays', async () => {
  const { box, w } = await settled(10)
  const hidden = box.order()[0] ?? ''
  const order = box.order.bind(box)
  box.order = () => order().filter((id) => id !== hidden)
  deleteUnseen(box, [])
  await syncAll(w.hub, ['mail'], 'changes')
  expect(await verdicts(w)).toEqual([['logged', 11]])
  expect(box.asked.filter((what) => what.startsWith('fetch'))).toEqual(['fetch 1'])
})

test('nothing is asked for again after a first reading, nor after one without a gap', async () => {
  const { box, w } = await settled(30)
  for (let i = 0; i < 3; i++) {
    box.receive({ from: 'ann@customer.example' })
    await syncAll(w.hub, ['mail'], 'changes')
    w.clock.now += HOUR
  }
  expect(box.asked.filter((what) => what.startsWith('fetch'))).toEqual([])
})

test('a listing of one folder does not have the rest of a large mailbox read again', async () => {
  const { w } = await settled(2)
  const { sql } = w.db
  const [box] = await sql<{ id: number }[]>`select stream_id as id from mailboxes`
  const id = box?.id ?? 0
  await sql`
    insert into sightings (stream_id, remote_id, verdict, seen_at)
    select ${id}, 'other-' || n, 'filtered', ${T0} from generate_series(1, 1200) n`
  expect(await recheckUnlisted(sql, id, w.clock.now, false)).toBe(0)
  expect(await recheckUnlisted(sql, id, w.clock.now, true)).toBe(1_202)
})
