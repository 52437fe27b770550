import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SurvivorshipRule } from '../../src/core/survivorship.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { foreseeMerged, reviewMerged } from '../../src/runtime/merge/review.ts'
import { rulesFingerprint } from '../../src/store/findings.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, fieldsOf, made, merge, read, unmerge } from './merge.support.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['mailchimp'] })
})
afterEach(() => world.close())

/** The hub with another rule for job titles, and for all that is not named. */
const ruled = (kind: Exclude<SurvivorshipRule['kind'], 'prefer'>, hub = world.hub): Hub => ({
  ...hub,
  configuration: {
    ...hub.configuration,
    survivorship: { default: { kind }, contact: { jobTitle: { kind } }, company: {} },
  },
})

async function pair(n: number): Promise<readonly [number, number]> {
  const a = await made(world.hub, 'contact', { familyName: 'Lee', emails: [`a${n}@x.io`], jobTitle: 'CTO' })
  const b = await made(world.hub, 'contact', {
    familyName: 'Lee',
    emails: [`b${n}@x.io`],
    jobTitle: 'Chief technology officer',
  })
  await merge(ruled('survivor'), a, b)
  return [a, b]
}
const job = async (id: number) => (await fieldsOf(world.hub, id))['jobTitle']
const historyOf = (id: number) => world.db.sql`
  select source, run_id, changes->'jobTitle' as title from history where record_id = ${id} order by id desc limit 1`
const runs = async () => (await world.db.sql`select id from runs where by = 'rule:survivorship'`).length

