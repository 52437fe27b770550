import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { editRecord } from '../../src/runtime/edit.ts'
import { explainRecord } from '../../src/runtime/explain/record.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { reviewMerged } from '../../src/runtime/merge/review.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, made, read, stateOf } from './merge.support.ts'

type Kind = 'contact' | 'company'
const by = 'user:ann'
let world: World
beforeEach(async () => {
  world = await openWorld({ connections: [] })
})
afterEach(() => world.close())

const merge = async (kind: Kind, survivor: number, loser: number) => {
  const request = { kind, survivor, losers: [loser], by, rule: 'x' } as const
  expect((await mergeRecords(world.hub, request)).kind).toBe('merged')
}
const unmerge = async (kind: Kind, loser: number) => {
  expect((await unmergeRecord(world.hub, { kind, loser, by })).kind).toBe('unmerged')
}
const company = (name: string) => made(world.hub, 'company', { name })
const person = (name: string, employer: number | null) =>
  made(world.hub, 'contact', { familyName: name, ...(employer === null ? {} : { company: employer }) })
const companyOf = async (id: number) => (await read(world.hub, 'contact', id)).fields['company'] ?? null

describe('companies and their people, merged both', () => {
  const orders = ['company', 'contact'] as const
  const all = orders.flatMap((merged) => orders.map((undone) => ({ merged, undone })))

  test.each(all)('$merged first, taken back $undone first', async ({ merged, undone }) => {
    const [c, d] = [await company('C'), await company('D')]
    const [a, b] = [await person('A', c), await person('B', d)]
    const both = { company: [c, d], contact: [a, b] } as const
    const order = (first: Kind): readonly Kind[] =>
      first === 'company' ? ['company', 'contact'] : ['contact', 'company']
    for (const kind of order(merged)) await merge(kind, both[kind][0], both[kind][1])
    expect(await companyOf(a)).toBe(c)
    for (const kind of order(undone)) await unmerge(kind, both[kind][1])
    expect([await companyOf(a), await companyOf(b)]).toEqual([c, d])
  })

  test.each(orders)('a company that only one of them names goes back with it, %s first', async (undone) => {
    const [c, d] = [await company('C'), await company('D')]
    const [a, b] = [await person('A', null), await person('B', d)]
    await merge('contact', a, b)
    expect(await companyOf(a)).toBe(d)
    await merge('company', c, d)
    await edit(world.hub, 'contact', a, { jobTitle: 'CTO' })
    expect(await companyOf(a)).toBe(c)
    const story = (await explainRecord(world.hub, a, 'company'))?.fields[0]
    expect(story?.members).toMatchObject([
      { id: a, stands: false },
      { id: b, value: c, stands: true },
    ])
    await unmerge(undone, undone === 'company' ? d : b)
    expect([await companyOf(a), await companyOf(b)]).toEqual(undone === 'company' ? [d, d] : [null, c])
    if (undone === 'company') await unmerge('contact', b)
    else await unmerge('company', d)
    expect([await companyOf(a), await companyOf(b)]).toEqual([null, d])
  })

  test('a chain of companies is taken back link by link', async () => {
    const [c, d, e] = [await company('C'), await company('D'), await company('E')]
    await merge('company', c, d)
    const [a, b] = [await person('A', e), await person('B', c)]
    const late = await person('L', c)
    await merge('contact', a, b)
    await merge('company', e, c)
    await unmerge('contact', b)
    expect(await companyOf(b)).toBe(e)
    await unmerge('company', c)
    expect([await companyOf(a), await companyOf(b), await companyOf(late)]).toEqual([e, c, c])
    await unmerge('company', d)
    expect([await companyOf(b), await companyOf(late)]).toEqual([c, c])
  })

  test('moving a name is no edit: it overrules nobody', async () => {
    const [c, d] = [await company('C'), await company('D')]
    const [a, b] = [await person('A', d), await person('B', null)]
    await merge('contact', a, b)
    await merge('company', c, d)
    const overruled = await world.db.sql`select overruled from facets where overruled::text <> '{}'`
    expect(overruled).toHaveLength(0)
    await unmerge('company', d)
    expect(await companyOf(a)).toBe(d)
  })

  const COUNT = 3
  const who = fc.nat(COUNT - 1)
  const kind = fc.constantFrom<Kind>('contact', 'company')
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('merge' as const), kind, a: who, b: who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unmerge' as const), kind, a: who }) },
  )

  test('any number of merges of either, taken back in any order, leaves what was there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 10, size: 'max' }),
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
        async (steps, back) => {
          const companies: number[] = []
          for (const name of ['C', 'D', 'E']) companies.push(await company(name))
          const contacts: number[] = []
          for (const [i, employer] of companies.entries()) {
            contacts.push(await person(['Lee', 'Ray', 'Fox'][i] ?? '', i === 2 ? null : employer))
            await made(world.hub, 'deal', { name: `deal ${i}`, contact: contacts[i] ?? 0, company: employer })
          }
          const ids = { contact: contacts, company: companies }
          const state = async () => ({
            ...(await stateOf(world, contacts)),
            rows: await world.db.sql`select id, archived_at is null as live, name from companies
              where id = any(${companies}) order by id`,
            sold: await world.db
              .sql`select company_id from deals where contact_id = any(${contacts}) order by id`,
          })
          const before = await state()
          for (const one of steps) {
            const [a = 0, b = 0] = [ids[one.kind][one.a], one.do === 'merge' ? ids[one.kind][one.b] : 0]
            if (one.do === 'merge')
              await mergeRecords(world.hub, { kind: one.kind, survivor: a, losers: [b], by, rule: 'x' })
            else await unmergeRecord(world.hub, { kind: one.kind, loser: a, by })
            expect(await reviewMerged(world.hub, 'daily')).toBe(0)
          }
          for (let round = 0; round < COUNT; round++)
            for (const at of back) {
              const of: Kind = at < COUNT ? 'contact' : 'company'
              await unmergeRecord(world.hub, { kind: of, loser: ids[of][at % COUNT] ?? 0, by })
            }
          expect(await state()).toEqual(before)
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  const hire = fc.record({ do: fc.constant('hire' as const), a: who, b: fc.option(who) })

  test('people who are given other companies in between name what is there, and what their members say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 2, arbitrary: step }, hire), { minLength: 4, maxLength: 12 }),
        async (steps) => {
          const companies: number[] = []
          for (const name of ['C', 'D', 'E']) companies.push(await company(name))
          const contacts: number[] = []
          for (const employer of companies) contacts.push(await person('Lee', employer))
          const ids = { contact: contacts, company: companies }
          const holds = async () => {
            expect(await reviewMerged(world.hub, 'daily')).toBe(0)
            const astray = await world.db.sql`
              select c.id from contacts c join companies f on f.id = c.company_id
              where c.archived_at is null and f.archived_at is not null`
            expect(astray).toHaveLength(0)
          }
          for (const one of steps) {
            if (one.do === 'merge') {
              const [survivor = 0, loser = 0] = [ids[one.kind][one.a], ids[one.kind][one.b]]
              await mergeRecords(world.hub, { kind: one.kind, survivor, losers: [loser], by, rule: 'x' })
            } else if (one.do === 'unmerge')
              await unmergeRecord(world.hub, { kind: one.kind, loser: ids[one.kind][one.a] ?? 0, by })
            else {
              const into = one.b === null ? null : (companies[one.b] ?? null)
              await editRecord(world.hub, 'contact', contacts[one.a] ?? 0, { company: into }, by)
            }
            await holds()
          }
        },
      ),
      { numRuns: 15 },
    )
  }, 120_000)
})
