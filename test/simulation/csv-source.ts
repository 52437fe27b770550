import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'csv-parse/sync'
import { COLUMNS, type Table } from '../support/exports.ts'

export type Row = Record<string, string>
/** A row that the hub cannot take in, as text. */
export type BrokenRow = { readonly text: string; readonly hidesId: boolean }

type News = { readonly table: Table; readonly id: string; readonly column: string; readonly value: string }

export const TABLES: readonly Table[] = ['companies', 'contacts', 'deals']

/** The system that makes the exports: it has rows, and takes over what the hub hands it. */
export class CsvSource {
  readonly folder: string
  readonly out: string
  readonly rows: Readonly<Record<Table, Map<string, Row>>> = {
    contacts: new Map(),
    companies: new Map(),
    deals: new Map(),
  }
  readonly broken: BrokenRow[] = []
  /** Left out of exports, as by a wrong filter. */
  readonly hidden = new Set<string>()
  /** Rows that say something no export has said yet. */
  readonly #unsaid = new Set<string>()
  /** By table, row and column: what was handed over last, what of it is to be entered, and the values that the source itself has ever stated. */
  readonly #seen = new Map<string, string>()
  readonly #news = new Map<string, News>()
  readonly #stated = new Map<string, Set<string>>()

  constructor(folder: string) {
    this.folder = folder
    this.out = path.join(folder, 'out')
    mkdirSync(this.out, { recursive: true })
  }

  put(table: Table, id: string, change: Row): Row {
    for (const column of Object.keys(change)) this.#news.delete(`${table} ${id} ${column}`)
    const row = { ...this.rows[table].get(id), ...change, id }
    this.rows[table].set(id, row)
    this.#note(table, id, row)
    this.#unsaid.add(`${table} ${id}`)
    return row
  }

  remove(table: Table, id: string): void {
    this.rows[table].delete(id)
  }

  /** The current export tells what this row says. */
  isTold(table: Table, id: string): boolean {
    return !this.hidden.has(id) && !this.#unsaid.has(`${table} ${id}`)
  }

  export(now: number): void {
    for (const table of TABLES) {
      const rows = [...this.rows[table].values()].filter((row) => !this.hidden.has(String(row['id'])))
      for (const row of rows) this.#unsaid.delete(`${table} ${row['id']}`)
      const lines = rows.map((row) => COLUMNS[table].map((column) => cell(row[column] ?? '')).join(','))
      const middle = Math.floor(lines.length / 2)
      if (table === 'contacts') lines.splice(middle, 0, ...this.broken.map(({ text }) => text))
      const file = path.join(this.folder, `${table}.csv`)
      writeFileSync(file, `${[COLUMNS[table].join(','), ...lines].join('\n')}\n`)
      utimesSync(file, now / 1000, now / 1000)
    }
  }

  /**
   * Somebody reads what the hub handed over. It hands over whole rows: a cell is news where it changed since the last
   * look, and in a new row where the source never said the same itself.
   */
  look(): void {
    for (const table of TABLES) {
      for (const [id, row] of this.handed(table)) {
        for (const [column, value] of Object.entries(row)) {
          const place = `${table} ${id} ${column}`
          const before = this.#seen.get(place)
          this.#seen.set(place, value)
          const isNews = before === undefined ? !this.#stated.get(place)?.has(value) : before !== value
          if (isNews && column !== 'id') this.#news.set(place, { table, id, column, value })
        }
      }
    }
  }

  /** Somebody enters the news. What the source has changed itself since then stays as it is. */
  adopt(): number {
    let adopted = 0
    for (const [place, { table, id, column, value }] of this.#news) {
      const row = this.rows[table].get(id)
      if (this.hidden.has(id) || this.#unsaid.has(`${table} ${id}`)) continue
      this.#news.delete(place)
      if (row === undefined || row[column] === value) continue
      row[column] = value
      this.#note(table, id, row)
      adopted += 1
    }
    return adopted
  }

  /** Somebody who knows which cells are wrong enters what was handed over of them, also what the source once said itself. */
  heed(isWrong: (table: Table, id: string, column: string, value: string) => boolean): number {
    let heeded = 0
    for (const table of TABLES)
      for (const [id, handed] of this.handed(table)) {
        const row = this.rows[table].get(id)
        if (row === undefined || this.hidden.has(id)) continue
        for (const [column, value] of Object.entries(handed)) {
          const now = row[column] ?? ''
          if (now === value || !isWrong(table, id, column, now)) continue
          row[column] = value
          this.#note(table, id, row)
          heeded += 1
        }
      }
    return heeded
  }

  /** What stands in the folder that the hub writes to. */
  handed(table: Table): ReadonlyMap<string, Row> {
    const file = path.join(this.out, `${table}.csv`)
    const [columns = [], ...rows] = parse(textOf(file), { bom: true })
    const found = new Map<string, Row>()
    for (const cells of rows) {
      const row = Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']))
      found.set(row['id'] ?? '', row)
    }
    return found
  }

  #note(table: Table, id: string, row: Row): void {
    for (const column of COLUMNS[table]) {
      const place = `${table} ${id} ${column}`
      const values = this.#stated.get(place) ?? new Set()
      this.#stated.set(place, values.add(row[column] ?? ''))
    }
  }
}

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
