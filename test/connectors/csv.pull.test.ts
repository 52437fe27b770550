import { appendFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { failureOf } from '../../src/connectors/connector.ts'
import { pull } from '../../src/connectors/csv/pull.ts'
import { LIMITS } from '../../src/connectors/csv/rows.ts'
import { readSettings } from '../../src/connectors/csv/settings.ts'
import { bodies, ids, importAll, ioFor, makeFolder, NOON, put, readAll, resource } from './csv.support.ts'

const PEOPLE = 'id,email,name\n1,ann@x.org,Ann\n2,bob@x.org,Bob\n3,cleo@x.org,Cleo\n'

function smallPages(folder: string, rows: number) {
  const settings = readSettings({ folder })
  return (from: Parameters<typeof pull>[2], now = NOON) =>
    pull(settings, 'contacts', from, now, { ...LIMITS, rows })
}

describe('reading an export', () => {
  test('every row becomes an observation, and the whole file is a listing', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const pass = await importAll({ folder })
    expect(bodies(pass)[1]).toEqual({ id: '2', email: 'bob@x.org', name: 'Bob' })
    expect(ids(pass)).toEqual(['1', '2', '3'])
    expect(pass).toMatchObject({ bad: [], listed: true, pages: 1 })
  })

  test('an unchanged file is not read again, and its empty page lists nothing', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const { cursor } = await importAll({ folder })
    const again = await resource('contacts').pull(ioFor({ folder }), cursor)
    expect(again).toEqual({ observations: [], bad: [], cursor, more: false })
  })

  test('a new export is read from its start; vanished rows are absent from its listing', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const first = await importAll({ folder })
    await put(folder, 'contacts-2026-11-01.csv', 'id,email,name\n1,ann@x.org,Ann\n', { minutesAgo: 5 })
    await expect(resource('contacts').pull(ioFor({ folder }), first.cursor)).rejects.toMatchObject({
      failure: { kind: 'cursor-expired' },
    })
    const second = await importAll({ folder }, 'contacts', first.cursor)
    expect(ids(second)).toEqual(['1'])
    expect(second.listed).toBe(true)
    expect(second.observations[0]).toEqual(first.observations[0])
  })

  test('the version follows the content: not the quoting, but the cells and the headers', async () => {
    const folder = await makeFolder()
    const versions: unknown[] = []
    for (const text of [
      'id,name\n1,Ann\n',
      'id;name\r\n"1";"Ann"\r\n',
      'id,name\n1,Anne\n',
      'id,nick\n1,Ann\n',
    ]) {
      await put(folder, 'contacts.csv', text, { minutesAgo: 60 - versions.length })
      const [seen] = (await importAll({ folder })).observations
      versions.push(seen?.kind === 'present' ? seen.version : null)
    }
    expect(versions[1]).toBe(versions[0])
    expect(new Set(versions).size).toBe(3)
  })

  test('a header alone is a faithful listing of nothing; an empty file is refused', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id,email\n')
    expect(await importAll({ folder })).toMatchObject({ observations: [], bad: [], listed: true })
    await put(folder, 'contacts.csv', '', { minutesAgo: 5 })
    await expect(importAll({ folder })).rejects.toMatchObject({
      failure: { kind: 'rejected', code: 'no-header' },
    })
  })

  test('pages know how many rows to expect', async () => {
    const folder = await makeFolder()
    const rows = Array.from({ length: 5_000 }, (_, i) => `${10_000 + i},p${10_000 + i}@x.org`)
    await put(folder, 'contacts.csv', `id,email\n${rows.join('\n')}\n`)
    const first = await resource('contacts').pull(ioFor({ folder }), null)
    expect(first.observations).toHaveLength(2_000)
    expect(first).toMatchObject({ more: true, total: 5_000 })
    expect(first).not.toHaveProperty('listed')
    expect((await importAll({ folder })).observations).toHaveLength(5_000)
  })

  test('the time of the last edit is read from ISO times only', async () => {
    const folder = await makeFolder()
    const text = 'id,Updated At\n1,2026-10-31T10:00:00+01:00\n2,2026-10-31 09:00\n3,31/10/2026\n4,\n'
    await put(folder, 'contacts.csv', text)
    const pass = await importAll({ folder, modifiedColumn: 'updated_at' })
    const times = pass.observations.map((seen) => (seen.kind === 'present' ? seen.modifiedAt : 0))
    const nine = Date.UTC(2026, 9, 31, 9)
    expect(times).toEqual([nine, nine, null, null])
  })

  test('a row that was merged into another is absent, and says where it lives on', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id,name,Merged Into\n1,Ann,2\n2,Ann Lee,\n3,Bo,3\n')
    const pass = await importAll({ folder, mergedIntoColumn: { contacts: 'merged_into' } })
    const absent = { kind: 'absent', id: '1', mergedInto: '2' }
    expect(pass.observations.map((seen) => (seen.kind === 'absent' ? seen : seen.id))).toEqual([
      absent,
      '2',
      '3',
    ])
    expect(pass.listed).toBe(true)
    const plain = await importAll({ folder })
    expect(plain.observations.map((seen) => seen.kind)).toEqual(['present', 'present', 'present'])
  })
})

