import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { isKeptApart, survivorsOf } from '../../src/store/merges.ts'
import { historyOf } from '../../src/store/history.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, fieldsOf, made, merge, read, stateOf, unmerge } from './merge.support.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ connections: [] })
})
afterEach(() => world.close())

const ann = { givenName: 'A.', familyName: 'Lee', emails: ['ann@acme.com'], jobTitle: 'CTO', tags: ['vip'] }
const anna = {
  givenName: 'Anna',
  familyName: 'Lee',
  emails: ['anna.lee@home.org'],
  phones: ['+4930123456'],
  tags: ['old'],
  language: 'de',
}

describe('a merge', () => {
  test('makes one record of two, and archives the other', async () => {
    const { hub } = world
    const a = await made(hub, 'contact', ann)
    const b = await made(hub, 'contact', anna)
    const deal = await made(hub, 'deal', { name: 'Roof', contact: b })
    await merge(hub, a, b)
    expect(await fieldsOf(hub, a)).toEqual({
      givenName: 'Anna',
      familyName: 'Lee',
      emails: ['ann@acme.com', 'anna.lee@home.org'],
      phones: ['+4930123456'],
      jobTitle: 'CTO',
      language: 'de',
      tags: ['vip', 'old'],
    })
    expect((await read(hub, 'contact', b)).archived).toBe(true)
    expect((await read(hub, 'deal', deal)).fields['contact']).toBe(a)
    expect(await survivorsOf(world.db.sql, [a, b])).toEqual(new Map([[b, a]]))
    const [latest] = await historyOf(world.db.sql, a)
    expect(latest).toMatchObject({
      op: 'update',
      source: 'user:ann',
      changes: { language: { before: null, after: 'de', rule: `merged with contact ${b}: the only one` } },
    })
    const [archived] = await historyOf(world.db.sql, b)
    expect(archived).toMatchObject({ op: 'archive' })
    expect(JSON.stringify(archived)).toContain(`merged into contact ${a}: merged by user:ann`)
  })

  test('is taken back exactly', async () => {
    const { hub } = world
    const a = await made(hub, 'contact', ann)
    const b = await made(hub, 'contact', anna, 'api:crm')
    await made(hub, 'deal', { name: 'Roof', contact: b })
    await made(hub, 'deal', { name: 'Floor', contact: a })
    const before = await stateOf(world, [a, b])
    await merge(hub, a, b)
    await unmerge(hub, b)
    expect(await stateOf(world, [a, b])).toEqual(before)
    expect(await isKeptApart(world.db.sql, [[b, a]])).toEqual([[a, b]])
  })

  test('of merged records is taken back one by one, in any order', async () => {
    const { hub } = world
    const a = await made(hub, 'contact', ann)
    const b = await made(hub, 'contact', anna)
    const c = await made(hub, 'contact', { familyName: 'Lee', emails: ['c@lee.io'], owner: 'eve' })
    await made(hub, 'deal', { name: 'Roof', contact: b })
    const before = await stateOf(world, [a, b, c])
    await merge(hub, a, b)
    const two = await stateOf(world, [a, b])
    await merge(hub, c, a)
    expect(await survivorsOf(world.db.sql, [a, b])).toEqual(
      new Map([
        [a, c],
        [b, c],
      ]),
    )
    expect((await fieldsOf(hub, c))['emails']).toEqual(['c@lee.io', 'ann@acme.com', 'anna.lee@home.org'])
    await unmerge(hub, a)
    expect(await stateOf(world, [a, b])).toEqual(two)
    await merge(hub, c, a)
    await unmerge(hub, b)
    expect((await fieldsOf(hub, b))['emails']).toEqual(['anna.lee@home.org'])
    expect((await fieldsOf(hub, c))['emails']).toEqual(['c@lee.io', 'ann@acme.com'])
    await unmerge(hub, a)
    expect(await stateOf(world, [a, b, c])).toEqual(before)
  })

  test('keeps edits made since with whom they belong to', async () => {
    const { hub } = world
    const a = await made(hub, 'contact', ann)
    const b = await made(hub, 'contact', anna)
    await merge(hub, a, b)
    await edit(hub, 'contact', a, {
      language: 'fr',
      jobTitle: 'CEO',
      emails: ['ann@acme.com', 'anna.lee@home.org', 'new@acme.com'],
      phones: null,
    })
    await unmerge(hub, b)
    expect(await fieldsOf(hub, a)).toEqual({
      ...ann,
      jobTitle: 'CEO',
      emails: ['ann@acme.com', 'new@acme.com'],
    })
    const { phones: _, ...others } = anna
    expect(await fieldsOf(hub, b)).toEqual({ ...others, language: 'fr' })
  })

  test('by plan writes nothing and says all', async () => {
    const { hub } = world
    const a = await made(hub, 'contact', ann)
    const b = await made(hub, 'contact', anna)
    await made(hub, 'deal', { name: 'Roof', contact: b })
    const before = await stateOf(world, [a, b])
    const request = {
      kind: 'contact',
      survivor: a,
      losers: [b],
      by: 'user:ann',
      rule: 'x',
      dryRun: true,
    } as const
    const planned = await mergeRecords(hub, request)
    expect(planned).toMatchObject({
      kind: 'planned',
      run: null,
      carried: [{ kind: 'references', record: 'deal', field: 'contact', count: 1 }],
    })
    expect(await stateOf(world, [a, b])).toEqual(before)
    const [runs] = await world.db.sql`select count(*) as n from runs where kind = 'merge'`
    expect(runs?.['n']).toBe(0)
  })

  test('is refused with what to do', async () => {
    const { hub } = world
    const a = await made(hub, 'contact', ann)
    const b = await made(hub, 'contact', anna)
    const firm = await made(hub, 'company', { name: 'Acme' })
    const refused = async (survivor: number, losers: readonly number[], by = 'user:ann') => {
      const result = await mergeRecords(hub, { kind: 'contact', survivor, losers, by, rule: 'x' })
      return result.kind === 'refused' ? `${result.code}: ${result.message}` : result.kind
    }
    expect(await refused(a, [])).toContain('wrong: Nothing to merge')
    expect(await refused(a, [a])).toContain(`wrong: contact ${a} cannot be merged with itself`)
    expect(await refused(a, [firm])).toContain(`wrong: ${firm} is a company, not a contact`)
    expect(await refused(a, [999_999])).toContain('missing: There is no contact 999999')
    await merge(hub, a, b)
    expect(await refused(a, [b])).toBe(`conflict: contact ${b} was merged into contact ${a} already.`)
    const c = await made(hub, 'contact', { familyName: 'X' })
    expect(await refused(c, [b])).toMatch(new RegExp(`^conflict: .*Merge contact ${a} instead`))
    expect(await refused(b, [c])).toMatch(new RegExp(`^conflict: .*Merge contact ${a} instead`))
    await unmerge(hub, b)
    expect(await refused(a, [b], 'rule:identity')).toContain(
      `conflict: contact ${a} and contact ${b} are kept apart`,
    )
    expect(await refused(a, [b])).toBe('merged')
    const again = await unmergeRecord(hub, { kind: 'contact', loser: c, by: 'user:ann' })
    expect(again).toMatchObject({ kind: 'refused', code: 'wrong' })
    const none = await unmergeRecord(hub, { kind: 'contact', loser: 999_999, by: 'user:ann' })
    expect(none).toMatchObject({ kind: 'refused', code: 'missing' })
  })
})
