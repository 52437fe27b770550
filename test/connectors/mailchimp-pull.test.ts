import { describe, expect, test } from 'vitest'
import { addressHash } from '../../src/connectors/mailchimp/member.ts'
import { handMade, bodyOf, pullAll, T0, world } from './mailchimp.support.ts'

const person = (n: number) => `person${String(n).padStart(3, '0')}@example.com`
const people = (count: number) => Array.from({ length: count }, (_, n) => person(n))
const HOUR = 3_600_000

describe('a full listing', () => {
  test('brings everybody, archived people too, and proves that it did', async () => {
    const w = world()
    w.vendor.admin.seed([
      { email: 'ada@example.com', mergeFields: { FNAME: 'Ada' }, tags: ['vip'] },
      { email: 'out@example.com', status: 'unsubscribed' },
      { email: 'bounced@example.com', status: 'cleaned' },
      { email: 'archived@example.com', status: 'archived' },
    ])
    const { emails, complete, seen, cursor } = await pullAll(w)
    expect(emails).toEqual([
      'ada@example.com',
      'archived@example.com',
      'bounced@example.com',
      'out@example.com',
    ])
    expect(complete).toBe(true)
    expect(cursor).toEqual({ kind: 'changes', since: T0 })
    const ada = [...seen.values()].find((o) => bodyOf(o)['email_address'] === 'ada@example.com')
    expect(ada).toMatchObject({
      id: w.vendor.admin.member('ada@example.com')?.contactId,
      modifiedAt: T0,
      body: { id: addressHash('ada@example.com'), status: 'subscribed', tags: [{ name: 'vip' }] },
    })
    expect(bodyOf(ada)).not.toHaveProperty('stats')
  })

  test('an empty audience is complete too', async () => {
    const { emails, complete } = await pullAll(world())
    expect({ emails, complete }).toEqual({ emails: [], complete: true })
  })

  test.each([1, 2, 3, 7, 20])('reads an import of one second in pages of %i', async (pageMax) => {
    const w = world({ pageMax })
    w.vendor.admin.seed(people(20).map((email) => ({ email })))
    const { emails, complete } = await pullAll(w)
    expect(emails).toEqual(people(20))
    expect(complete).toBe(true)
  })

  test.each([0, 1])('skips nobody where people are deleted underneath (%i s apart)', async (apart) => {
    const w = world({ pageMax: 6 })
    w.vendor.admin.seed(people(40).map((email, n) => ({ email, changedAt: T0 - HOUR + n * apart * 1000 })))
    const gone = new Set<string>()
    const { emails, complete } = await pullAll(w, null, (_, n) => {
      if (n > 8) return
      for (const email of [person(n * 2), person(n * 2 + 1)]) {
        w.vendor.admin.deletePermanently(email)
        gone.add(email)
      }
    })
    expect(emails).toEqual(expect.arrayContaining(people(40).filter((email) => !gone.has(email))))
    expect(complete).toBe(true)
  })

  test('skips nobody where people change underneath', async () => {
    const w = world({ pageMax: 6 })
    w.vendor.admin.seed(people(40).map((email) => ({ email, changedAt: T0 - HOUR })))
    const { emails, seen } = await pullAll(w, null, (_, n) => {
      w.clock.now += 1000
      if (n < 12) w.vendor.admin.editProfile(person(n), { FNAME: `Changed ${n}` })
    })
    expect(emails).toEqual(people(40))
    const first = [...seen.values()].find((o) => bodyOf(o)['email_address'] === person(0))
    expect(bodyOf(first)).toMatchObject({ merge_fields: { FNAME: 'Changed 0' } })
  })

  test('sees people who are archived or brought back on the way', async () => {
    const w = world({ pageMax: 3 })
    w.vendor.admin.seed(people(12).map((email, n) => ({ email, changedAt: T0 - HOUR + n * 1000 })))
    w.vendor.admin.seed([{ email: 'back@example.com', status: 'archived', changedAt: T0 - HOUR }])
    const { emails, complete } = await pullAll(w, null, (_, n) => {
      w.clock.now += 1000
      if (n === 1) w.vendor.admin.archive(person(11))
      if (n === 1) w.vendor.admin.resubscribeByForm('back@example.com')
    })
    expect(emails).toEqual(['back@example.com', ...people(12)])
    expect(complete).toBe(true)
  })

  test('tells how many there are', async () => {
    const w = world({ pageMax: 2 })
    w.vendor.admin.seed(people(5).map((email, n) => ({ email, changedAt: T0 + n * 1000 })))
    w.vendor.admin.seed([{ email: 'archived@example.com', status: 'archived' }])
    const { pages } = await pullAll(w)
    expect(pages.at(-1)?.total).toBe(6)
  })

  test('does not claim everything where the vendor keeps no order', async () => {
    let turn = 0
    const io = handMade((request) => {
      const query = new URL(request.url).searchParams
      if (query.get('status') === 'archived') return Response.json({ members: [], total_items: 0 })
      // Every page brings other people than the page before.
      const page = Number(query.get('offset')) >= 3000 ? 0 : turn++
      const rows = Array.from({ length: 1000 }, (_, n) => row(`${page}-${n}`))
      const last = Number(query.get('offset')) >= 3000
      return Response.json({ members: last ? [] : rows, total_items: last ? 3000 : 4000 })
    })
    const { pages, complete } = await pullAll({ members: world().members, io })
    expect(complete).toBe(false)
    expect(pages.length).toBeLessThan(30)
  })

  test('one unreadable row costs only itself', async () => {
    const members = [row('1'), { email_address: 'poison@example.com', contact_id: 'c-poison' }, row('2')]
    const io = handMade((request) => {
      const archived = request.url.includes('status=archived')
      return Response.json(archived ? { members: [], total_items: 0 } : { members, total_items: 3 })
    })
    const { pages, seen } = await pullAll({ members: world().members, io })
    expect([...seen.keys()]).toEqual(['c-1', 'c-2'])
    expect(pages.flatMap((page) => page.bad)).toMatchObject([
      { where: 'contact poison@example.com', id: 'c-poison' },
    ])
  })
})

