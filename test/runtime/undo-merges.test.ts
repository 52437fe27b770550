import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { following } from '../../src/runtime/changes.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { mergeRecords, mergeWithin } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { planUndo } from '../../src/runtime/undo/plan.ts'
import { undoRun } from '../../src/runtime/undo/undo.ts'
import { recentRuns } from '../../src/runtime/status.ts'
import { beginRun, endRun } from '../../src/store/runs.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ connections: [] })
})
afterEach(async () => {
  await world.close()
})

async function person(fields: Readonly<Record<string, string | readonly string[]>>): Promise<number> {
  const made = await createRecord(world.hub, 'contact', fields, 'user:bo')
  if (made.kind !== 'saved') throw new Error(made.kind)
  return made.record.id
}
const people = () =>
  world.db.sql`
    select id, given_name, emails, job_title, archived_at is not null as archived from contacts order by id`
const lastRun = async () => (await recentRuns(world.hub, 1))[0]?.id ?? 0
async function undo(run: number) {
  const result = await undoRun(world.hub, run, 'user:mara')
  if (result.kind === 'refused') throw new Error(result.message)
  return result
}
async function merged() {
  const [a, b] = [
    await person({ givenName: 'Ada', emails: ['ada@example.com'] }),
    await person({ givenName: 'A.', emails: ['a@example.com'], jobTitle: 'Countess' }),
  ]
  const before = await people()
  const request = { kind: 'contact', survivor: a, losers: [b], by: 'user:bo', rule: 'one person' } as const
  const result = await mergeRecords(world.hub, request)
  if (result.kind !== 'merged') throw new Error(result.kind)
  return { a, b, before, after: await people(), run: result.run ?? 0 }
}

test('the undo of a merge is an unmerge, and its undo merges again', async () => {
  const { b, before, after, run } = await merged()
  const planned = await planUndo(world.hub, run, 'user:mara')
  expect(planned).toMatchObject({ plan: { merges: [{ what: 'unmerge', loser: b, refused: null }] } })
  const first = await undo(run)
  expect(first.counts).toMatchObject({ merges: 1 })
  expect(await people()).toEqual(before)
  const second = await undo(first.run)
  expect(second.counts).toMatchObject({ merges: 1 })
  expect(await people()).toEqual(after)
  await undo(second.run)
  expect(await people()).toEqual(before)
})

test('the undo of an unmerge is the merge', async () => {
  const { b, before, after } = await merged()
  await unmergeRecord(world.hub, { kind: 'contact', loser: b, by: 'user:bo' })
  expect(await people()).toEqual(before)
  await undo(await lastRun())
  expect(await people()).toEqual(after)
})

test('what a run changed in a record that was merged away since is left, and the merge is named', async () => {
  const { a, b } = {
    a: await person({ emails: ['ada@example.com'] }),
    b: await person({ emails: ['a@example.com'], jobTitle: 'Countess' }),
  }
  await editRecord(world.hub, 'contact', b, { jobTitle: 'wrong' }, 'api:script')
  const run = await lastRun()
  const result = await mergeRecords(world.hub, {
    kind: 'contact',
    survivor: a,
    losers: [b],
    by: 'user:bo',
    rule: 'one person',
  })
  const mergeRun = result.kind === 'merged' ? result.run : null
  expect(await planUndo(world.hub, run, 'user:mara')).toMatchObject({
    plan: {
      counts: { update: 0, untouched: 1 },
      spared: [
        { reason: 'merged', samples: [{ why: expect.stringContaining(`\`concord undo ${mergeRun}\``) }] },
      ],
    },
  })
})

test('an edit made after a merge stays where it belongs when the merge is undone', async () => {
  const { a, run } = await merged()
  await editRecord(world.hub, 'contact', a, { givenName: 'Augusta' }, 'user:bo')
  await undo(run)
  expect(await people()).toMatchObject([
    { given_name: 'Augusta', job_title: null, archived: false },
    { given_name: 'A.', job_title: 'Countess', archived: false },
  ])
})

describe('of a run that merged one into another, and that one into a third', () => {
  /** Three people, and a run that has merged the first into the second, and the second into the third. */
  async function chain() {
    const ids: number[] = []
    for (const name of ['a', 'b', 'c']) ids.push(await person({ emails: [`${name}@example.com`] }))
    const before = await people()
    const run = await beginRun(world.db.sql, null, 'merge', world.clock.now)
    for (const [loser = 0, survivor = 0] of [ids.slice(0, 2), ids.slice(1)])
      await world.db.sql.begin((tx) =>
        mergeWithin(following(world.hub, tx, run), {
          kind: 'contact',
          survivor,
          losers: [loser],
          by: 'user:bo',
          rule: 'one person',
        }),
      )
    await endRun(world.db.sql, run, 'done', {}, null, world.clock.now)
    return { before, after: await people(), run }
  }

  test('the undo separates them, and its undo merges them again in the order of then', async () => {
    const { before, after, run } = await chain()
    const first = await undo(run)
    expect(first.counts).toMatchObject({ merges: 2 })
    expect(await people()).toEqual(before)
    const second = await undo(first.run)
    expect(second.counts).toMatchObject({ merges: 2 })
    expect(second.counts['mergesLeft']).toBeUndefined()
    expect(await people()).toEqual(after)
    await undo(second.run)
    expect(await people()).toEqual(before)
  })
})

test('the plan counts every merge of a run, however many', async () => {
  const run = await beginRun(world.db.sql, null, 'merge', world.clock.now)
  await world.db.sql`
    insert into merges (kind, survivor_id, loser_id, state, rule, by, run_id, at)
    select 'contact', 1, n, 'merged', 'x', 'user:bo', ${run}, now() from generate_series(2, 301) n`
  await endRun(world.db.sql, run, 'done', {}, null, world.clock.now)
  const planned = await planUndo(world.hub, run, 'user:mara')
  if (planned.kind === 'refused') throw new Error(planned.message)
  expect(planned.plan.merges.length + planned.plan.moreMerges).toBe(300)
})
