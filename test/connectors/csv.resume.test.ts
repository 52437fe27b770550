import { open } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pull } from '../../src/connectors/csv/pull.ts'
import { LIMITS, type Limits, type Row, readRows } from '../../src/connectors/csv/rows.ts'
import { readSettings } from '../../src/connectors/csv/settings.ts'
import { bodies, makeFolder, NOON, put, readAll } from './csv.support.ts'

const FORMATS = [
  { encoding: 'utf-8', bom: false },
  { encoding: 'utf-8', bom: true },
  { encoding: 'utf-16le', bom: true },
  { encoding: 'utf-16be', bom: true },
  { encoding: 'windows-1252', bom: false },
]
const LATIN = Array.from('abc ,;|\t"\n\räöüß€é€0-')
const WIDE = [...LATIN, 'Ł', '李', '😀', '\u0301', '\u2028']

test('pages with a restart after each read the same as one straight read, and as what was written', async () => {
  const folder = await makeFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FORMATS),
      fc.constantFrom(',', ';', '\t', '|'),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.tuple(wideText(), wideText()), { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 100, max: 1_000 }),
      async (format, delimiter, lineBreak, cells, rows, half) => {
        const latin = format.encoding === 'windows-1252'
        const texts = cells.map(([name, note], i) => ({
          id: `c${i}`,
          name: latin ? latinOnly(name) : name,
          note: latin ? latinOnly(note) : note,
        }))
        const text = stringify(texts, {
          header: true,
          columns: ['id', 'name', 'note'],
          delimiter,
          record_delimiter: lineBreak,
          quoted_match: /[\r\n]/,
        })
        await put(folder, 'contacts.csv', text, { ...format, minutesAgo: 60 + ++run })
        const settings = readSettings({ folder, ...(latin ? { encoding: 'latin1' } : {}) })
        const passOf = (limits: Limits) => readAll((from) => pull(settings, 'contacts', from, NOON, limits))
        const straight = await passOf(LIMITS)
        const paged = await passOf({ rows, windowBytes: half * 2 })
        expect(paged.observations).toEqual(straight.observations)
        expect(bodies(straight)).toEqual(texts)
        expect([straight.listed, paged.listed, straight.bad, paged.bad]).toEqual([true, true, [], []])
      },
    ),
    { numRuns: 150 },
  )
})

test('of any text at all, pages of any size make the same rows', async () => {
  const folder = await makeFolder()
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '"', '\n', '\r', '\r\n', 'é'), maxLength: 300 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 20, max: 200 }),
      async (text, rows, half) => {
        await put(folder, 'any.csv', text)
        const straight = await rowsOf(folder, LIMITS)
        const paged = await rowsOf(folder, { rows, windowBytes: half * 2 })
        const tooLong = paged.some((row) => row.kind === 'bad' && row.problem.startsWith('longer'))
        fc.pre(!tooLong)
        expect(paged).toEqual(straight)
      },
    ),
    { numRuns: 400 },
  )
})

function wideText() {
  return fc.string({ unit: fc.constantFrom(...WIDE), maxLength: 12 })
}

function latinOnly(text: string): string {
  return Array.from(text, (character) => (LATIN.includes(character) ? character : 'x')).join('')
}

async function rowsOf(folder: string, limits: Limits): Promise<Row[]> {
  const handle = await open(path.join(folder, 'any.csv'))
  try {
    const { size } = await handle.stat()
    const source = { handle, name: 'any.csv', size, encoding: 'utf-8', delimiter: ',' }
    const rows: Row[] = []
    for (let at = { at: 0, line: 1 }; ; ) {
      const block = await readRows(source, at, limits)
      rows.push(...block.rows)
      if (block.end) return rows
      expect(block.next.at).toBeGreaterThan(at.at)
      at = block.next
    }
  } finally {
    await handle.close()
  }
}