describe('changes', () => {
  test('an idle cycle ends where it began', async () => {
    const w = world()
    w.vendor.admin.seed(people(3).map((email) => ({ email })))
    const { cursor } = await pullAll(w)
    for (const seconds of [0, 5, 600]) {
      w.clock.now += seconds * 1000
      const page = await w.members.pull(w.io, cursor)
      expect(page).toMatchObject({ cursor, more: false })
      expect(page).not.toHaveProperty('listed')
    }
  })

  test('brings edits, opt-outs, archiving and sign-ups, then rests again', async () => {
    const w = world()
    w.vendor.admin.seed(people(4).map((email) => ({ email, changedAt: T0 - HOUR })))
    const { cursor } = await pullAll(w)
    w.clock.now += HOUR
    w.vendor.admin.editProfile(person(0), { FNAME: 'Zoe' })
    w.vendor.admin.unsubscribe(person(1))
    w.vendor.admin.archive(person(2))
    w.vendor.admin.subscribe('new@example.com')
    const changed = await pullAll(w, cursor)
    expect(changed.emails).toEqual(['new@example.com', person(0), person(1), person(2)])
    expect(changed.cursor).toEqual({ kind: 'changes', since: T0 + HOUR })
    const again = await pullAll(w, changed.cursor)
    expect(again.cursor).toEqual(changed.cursor)
    const versions = (pages: typeof again) =>
      [...pages.seen.values()].map((o) => o.kind === 'present' && o.version)
    expect(versions(again)).toEqual(versions(changed))
  })

  test('sees a change made in the very second of the last look', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: 'ada@example.com' }])
    const { cursor } = await pullAll(w)
    w.vendor.admin.editProfile('ada@example.com', { FNAME: 'Ada' })
    const { seen } = await pullAll(w, cursor)
    expect(bodyOf([...seen.values()][0])).toMatchObject({ merge_fields: { FNAME: 'Ada' } })
  })

  test('moves on rather than read a large import at every cycle', async () => {
    const w = world()
    const { cursor } = await pullAll(w)
    w.clock.now += 60_000
    w.vendor.admin.seed(people(150).map((email) => ({ email })))
    w.clock.now += 60_000
    const first = await pullAll(w, cursor)
    w.clock.now += HOUR
    const second = await pullAll(w, first.cursor)
    const third = await pullAll(w, second.cursor)
    expect(third.emails).toEqual([])
    expect(third.cursor).toEqual(second.cursor)
  })

  test('goes by the earlier of the two clocks', async () => {
    const date = new Date(T0 - 90_000).toUTCString()
    const io = handMade(() => Response.json({ members: [], total_items: 0 }, { headers: { date } }))
    const { cursor } = await pullAll({ members: world().members, io })
    expect(cursor).toEqual({ kind: 'changes', since: T0 - 90_000 })
  })

  test('a cursor of another making starts the listing again', async () => {
    const w = world()
    await expect(w.members.pull(w.io, { page: 3 })).rejects.toMatchObject({
      failure: { kind: 'cursor-expired' },
    })
  })
})

describe('fetch', () => {
  test('takes contact ids and address hashes; who is not there is absent', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: 'ada@example.com' }, { email: 'old@example.com', status: 'archived' }])
    const id = w.vendor.admin.member('ada@example.com')?.contactId ?? ''
    const [byId, byHash, archived, nobody] = await w.members.fetch(w.io, [
      id,
      addressHash(' ADA@example.com'),
      addressHash('old@example.com'),
      'nobody',
    ])
    expect(byId).toEqual(byHash)
    expect(byId?.id).toBe(id)
    expect(bodyOf(archived)).toMatchObject({ status: 'archived' })
    expect(nobody).toEqual({ kind: 'absent', id: 'nobody' })
  })

  test('a change of address leaves the id as it is', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: 'old@example.com' }])
    const id = w.vendor.admin.member('old@example.com')?.contactId ?? ''
    w.vendor.admin.changeEmail('old@example.com', 'new@example.com')
    const [now] = await w.members.fetch(w.io, [id])
    expect(bodyOf(now)).toMatchObject({ email_address: 'new@example.com' })
  })

  test('a missing audience is no mass delete', async () => {
    const w = world({ settings: { list: 'gone' } })
    const failure = { kind: 'rejected', code: 'settings', field: 'list' }
    await expect(w.members.fetch(w.io, ['a', 'b'])).rejects.toMatchObject({ failure })
    await expect(w.members.pull(w.io, null)).rejects.toMatchObject({ failure })
  })
})

test('discover names the standard fields and the merge fields of the audience', async () => {
  const w = world()
  w.vendor.admin.requireMergeField('COMPANY')
  const fields = await w.members.discover(w.io)
  expect(fields).toEqual(
    expect.arrayContaining([
      { path: 'email_address', label: 'Email address', required: true },
      { path: 'merge_fields.COMPANY', label: 'Company', required: true },
      { path: 'merge_fields.ADDRESS.city', label: 'Address: city', required: false },
    ]),
  )
})

function row(n: string) {
  return {
    contact_id: `c-${n}`,
    email_address: `p${n}@example.com`,
    status: 'subscribed',
    last_changed: '2026-02-01T00:00:00+00:00',
  }
}
