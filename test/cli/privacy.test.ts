import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  const lines = ['id,email,first_name,last_name', 'c1,ada@x.io,Ada,Lee']
  await desk.run('import', desk.file('people.csv', lines), '--as', 'contacts')
})
afterEach(() => desk.close())

test('concord privacy exports, shows, asks, erases, lists, and lets in again', async () => {
  const file = path.join(desk.dir, 'ada.json')
  expect((await desk.run('privacy', 'export', 'contact', 'ada@x.io', '--out', file)).code).toBe(0)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ addresses: ['ada@x.io'] })
  expect((await desk.run('privacy', 'export', 'contact', 'ada@x.io', '--out', file)).code).toBe(2)
  const planned = await desk.run('privacy', 'erase', 'contact', 'ada@x.io', '--dry-run')
  expect(planned.out).toContain('Nothing was changed (--dry-run).')
  expect(planned.out).toContain('by hand')
  expect((await desk.run('privacy', 'erase', 'contact', 'ada@x.io')).code).toBe(2)
  expect((await desk.run('privacy', 'erase', 'company', 'x')).code).toBe(2)
  const erased = await desk.run('privacy', 'erase', 'contact', 'ada@x.io', '--yes')
  expect([erased.code, erased.err]).toEqual([3, ''])
  expect((await desk.run('privacy', 'list')).code).toBe(3)
  const listed = await desk.json('privacy', 'list')
  const id = JSON.stringify(listed.value).match(/"id":(\d+)/)?.[1] ?? ''
  expect((await desk.run('privacy', 'retry', id)).code).toBe(3)
  expect((await desk.run('privacy', 'done', id)).code).toBe(0)
  expect((await desk.run('privacy', 'list', '--open')).out).toContain('Nobody was erased.')
  expect((await desk.run('privacy', 'retry', '999')).code).toBe(2)
  expect((await desk.run('privacy', 'lift', 'bo@x.io', '--yes')).code).toBe(2)
  expect((await desk.run('privacy', 'lift', 'ada@x.io', '--yes')).code).toBe(0)
  expect((await desk.json('privacy', 'retention', '--dry-run')).value).toMatchObject({
    state: 'planned',
    mail: 0,
  })
})

test("a bare number never erases whom only a system's id means", async () => {
  await desk.run('import', desk.file('more.csv', ['id,email', '777,bo@x.io']), '--as', 'contacts')
  for (const words of [
    ['privacy', 'erase', 'contact', '777', '--yes'],
    ['merge', 'contact', 'bo@x.io', '777', '--yes'],
  ]) {
    const refused = await desk.run(...words)
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('The hub has no contact 777')])
  }
})