describe('while files change', () => {
  test('a file that may still be written waits for the next cycle', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE, { minutesAgo: 0 })
    const early = await importAll({ folder })
    expect(early).toMatchObject({ observations: [], listed: false })
    const later = await importAll({ folder }, 'contacts', early.cursor, NOON + 2_000)
    expect(later.observations).toHaveLength(3)
    expect(later.listed).toBe(true)
    expect((await importAll({ folder, settleMs: 0 })).observations).toHaveLength(3)
  })

  test('a file replaced in the middle of a pass is read from its start', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const first = await smallPages(folder, 2)(null)
    expect(ids(first)).toEqual(['1', '2'])
    await put(folder, 'new', 'id,email,name\n7,gus@x.org,Gus\n8,hal@x.org,Hal\n3,cleo@x.org,Cleo\n')
    await rename(path.join(folder, 'new'), path.join(folder, 'contacts.csv'))
    const pass = await readAll(smallPages(folder, 2), first.cursor)
    expect(ids(pass)).toEqual(['7', '8', '3'])
    expect(pass.listed).toBe(true)
  })

  test('a file that grows in the middle of a pass is left alone until it rests', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const first = await smallPages(folder, 2)(null)
    await appendFile(path.join(folder, 'contacts.csv'), '4,dora@x.org,Dora\n')
    const now = Date.now()
    const during = await smallPages(folder, 2)(first.cursor, now)
    expect(during).toEqual({ observations: [], bad: [], cursor: first.cursor, more: false })
    const after = await readAll((from) => smallPages(folder, 2)(from, now + 60_000), first.cursor)
    expect(ids(after)).toEqual(['1', '2', '3', '4'])
  })

  test('a file that vanished in the middle of a pass is an error, not a listing', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const first = await smallPages(folder, 2)(null)
    await rm(path.join(folder, 'contacts.csv'))
    await expect(smallPages(folder, 2)(first.cursor)).rejects.toMatchObject({ failure: { code: 'no-file' } })
  })
})

describe('fetch', () => {
  test('brings the rows as they are now, and says absent only of a whole file', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', PEOPLE)
    const pass = await importAll({ folder })
    const found = await resource('contacts').fetch(ioFor({ folder }), ['3', '9'])
    expect(found).toEqual([pass.observations[2], { kind: 'absent', id: '9' }])
    await put(folder, 'contacts.csv', `${PEOPLE}4,"dora`, { minutesAgo: 5 })
    expect(
      ids({ observations: await resource('contacts').fetch(ioFor({ folder }), ['3', '4', '9']) }),
    ).toEqual(['3'])
  })

  test('a bad row is neither here nor gone', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id,email,name\n1,ann@x.org\n2,bob@x.org,Bob\n')
    expect(await resource('contacts').fetch(ioFor({ folder }), ['1'])).toEqual([])
  })

  test('of an id that comes twice the first row counts, as in a pull', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id,name\n1,Ann\n1,Anna\n')
    expect(await resource('contacts').fetch(ioFor({ folder }), ['1'])).toEqual(
      (await importAll({ folder })).observations,
    )
  })

  test('a folder that is not there is an error', async () => {
    const folder = path.join(await makeFolder(), 'nowhere')
    const error = await resource('contacts')
      .fetch(ioFor({ folder }), ['1'])
      .catch((caught: unknown) => caught)
    expect(failureOf(error)).toMatchObject({ kind: 'rejected', code: 'no-folder' })
    expect(failureOf(error)?.message).toContain(folder)
  })
})
