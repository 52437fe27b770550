import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  desk.env['CONCORD_CSV_FOLDER'] = desk.dir
})
afterEach(async () => {
  await desk.close()
})

const COMPANIES = [
  'id,name,domain,phone,industry,employees',
  '1,"=Acme, Inc.",acme.example,,tech,',
  '2,,nameless.example,,Retail,5',
]
async function imported(): Promise<void> {
  await desk.run('connections', 'add', 'csv', '--set', `folder=${desk.dir}`, '--set', `out=${desk.dir}`)
  const file = desk.file('firms.csv', COMPANIES)
  const { code, err } = await desk.run('import', file, '--as', 'companies')
  expect({ code: code === 0 || code === 3, err: code === 0 || code === 3 ? '' : err }).toEqual({
    code: true,
    err: '',
  })
}

test('the report shows figures with what lists them, as words, JSON and CSV', async () => {
  await imported()
  const { code, out } = await desk.run('quality', 'companies')
  expect(code).toBe(0)
  expect(out).toMatch(/companies \(2\)/)
  expect(out).toMatch(/filled: Industry +2 +100 %/)
  expect(out).toMatch(/Lacks Name +1 +50 % .*--lacking name/)
  expect(await desk.json('quality', 'companies')).toMatchObject({
    code: 0,
    value: {
      lines: expect.arrayContaining([expect.objectContaining({ metric: 'unowned', count: 2, of: 2 })]),
    },
  })
  const file = path.join(desk.dir, 'report.csv')
  await desk.run('quality', '--out', file)
  expect(readFileSync(file, 'utf8')).toContain('company,unowned,,2,2,')
  const by = await desk.run('quality', 'companies', '--by', 'source')
  expect(by.out).toMatch(/csv +2 /)
})

test('the records behind a figure are listed, and go into files that no spreadsheet takes for formulas', async () => {
  await imported()
  const { out } = await desk.run('quality', 'list', 'companies', '--lacking', 'name')
  expect(out).toMatch(/nameless\.example/)
  const csv = path.join(desk.dir, 'list.csv')
  const told = await desk.run('quality', 'list', 'companies', '--is', 'unowned', '--out', csv)
  expect(told.out).toBe(`2 companies are in ${csv}.\n`)
  expect(readFileSync(csv, 'utf8')).toContain(`"'=Acme, Inc."`)
  expect(await desk.run('quality', 'list', 'companies', '--is', 'unowned', '--out', csv)).toMatchObject({
    code: 2,
    err: expect.stringContaining('is there already'),
  })
  const lines = path.join(desk.dir, 'list.jsonl')
  await desk.run('quality', 'list', 'companies', '--is', 'unowned', '--out', lines)
  expect(
    readFileSync(lines, 'utf8')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  ).toMatchObject([{ title: '=Acme, Inc.' }, { title: 'nameless.example' }])
  expect(await desk.json('quality', 'list', 'companies', '--is', 'unowned', '--limit', '1')).toMatchObject({
    value: { records: [{}], next: expect.any(Number) },
  })
})

test.each([
  [['quality', 'firms'], 'is no kind of record'],
  [['quality', 'compnies'], 'Did you mean company?'],
  [['quality', 'list', 'companies'], 'It is not said which records are meant'],
  [['quality', 'list', 'companies', '--lacking', 'nam'], 'Did you mean "name"?'],
  [['quality', 'list', 'companies', '--is', 'stale', '--limit', '0'], "argument '0' is invalid"],
  [['inbox', 'accept', 'x', '--as', 'y'], '"x" is no number'],
])('%s is wrong input', async (args, message) => {
  const { code, err } = await desk.run(...args)
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) })
})

test('an item that does not exist is not accepted', async () => {
  expect(await desk.run('inbox', 'accept', '99')).toMatchObject({
    code: 1,
    err: expect.stringContaining('The inbox has no item 99'),
  })
})
