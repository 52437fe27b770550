import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { planUndo } from '../../src/runtime/undo/plan.ts'
import { undoRun } from '../../src/runtime/undo/undo.ts'
import { recentRuns } from '../../src/runtime/status.ts'
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
