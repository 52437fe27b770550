import { spawn } from 'node:child_process'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cellOf } from '../../src/connectors/csv/cell.ts'
import { create, ioFor, makeFolder, observed, pushOf, put, world } from './csv.support.ts'

describe('writing', () => {
  test('creates become rows; the outcome is the row as it is read back', async () => {
    const { send, find, fetch, text } = await world()
    const ann = create(1, {
      email: 'ann@x.org',
      name: 'Ann "A", Müller\n李',
      age: 41,
      tags: ['a', 'b'],
      gone: null,
    })
    const outcomes = await send(ann, create(2, { email: 'bob@x.org' }))
    expect(await text()).toBe(
      'id,email,name,age,tags,gone\r\n' +
        'hub-1,ann@x.org,"Ann ""A"", Müller\n李",41,"[""a"",""b""]",\r\n' +
        'hub-2,bob@x.org,,,,\r\n',
    )
    expect(await fetch('hub-1', 'hub-2')).toEqual(outcomes.map(observed))
    expect(await find(create(2, {}), create(3, {}))).toEqual([observed(outcomes[1]), null])
  })

  test('the same create twice is one row', async () => {
    const { send, text } = await world()
    const first = await send(create(1, { email: 'ann@x.org' }))
    expect(await send(create(1, { email: 'ann@x.org' }))).toEqual(first)
    expect(await text()).toBe('id,email\r\nhub-1,ann@x.org\r\n')
  })

  test('updates change their cells, may bring columns, and leave other rows as they are', async () => {
    const { send, text } = await world()
    await send(
      create(1, { email: 'ann@x.org', name: 'Ann' }),
      create(2, { email: 'bob@x.org', name: 'B, "B"' }),
    )
    const [outcome] = await send({
      op: 'update',
      key: 'k',
      id: 'hub-1',
      version: null,
      patch: { name: null, phone: '+49 30 1' },
      observed: { id: 'hub-1', email: 'ann@x.org', name: 'Ann' },
    })
    expect(observed(outcome)).toMatchObject({
      body: { id: 'hub-1', email: 'ann@x.org', name: '', phone: '+49 30 1' },
    })
    expect(await text()).toBe(
      'id,email,name,phone\r\nhub-1,ann@x.org,,+49 30 1\r\nhub-2,bob@x.org,"B, ""B""",\r\n',
    )
  })

  test('an update of an exported row puts the whole row, as changed, into the file', async () => {
    const { send, text, settings } = await world()
    await put(settings.folder, 'contacts.csv', 'id,email,name\n7,gus@x.org,Gus\n8,hal@x.org,Hal\n')
    const seen = { id: '7', email: 'gus@x.org', name: 'Gus' }
    await send(
      { op: 'update', key: 'k1', id: '7', version: 'v', patch: { name: 'August' }, observed: seen },
      { op: 'consent', key: 'k2', id: '8', state: 'out', patch: { consent: 'out' } },
      { op: 'consent', key: 'k3', id: '7', state: 'out', patch: { consent: 'out' } },
    )
    expect(await text()).toBe('id,email,name,consent\r\n7,gus@x.org,August,out\r\n8,hal@x.org,Hal,out\r\n')
  })

  test('archived rows leave the file; what is not there is answered as it is', async () => {
    const { send, text } = await world()
    await send(create(1, { email: 'ann@x.org' }), create(2, { email: 'bob@x.org' }))
    const outcomes = await send(
      { op: 'archive', key: 'k1', id: 'hub-1', version: null },
      { op: 'archive', key: 'k2', id: 'hub-9', version: null },
      { op: 'archive', key: 'k3', id: '7', version: null },
      { op: 'consent', key: 'k4', id: 'hub-8', state: 'out', patch: { consent: 'out' } },
    )
    expect(outcomes).toMatchObject([
      { kind: 'applied', observation: { kind: 'absent', id: 'hub-1' } },
      { kind: 'applied', observation: { kind: 'absent', id: 'hub-9' } },
      { kind: 'rejected', code: 'cannot-archive' },
      { kind: 'stale' },
    ])
    expect(await text()).toBe('id,email,consent\r\nhub-2,bob@x.org,\r\n')
  })

  test('a file that Excel saved in its own way is read, and written again in ours', async () => {
    const { send, settings, text } = await world()
    await mkdir(settings.out)
    await put(settings.out, 'contacts.csv', 'id;name\r\nhub-1;Zoë\r\n', { encoding: 'windows-1252' })
    await send(create(2, { name: 'Bob' }))
    expect(await text()).toBe('id,name\r\nhub-1,Zoë\r\nhub-2,Bob\r\n')
  })

  test('a file with a row that can not be read is left as it is', async () => {
    const { send, settings, text } = await world()
    await mkdir(settings.out)
    await put(settings.out, 'contacts.csv', 'id,name\r\nhub-1,Zoë,x\r\n')
    expect(await send(create(2, { name: 'Bob' }))).toMatchObject([
      { kind: 'rejected', code: 'broken-out-file' },
    ])
    expect(await text()).toBe('id,name\r\nhub-1,Zoë,x\r\n')
    expect(await readdir(settings.out)).toEqual(['contacts.csv'])
  })

  test('a cell too long to be read again is refused alone, and the file stays readable', async () => {
    const { send, find } = await world()
    const [huge, fine] = await send(create(1, { name: 'x'.repeat(10_000_000) }), create(2, { name: 'Ann' }))
    expect(huge).toMatchObject({ kind: 'rejected', code: 'too-long', field: 'name' })
    expect(fine).toMatchObject({ kind: 'applied' })
    expect(await send(create(3, { name: 'Bob' }))).toMatchObject([{ kind: 'applied' }])
    expect(await find(create(1, {}))).toEqual([null])
  })

  test('without a folder to write to every write is refused', async () => {
    const folder = await makeFolder()
    const outcomes = await pushOf('contacts').send(ioFor({ folder }), [create(1, {}), create(2, {})])
    expect(outcomes).toMatchObject([
      { kind: 'rejected', code: 'read-only' },
      { kind: 'rejected', code: 'read-only' },
    ])
  })

  test('whatever the text, the row read back is the row observed', async () => {
    const { send, fetch } = await world()
    let recordId = 0
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom(...Array.from('",;\r\n =+-@1a')) }),
        async (name, note) => {
          const [outcome] = await send(create(++recordId, { name, note }))
          expect(await fetch(`hub-${recordId}`)).toEqual([observed(outcome)])
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('formulas', () => {
  test.each(['=1+1', '+cmd|x', '-2+3+cmd', '@SUM(A1)', '\t=1', '=HYPERLINK("http://x")', '=', '-'])(
    '%j is written as text',
    (text) => expect(cellOf(text)).toBe(`'${text}`),
  )
  test.each(['+49 30 1234-56', '+1 (415) 555.01.00', '-12.50', '-1,234', '12', 'a=b', "'=1", ''])(
    '%j stays as it is',
    (text) => expect(cellOf(text)).toBe(text),
  )
})

describe('kill -9', () => {
  test('a temporary file left over changes nothing and is taken over', async () => {
    const { send, settings, text, fetch } = await world()
    await send(create(1, { email: 'ann@x.org' }))
    await writeFile(path.join(settings.out, '.contacts.csv.tmp'), 'id,email\r\nhub-1,an')
    expect(await fetch('hub-1')).toMatchObject([{ kind: 'present', body: { email: 'ann@x.org' } }])
    await send(create(2, { email: 'bob@x.org' }))
    expect(await text()).toBe('id,email\r\nhub-1,ann@x.org\r\nhub-2,bob@x.org\r\n')
    expect(await readdir(settings.out)).toEqual(['contacts.csv'])
  })

  test('a writer killed at any moment leaves a whole file', async () => {
    const { settings, text, fetch } = await world()
    const program = fileURLToPath(import.meta.resolve('./csv.writer.ts'))
    for (const afterMs of [15, 40, 80]) {
      const writer = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: 'ignore' })
      const ended = new Promise((resolve) => writer.once('exit', resolve))
      const before = await size(settings.out)
      while ((await size(settings.out)) === before && writer.exitCode === null) await pause(2)
      await pause(afterMs)
      writer.kill('SIGKILL')
      await ended
      const rows = parse(await text(), { columns: true })
      expect(rows.length % 1_000).toBe(0)
      expect(rows.length).toBeGreaterThan(0)
    }
    expect(await fetch('hub-0')).toMatchObject([{ kind: 'present' }])
  })
})

async function size(out: string): Promise<number> {
  return stat(path.join(out, 'contacts.csv')).then(
    (found) => found.mtimeMs,
    () => 0,
  )
}
