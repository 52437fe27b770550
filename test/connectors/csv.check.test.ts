import { chmod, mkdir, realpath, symlink } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { csv } from '../../src/connectors/csv/index.ts'
import { ids, importAll, ioFor, makeFolder, put, resource, touch } from './csv.support.ts'

describe('check', () => {
  test('says which files it found and how it reads them', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id;name\n1;Ann\n2;Zoë\n', { encoding: 'windows-1252' })
    await put(folder, 'Companies_export.CSV', 'Name\tWebsite\nAcme\tacme.org\n')
    expect(await csv.check(ioFor({ folder }))).toEqual({
      accountId: `csv:${await realpath(folder)}`,
      label:
        "folder exports (contacts: contacts.csv WINDOWS-1252 ';' 2 rows; " +
        'companies: Companies_export.CSV UTF-8 tab 1 rows, ids from Website)',
    })
  })

  test('a missing folder is named, with what to do', async () => {
    const folder = path.join(await makeFolder(), 'exports')
    await expect(csv.check(ioFor({ folder }))).rejects.toMatchObject({
      failure: { kind: 'rejected', code: 'no-folder', field: 'folder' },
      message: `${folder} does not exist. Make the folder, or correct its path in the settings.`,
    })
  })

  test('a folder without any export is an error, unless the hub only writes', async () => {
    const folder = await makeFolder()
    await expect(csv.check(ioFor({ folder }))).rejects.toMatchObject({ failure: { code: 'no-file' } })
    const out = path.join(folder, 'out')
    expect((await csv.check(ioFor({ folder, out }))).label).toBe(`folder exports (writes to ${out})`)
  })

  test('the folder to write to may not be the one that is read, by whatever name', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id\n1\n')
    const alias = path.join(await makeFolder(), 'alias')
    await symlink(folder, alias)
    for (const out of [folder, `${folder}/../${path.basename(folder)}`, alias]) {
      await expect(csv.check(ioFor({ folder, out }))).rejects.toMatchObject({
        failure: { code: 'same-folder' },
      })
    }
  })

  test('wrong settings are named', async () => {
    for (const [settings, field] of [
      [{}, 'folder'],
      [{ folder: 'x', delimiter: '::' }, 'delimiter'],
      [{ folder: 'x', encoding: 'klingon' }, 'encoding'],
      [{ folder: 'x', files: { people: '*' } }, 'files.people'],
      [{ folder: 'x', idcolumn: 'id' }, 'idcolumn'],
    ] as const) {
      await expect(csv.check(ioFor(settings))).rejects.toMatchObject({ failure: { kind: 'rejected', field } })
    }
  })

  test.skipIf(process.getuid?.() === 0)('a folder that may not be read asks for the right', async () => {
    const folder = path.join(await makeFolder(), 'closed')
    await mkdir(folder)
    await chmod(folder, 0o000)
    await expect(csv.check(ioFor({ folder }))).rejects.toMatchObject({ failure: { kind: 'auth' } })
    await chmod(folder, 0o700)
  })
})

describe('which file, which id', () => {
  test('the newest file is the export; of equally old ones the last by name', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts-1.csv', 'id\nold\n', { minutesAgo: 50 })
    await put(folder, 'contacts-2.csv', 'id\nnewer\n', { minutesAgo: 40 })
    await put(folder, 'contacts-3.csv', 'id\nnewest\n', { minutesAgo: 40 })
    await put(folder, 'my-contacts.csv', 'id\nother\n', { minutesAgo: 30 })
    await put(folder, 'contacts.csv.bak', 'id\nbackup\n', { minutesAgo: 30 })
    expect(ids(await importAll({ folder }))).toEqual(['newest'])
    await touch(folder, 'contacts-1.csv', 35)
    expect(ids(await importAll({ folder }))).toEqual(['old'])
    expect(ids(await importAll({ folder, files: { contacts: 'MY-*.csv' } }))).toEqual(['other'])
  })

  test('the id comes from the named column, else from id, else from what tells rows apart', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'Name,E-Mail,Contact Nr.\nAnn, Ann@X.org ,K1\n')
    expect(ids(await importAll({ folder }))).toEqual(['ann@x.org'])
    expect(ids(await importAll({ folder, idColumn: { contacts: 'Contact Nr.' } }))).toEqual(['K1'])
    expect(ids(await importAll({ folder, idColumn: 'contact_nr' }))).toEqual(['K1'])
    const missing = importAll({ folder, idColumn: 'Key' })
    await expect(missing).rejects.toMatchObject({ failure: { code: 'no-id-column', field: 'Key' } })
    await put(folder, 'deals.csv', 'ID,name\nD1,Big\n')
    expect(ids(await importAll({ folder }, 'deals'))).toEqual(['D1'])
    await put(folder, 'companies.csv', 'city\nBonn\n')
    await expect(importAll({ folder }, 'companies')).rejects.toMatchObject({
      failure: { code: 'no-id-column' },
    })
  })

  test('discover lists the columns as mappings name them', async () => {
    const folder = await makeFolder()
    await put(folder, 'contacts.csv', 'id,E-Mail,E-Mail\n')
    expect(await resource('contacts').discover(ioFor({ folder }))).toEqual([
      { path: 'id', label: 'id', required: true },
      { path: 'E-Mail', label: 'E-Mail', required: false },
      { path: 'E-Mail_2', label: 'E-Mail_2', required: false },
    ])
  })
})
