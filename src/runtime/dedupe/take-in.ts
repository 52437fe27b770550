import { blockingKeys } from '../../core/match/keys.ts'
import { prepare, type Prepared } from '../../core/match/prepare.ts'
import type { Subject } from '../../core/match/traits.ts'
import { isNobodys } from '../../mappings/free-mail.ts'
import { traitsOfRow, type Columns } from './columns.ts'
import type { Table } from './rows.ts'
import type { Scratch } from './scratch.ts'
import { openSample } from './sample.ts'

export type BadRow = { readonly line: number; readonly problem: string }

export type TakenIn = {
  /** Rows below the header, the bad ones too. */
  readonly rows: number
  /** Rows in which no named column holds anything: they are nobody's duplicate. */
  readonly blank: number
  readonly bad: { readonly count: number; readonly samples: readonly BadRow[] }
  /** Some of the records, the same ones in whatever order the rows come. */
  readonly sample: readonly Prepared[]
}

/** So many stand for all when random pairs are taken and values are counted: memory does not grow with the rows. */
const SAMPLE = 20_000
const BAD_SHOWN = 10
const CHUNK = 2_000

export type TakeIn = {
  readonly table: Table
  readonly columns: Columns
  /** Where the column stands that names a row, or null. */
  readonly idAt: number | null
  readonly subject: Subject
  readonly scratch: Scratch
  readonly stopping: AbortSignal
  readonly progress: (rows: number) => void
}

/** Reads all rows, makes them ready and puts them into the working tables. A record's id is its row, from 1. */
export async function takeIn(job: TakeIn): Promise<TakenIn> {
  const { table, subject, scratch } = job
  const sample = openSample<Prepared>(SAMPLE)
  const bad: BadRow[] = []
  let [row, taken, badRows] = [0, 0, 0]
  for await (const page of table.pages()) {
    for (let from = 0; from < page.length; from += CHUNK) {
      job.stopping.throwIfAborted()
      const records = []
      const keys: (readonly [string, string, number])[] = []
      for (const found of page.slice(from, from + CHUNK)) {
        row++
        if (found.kind === 'bad') {
          badRows++
          if (bad.length < BAD_SHOWN) bad.push({ line: found.line, problem: found.problem })
          continue
        }
        const prepared = prepare(subject, traitsOfRow(found.cells, job.columns), isNobodys)
        const own = blockingKeys(prepared)
        if (isBlank(prepared)) continue
        taken++
        const label = job.idAt === null ? '' : (found.cells[job.idAt] ?? '').trim()
        const payload = JSON.stringify([prepared, own])
        sample.add(prepared, payload)
        records.push({ id: row, line: found.line, label, payload })
        const place = placeOf(prepared)
        for (const key of own) keys.push([key, place, row])
      }
      await scratch.saveRecords(records)
      await scratch.saveKeys(keys)
      job.progress(row)
    }
  }
  return {
    rows: row,
    blank: row - badRows - taken,
    bad: { count: badRows, samples: bad },
    sample: sample.taken(),
  }
}

const isBlank = (record: Prepared): boolean =>
  Object.entries(record).every(([name, value]) => name === 'subject' || value.length === 0)

/** Where a record stands in a block too large to compare all with all: near those that are written alike. */
const placeOf = ({ family, given, organisation, birth, postalCode }: Prepared): string =>
  `${family}|${given}|${organisation}|${birth}|${postalCode}`.slice(0, 32)
