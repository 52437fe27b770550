import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRecord } from '../../src/runtime/edit.ts'
import { measureBy, measureQuality } from '../../src/runtime/quality/measure.ts'
import { checkOf, listAll, listPage, type Check } from '../../src/runtime/quality/list.ts'
import { qualityReport } from '../../src/runtime/quality/report.ts'
import { openItems } from '../../src/store/inbox.ts'
import { openWorld, T0, type World } from '../support/world.ts'

const DAY = 86_400_000
let world: World
beforeEach(async () => {
  world = await openWorld({ connections: [] })
})
afterEach(async () => {
  await world.close()
})

async function made(
  kind: 'contact' | 'company' | 'deal',
  fields: Parameters<typeof createRecord>[2],
  by = 'api',
) {
  const result = await createRecord(world.hub, kind, fields, by)
  if (result.kind !== 'saved') throw new Error(JSON.stringify(result))
  return result.record.id
}
const figure = async (kind: string, metric: string, field = '') =>
  (await measureQuality(world.hub)).find((f) => f.kind === kind && f.metric === metric && f.field === field)
    ?.value
async function collected<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(page)
  return all
}
const listed = async (kind: 'contact' | 'company' | 'deal', check: Check) =>
  (await listPage(world.hub, kind, check, { after: 0, limit: 10 })).records.map(({ id }) => id)

describe('the figures', () => {
  test('an empty hub has them all, and they are zero', async () => {
    const figures = await measureQuality(world.hub)
    expect(figures.length).toBeGreaterThan(30)
    expect(figures.every(({ value }) => value === 0)).toBe(true)
    expect((await qualityReport(world.hub, ['deal'])).lines.every((line) => line.of === 0)).toBe(true)
  })

  test('count what is filled, and list what is not', async () => {
    const ann = await made('contact', { givenName: 'Ann', emails: ['ann@example.com'], owner: 'Bob' })
    const eve = await made('contact', { familyName: 'Ng' })
    expect(await figure('contact', 'records')).toBe(2)
    expect(await figure('contact', 'complete', 'givenName')).toBe(1)
    expect(await figure('contact', 'unowned')).toBe(1)
    expect(await listed('contact', { name: 'lacking', field: 'familyName' })).toEqual([ann])
    expect(await listed('contact', { name: 'unowned' })).toEqual([eve])
    expect(await listed('contact', { name: 'lacking', field: 'custom.nothing' })).toEqual([ann, eve])
  })

  test('tell stale, bouncing and likely double contacts', async () => {
    const old = await made('contact', { familyName: 'Old' })
    const bad = await made('contact', { familyName: 'Bad' })
    await world.db.sql`update contacts set created_at = ${T0 - 400 * DAY} where id = ${old}`
    await world.db.sql`update contacts set bouncing_emails = '{a@b.example}' where id = ${bad}`
    await openItems(
      world.db.sql,
      [
        {
          kind: 'duplicate',
          key: `duplicate:${old}:${bad}`,
          title: 't',
          fix: 'f',
          detail: { kind: 'contact', records: [old, bad] },
          streamId: null,
          recordId: old,
        },
      ],
      T0,
    )
    expect(await listed('contact', { name: 'stale' })).toEqual([old])
    expect(await listed('contact', { name: 'bouncing' })).toEqual([bad])
    expect(await listed('contact', { name: 'duplicate' })).toEqual([old, bad])
    expect(await figure('contact', 'duplicate')).toBe(2)
    await world.db.sql`update contacts set last_replied_at = ${T0 - DAY} where id = ${old}`
    expect(await figure('contact', 'stale')).toBe(0)
  })

  test('tell what open deals lack, and leave closed ones alone', async () => {
    const base = { pipeline: 'Sales', closeDate: '2026-01-01' }
    const late = await made('deal', {
      ...base,
      name: 'A',
      stage: ' negotiation ',
      nextStep: 'call',
      nextStepDue: '2026-02-01',
    })
    const won = await made('deal', { ...base, name: 'B', stage: 'Won', contact: null })
    const lost = await made('deal', { ...base, name: 'C', stage: 'Somewhere' })
    const bare = await made('deal', { name: 'D', stage: 'New' })
    expect(await listed('deal', { name: 'close-date-past' })).toEqual([late])
    expect(await listed('deal', { name: 'overdue' })).toEqual([late])
    expect(await listed('deal', { name: 'no-next-step' })).toEqual([bare])
    expect(await listed('deal', { name: 'unknown-stage' })).toEqual([lost])
    expect(await listed('deal', { name: 'unowned' })).toEqual([late, won, lost, bare])
  })

  test('are told for each owner and source', async () => {
    await made('contact', { familyName: 'A', owner: 'Bob' }, 'csv')
    await made('contact', { familyName: 'B', owner: 'Bob' }, 'api')
    await made('contact', { givenName: 'C' }, 'api')
    const records = async (by: 'owner' | 'source') =>
      (await measureBy(world.hub, ['contact'], by)).map(({ group, figures }) => [group, figures[0]?.value])
    expect(await records('owner')).toEqual([
      ['Bob', 2],
      [null, 1],
    ])
    expect(await records('source')).toEqual([
      ['api', 2],
      ['csv', 1],
    ])
  })
})

