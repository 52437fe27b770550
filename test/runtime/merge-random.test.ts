import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { survive } from '../../src/core/survivorship.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { facetsOf } from '../../src/store/facets.ts'
import { stated } from '../../src/store/records.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, fieldsOf, made, merge, read, stateOf, unmerge } from './merge.support.ts'

let world: World
afterEach(() => world.close())

const PEOPLE = 4
const who = fc.nat(PEOPLE - 1)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('merge' as const), a: who, b: who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unmerge' as const), a: who }) },
)
const change = fc.record({
  do: fc.constant('edit' as const),
  a: who,
  set: fc.record(
    {
      givenName: fc.constantFrom('Ann', 'A.', null),
      familyName: fc.constantFrom('Lee', 'Ray', null),
      jobTitle: fc.constantFrom('CTO', 'CEO', null),
      tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
    },
    { requiredKeys: [] },
  ),
})
type Step =
  | { readonly do: 'merge'; readonly a: number; readonly b: number }
  | { readonly do: 'unmerge'; readonly a: number }
  | { readonly do: 'edit'; readonly a: number; readonly set: Parameters<typeof edit>[3] }

describe('any number of merges and undone ones', () => {
  beforeEach(async () => {
    world = await openWorld({ connections: [] })
  })

  async function people(round: number): Promise<readonly number[]> {
    const ids: number[] = []
    for (let i = 0; i < PEOPLE; i++) {
      const id = await made(world.hub, 'contact', {
        familyName: ['Lee', 'Lee', 'Ray', 'L.'][i] ?? 'X',
        emails: [`p${i}.${round}@x.io`],
        tags: [`t${i}`],
      })
      ids.push(id)
      await made(world.hub, 'deal', { name: `deal ${i}`, contact: id })
      await world.db.sql`
        insert into message_participants (message_id, address, role, side, contact_id, at)
        values (${round * 10 + i}, ${`p${i}.${round}@x.io`}, 'from', 'them', ${id}, now())`
    }
    return ids
  }

  async function run(ids: readonly number[], steps: readonly Step[]): Promise<void> {
    const by = 'user:ann'
    for (const one of steps) {
      const a = ids[one.a] ?? 0
      if (one.do === 'merge')
        await mergeRecords(world.hub, {
          kind: 'contact',
          survivor: a,
          losers: [ids[one.b] ?? 0],
          by,
          rule: 'x',
        })
      else if (one.do === 'unmerge') await unmergeRecord(world.hub, { kind: 'contact', loser: a, by })
      else if (!(await read(world.hub, 'contact', a)).archived) {
        await edit(world.hub, 'contact', a, one.set)
        await isWorkedOut(a)
      }
    }
  }

  /** What the record says is what its members add up to. */
  async function isWorkedOut(id: number): Promise<void> {
    const facets = await facetsOf(world.db.sql, [id])
    if (facets.length === 0) return
    const { fields } = await read(world.hub, 'contact', id)
    const again = survive('contact', facets, id, world.hub.configuration.survivorship, fields).fields
    for (const field of ['givenName', 'familyName', 'jobTitle'])
      expect([field, again[field] ?? null]).toEqual([field, fields[field] ?? null])
    expect(new Set([again['tags'] ?? []].flat())).toEqual(new Set([fields['tags'] ?? []].flat()))
  }

  async function separate(ids: readonly number[]): Promise<void> {
    for (let round = 0; round < PEOPLE; round++)
      for (const loser of ids) await unmergeRecord(world.hub, { kind: 'contact', loser, by: 'user:ann' })
  }

  test('leave what was there', async () => {
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 7 }), async (steps) => {
        const ids = await people(++round)
        const before = await stateOf(world, ids)
        await run(ids, steps)
        await separate(ids)
        expect(await stateOf(world, ids)).toEqual(before)
      }),
      { numRuns: 12 },
    )
  }, 120_000)

  test('with edits in between leave each with its own, and every edit with one', async () => {
    let round = 100
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(step, change), { minLength: 3, maxLength: 9 }), async (steps) => {
        const ids = await people(++round)
        await run(ids, steps)
        await separate(ids)
        for (const [i, id] of ids.entries()) {
          const record = await read(world.hub, 'contact', id)
          expect(record.archived).toBe(false)
          expect(stated(record.fields)['emails']).toEqual([`p${i}.${round}@x.io`])
        }
        expect(await facetsOf(world.db.sql, ids)).toEqual([])
        const deals = await world.db.sql`
            select contact_id from deals where contact_id in ${world.db.sql([...ids])} order by id`
        expect(deals.map((row) => Number(row['contact_id']))).toEqual(ids)
      }),
      { numRuns: 12 },
    )
  }, 120_000)
})

describe('two objects of one person, edited at once', () => {
  const settle = async () => {
    for (let i = 0; i < 4; i++) {
      for (const pass of await syncAll(world.hub, ['mailchimp', 'stripe'], i % 2 === 0 ? 'changes' : 'sweep'))
        expect(pass.problem).toBeNull()
      world.clock.now += 300_000
      if (i === 2) world.sent.length = 0
    }
    expect(world.sent.filter((one) => !one.startsWith('GET'))).toEqual([])
  }
  const job = (name: string) => world.mailchimp.admin.member(`${name}@x.io`)?.mergeFields.get('JOBTITLE')

  test.each([
    'newest',
    'ask',
    '{ owner: mailchimp }',
    '{ owner: stripe }',
    '{ prefer: [stripe, mailchimp] }',
    '{ prefer: [user] }',
  ])(
    'do not go back and forth under %s',
    async (policy) => {
      world = await openWorld({
        connections: ['mailchimp', 'stripe'],
        configure: (name, text) =>
          name === 'policies.yaml' ? text.replace(/jobTitle: .*/, `jobTitle: ${policy}`) : text,
      })
      const ids: number[] = []
      for (const name of ['ada', 'eve']) {
        world.mailchimp.admin.subscribe(`${name}@x.io`, { FNAME: name, LNAME: 'Lee', JOBTITLE: name })
        world.stripe.admin.createCustomer({ email: `${name}@x.io`, name: `${name} Lee` })
      }
      await settle()
      for (const name of ['ada', 'eve']) {
        const [row] = await world.db.sql`select record_id as id from identities where key = ${`${name}@x.io`}`
        ids.push(Number(row?.['id']))
      }
      const [a = 0, b = 0] = ids
      await merge(world.hub, a, b)
      await settle()
      expect(job('ada')).toBe(job('eve'))
      world.mailchimp.admin.editProfile('ada@x.io', { JOBTITLE: 'one' })
      world.mailchimp.admin.editProfile('eve@x.io', { JOBTITLE: 'two' })
      await settle()
      const asks = await world.db.sql`select id from inbox where state = 'open' and kind = 'conflict'`
      // Where a person is asked, each keeps its own until they have answered.
      expect(asks.length > 0 ? policy : 'agreed').toBe(job('ada') === job('eve') ? 'agreed' : 'ask')
      await edit(world.hub, 'contact', a, { jobTitle: 'three' })
      await settle()
      await unmerge(world.hub, b)
      await settle()
      expect((await fieldsOf(world.hub, a))['emails']).toEqual(['ada@x.io'])
      expect((await fieldsOf(world.hub, b))['emails']).toEqual(['eve@x.io'])
    },
    60_000,
  )
})
