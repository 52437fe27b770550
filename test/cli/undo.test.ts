import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(async () => {
  await desk.close()
})

/** A file that is imported as it should be, and then once more by mistake. */
async function imported(): Promise<number> {
  await desk.run('connections', 'add', 'csv', '--set', `folder=${desk.dir}`, '--set', `out=${desk.dir}/out`)
  const good = desk.file('good.csv', ['id,email,first_name', 'c1,ada@example.com,Ada'])
  await desk.run('import', good, '--as', 'contacts')
  const bad = desk.file('bad.csv', [
    'id,email,first_name',
    'c1,ada@example.com,=WRONG()',
    'c2,test@example.com,Test',
  ])
  await desk.run('import', bad, '--as', 'contacts')
  const { value } = await desk.json('runs')
  const run = (value as { id: number; kind: string }[]).find(({ kind }) => kind === 'observe')
  return run?.id ?? 0
}

test('an import by mistake: shown, planned, exported, undone, and that undone', async () => {
  const run = await imported()
  const shown = await desk.run('runs', 'show', String(run))
  expect(shown.out).toContain('Changed: 1 contact created, 1 contact updated.')
  expect(shown.out).toContain(`\`concord undo ${run} --dry-run\``)

  const list = path.join(desk.dir, 'plan.csv')
  const planned = await desk.run('undo', String(run), '--dry-run', '--out', list)
  expect(planned.code).toBe(0)
  expect(planned.out).toContain('In the hub: 1 record archived, 0 restored, 1 set back in 1 field.')
  expect(planned.out).toContain('"=WRONG()" → "Ada"')
  expect(planned.out).toContain('Nothing was changed (--dry-run).')
  expect(readFileSync(list, 'utf8').split('\n')[0]).toBe('kind,id,record,what,fields,not undone,systems')

  desk.answers.push('no')
  expect((await desk.run('undo', String(run))).code).not.toBe(0)
  const undone = await desk.run('undo', String(run), '--yes')
  expect(undone.out).toContain(`Run ${run} is undone in run `)
  const again = await desk.run('undo', String(run), '--yes')
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('was undone already') })
  const explained = await desk.run('explain', 'contact', 'ada@example.com', 'givenName')
  expect(explained.out).toContain(`(undo of run ${run}, run `)

  const { value } = await desk.json('runs')
  const [undo] = value as { id: number; kind: string; undoes: number }[]
  expect(undo).toMatchObject({ kind: 'undo', undoes: run })
  const back = await desk.json('undo', String(undo?.id), '--yes')
  expect(back.value).toMatchObject({ counts: { restored: 1, updated: 1 } })
})

test('the changes of a run are exported as JSON lines', async () => {
  const run = await imported()
  const file = path.join(desk.dir, 'changes.jsonl')
  await desk.run('runs', 'show', String(run), '--out', file)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ op: 'update' }, { op: 'create' }])
})

test('what is no run is wrong input', async () => {
  expect(await desk.run('undo', 'seven')).toMatchObject({
    code: 2,
    err: expect.stringContaining('is no run'),
  })
  expect(await desk.run('undo', '99')).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no run 99'),
  })
  expect((await desk.run('runs', 'show', '99')).code).toBe(2)
  const run = await imported()
  expect((await desk.run('runs', 'show', String(run), '--out', path.join(desk.dir, 'x.txt'))).code).toBe(2)
  expect(existsSync(path.join(desk.dir, 'x.txt'))).toBe(false)
})