describe('the trend', () => {
  test('sets today against what was kept, in records and in shares', async () => {
    await made('contact', { givenName: 'A' })
    await qualityReport(world.hub, ['contact'])
    world.clock.now += 7 * DAY
    await made('contact', { familyName: 'B' })
    await qualityReport(world.hub, ['contact'])
    await made('contact', { familyName: 'C' })
    await made('contact', { familyName: 'D' })
    const { lines, day } = await qualityReport(world.hub, ['contact'])
    const line = (metric: string, field = '') => lines.find((l) => l.metric === metric && l.field === field)
    expect(day).toBe('2026-03-09')
    expect(line('records')).toMatchObject({ count: 4, change: { 7: 3, 30: null } })
    expect(line('complete', 'givenName')).toMatchObject({
      count: 1,
      of: 4,
      change: { 7: -0.75 },
      list: 'concord quality list contacts --lacking givenName',
    })
    expect(line('records')?.series).toEqual([
      { day: '2026-03-02', value: 1 },
      { day: '2026-03-09', value: 4 },
    ])
  })

  test('is kept once a day, whoever measures at the same time', async () => {
    await Promise.all([measureQuality(world.hub), measureQuality(world.hub), measureQuality(world.hub)])
    const [row] = await world.db.sql<{ days: number }[]>`select count(distinct day) as days from quality`
    expect(row?.days).toBe(1)
  })
})

describe('a list', () => {
  test('goes on page by page, and holds each record once', async () => {
    for (let i = 0; i < 7; i++) await made('contact', { familyName: `P${i}` })
    const pages: number[][] = []
    let after: number | null = 0
    while (after !== null) {
      const page: Awaited<ReturnType<typeof listPage>> = await listPage(
        world.hub,
        'contact',
        { name: 'unowned' },
        { after, limit: 3 },
      )
      pages.push(page.records.map(({ id }) => id))
      after = page.next
    }
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1])
    expect(new Set(pages.flat()).size).toBe(7)
    const all = await collected(listAll(world.hub, 'contact', { name: 'unowned' }, { source: 'api' }))
    expect(all.flat()).toHaveLength(7)
    expect(
      await collected(listAll(world.hub, 'contact', { name: 'unowned' }, { source: "x' or true" })),
    ).toEqual([])
  })

  test.each([
    [{}, 'It is not said which records are meant'],
    [{ lacking: 'owner', is: 'stale' }, 'Only one check'],
    [{ lacking: 'familyname' }, 'a contact has no field "familyname"'],
    [{ lacking: "custom.a'b" }, 'a contact has no field'],
    [{ is: 'overdue' }, 'A contact cannot be "overdue"'],
  ])('refuses %o', (asked, message) => {
    expect(checkOf('contact', asked)).toMatchObject({
      kind: 'wrong',
      message: expect.stringContaining(message),
    })
  })
})