describe('rules of survivorship that are changed later', () => {
  test('count for what was merged before, with a run and a reason, and once', async () => {
    await reviewMerged(ruled('survivor'))
    const [a, b] = await pair(1)
    expect(await reviewMerged(ruled('survivor'))).toBe(0)
    expect([await job(a), await runs()]).toEqual(['CTO', 0])
    expect(await reviewMerged(ruled('longest'))).toBe(1)
    expect(await job(a)).toBe('Chief technology officer')
    const [row] = await historyOf(a)
    expect(row).toMatchObject({
      source: 'rule:survivorship',
      title: {
        before: 'CTO',
        after: 'Chief technology officer',
        rule: 'the rules of survivorship are others now: longest',
        lost: { source: 'user:ann', value: 'CTO' },
      },
    })
    const { version } = await read(world.hub, 'contact', a)
    expect(await reviewMerged(ruled('longest'))).toBe(0)
    expect(await reviewMerged(ruled('longest'), 'daily')).toBe(0)
    expect((await read(world.hub, 'contact', a)).version).toBe(version)
    expect(await runs()).toBe(1)
    await unmerge(world.hub, b)
    expect([await job(a), await job(b)]).toEqual(['CTO', 'Chief technology officer'])
  })

  test('leave no run under way where the work fails', async () => {
    const [a] = await pair(1)
    await world.db.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$;
      create trigger refuse before update on contacts for each row execute function refuse()`)
    await expect(reviewMerged(ruled('longest'))).rejects.toThrow('the disk is full')
    const states = await world.db.sql`select state from runs where by = 'rule:survivorship'`
    expect(states).toEqual([{ state: 'failed' }])
    await world.db.sql`drop trigger refuse on contacts`
    expect(await reviewMerged(ruled('longest'))).toBe(1)
    expect(await job(a)).toBe('Chief technology officer')
  })

  test('leave edits since the merge alone, and the order of addresses', async () => {
    const [a] = await pair(1)
    await edit(world.hub, 'contact', a, { jobTitle: 'CEO', emails: ['b1@x.io', 'a1@x.io'] })
    expect(await reviewMerged(ruled('longest'))).toBe(0)
    expect(await fieldsOf(world.hub, a)).toMatchObject({ jobTitle: 'CEO', emails: ['b1@x.io', 'a1@x.io'] })
  })

  test('count for companies', async () => {
    const a = await made(world.hub, 'company', { name: 'Acme' })
    const b = await made(world.hub, 'company', { name: 'Acme International' })
    const request = { kind: 'company', survivor: a, losers: [b], by: 'user:ann', rule: 'x' } as const
    expect((await mergeRecords(ruled('survivor'), request)).kind).toBe('merged')
    expect(await reviewMerged(ruled('longest'))).toBe(1)
    expect((await read(world.hub, 'company', a)).fields['name']).toBe('Acme International')
  })

  test('are counted before they are applied, and nothing is written then', async () => {
    const [a] = await pair(1)
    const before = await read(world.hub, 'contact', a)
    expect(await foreseeMerged(ruled('survivor'), ruled('longest').configuration)).toEqual({
      records: 1,
      samples: [
        {
          title: expect.any(String),
          changes: { jobTitle: { before: 'CTO', after: 'Chief technology officer' } },
        },
      ],
    })
    expect(await foreseeMerged(ruled('survivor'), ruled('survivor').configuration)).toMatchObject({
      records: 0,
    })
    expect(await read(world.hub, 'contact', a)).toEqual(before)
    expect(await runs()).toBe(0)
  })

  test('are taken up by a sync, and go to the systems', async () => {
    const hub = ruled('survivor')
    for (const name of ['ada', 'eve'])
      world.mailchimp.admin.subscribe(`${name}@x.io`, {
        FNAME: 'Ada',
        LNAME: 'Lee',
        JOBTITLE: `${name} job`.repeat(name === 'eve' ? 2 : 1),
      })
    await syncAll(hub, ['mailchimp'], 'changes')
    const ids = await world.db
      .sql`select record_id as id from identities where key like '%@x.io' order by key`
    const [a = 0, b = 0] = ids.map((row) => Number(row['id']))
    await merge(hub, a, b)
    await syncAll(hub, ['mailchimp'], 'changes')
    const at = (name: string) => world.mailchimp.admin.member(`${name}@x.io`)?.mergeFields.get('JOBTITLE')
    expect([at('ada'), at('eve')]).toEqual(['ada job', 'ada job'])
    world.clock.now += 300_000
    await syncAll(ruled('longest'), ['mailchimp'], 'changes')
    expect([at('ada'), at('eve')]).toEqual(['eve jobeve job', 'eve jobeve job'])
  })

  test('are worked off by several at once, each record once', async () => {
    await reviewMerged(ruled('survivor'))
    const ids: number[] = []
    for (let n = 0; n < 8; n++) ids.push((await pair(n))[0])
    const other = ruled('longest', await world.restarted())
    const done = await Promise.all([
      reviewMerged(ruled('longest')),
      reviewMerged(other),
      reviewMerged(ruled('longest')),
    ])
    expect(done.reduce((sum, n) => sum + n)).toBe(8)
    for (const id of ids) expect(await job(id)).toBe('Chief technology officer')
    const rows = await world.db.sql`
      select record_id from history where source = 'rule:survivorship' and record_id = any(${ids})`
    expect(rows).toHaveLength(8)
  })

  test('that somebody gave back after half of the work leave nothing of themselves', async () => {
    await reviewMerged(ruled('survivor'))
    const first = (await pair(0))[0]
    // More than one chunk: the others are no records, only members that say nothing.
    const many = Array.from({ length: 600 }, (_, n) => 10_000_000 + n)
    await world.db.sql`insert into facets (record_id, root_id, fields, provenance)
      select id, id, '{}', '{}' from unnest(${many}::bigint[]) as m(id)`
    const crash = new Error('crash')
    let calls = 0
    const hub = ruled('longest')
    const crashing: Hub = {
      ...hub,
      session: {
        ...hub.session,
        begin: async (work) => {
          if (++calls > 2) throw crash
          return hub.session.begin(work)
        },
      },
    }
    await expect(reviewMerged(crashing)).rejects.toBe(crash)
    expect(await job(first)).toBe('Chief technology officer')
    expect(await rulesFingerprint(world.db.sql, 'survivorship')).toBe('under way')
    expect(await reviewMerged(ruled('survivor'))).toBe(1)
    expect(await job(first)).toBe('CTO')
    expect(await reviewMerged(ruled('longest'))).toBe(1)
  })

  test('are left to those who work by the newest version', async () => {
    const [a] = await pair(1)
    const hub = { ...ruled('longest'), knownVersion: () => 1 }
    await world.db
      .sql`insert into config_versions (version, files, applied_by, applied_at) values (2, '{}', 'x', now())`
    expect(await reviewMerged(hub)).toBe(0)
    expect(await job(a)).toBe('CTO')
    expect(await reviewMerged({ ...hub, knownVersion: () => 2 })).toBe(1)
  })
})
