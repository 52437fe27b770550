import { hash } from 'node:crypto'
import type { Instant, JsonObject } from '../../core/json.ts'
import { type BadRow, type Observation, VendorError } from '../connector.ts'
import type { Row } from './rows.ts'

/** The kinds of object a folder may hold, each in files of its own. */
export type ResourceName = 'contacts' | 'companies' | 'deals'

/** How the rows of one file become observations. */
export type Table = {
  readonly name: string
  /** One distinct name a column. */
  readonly columns: readonly string[]
  readonly idAt: number
  /** The id is a value such as an email address, and not an id of the exporting system. */
  readonly derived: boolean
  readonly modifiedAt: number | null
  /** Where a row says into which other one it was merged. */
  readonly mergedAt: number | null
  /** Part of every version: the same cells under other headers are another object. */
  readonly seed: string
}

export type ColumnSettings = {
  readonly idColumn?: string
  readonly modifiedColumn?: string
  readonly mergedIntoColumn?: string
}

/** Columns that can serve as id where no setting names one, best first; compared without case and punctuation. */
const ID_COLUMNS: Readonly<Record<ResourceName, readonly string[]>> = {
  contacts: ['id', 'email', 'emailaddress', 'mail'],
  companies: ['id', 'domain', 'website', 'name', 'companyname', 'company'],
  deals: ['id', 'name', 'dealname', 'title'],
}

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Throws `rejected` where no column can be the id, or a named one is missing. */
export function readTable(
  name: string,
  resource: ResourceName,
  header: readonly string[],
  settings: ColumnSettings,
): Table {
  const columns = distinctNames(header)
  const find = (wanted: string): number => {
    const exact = columns.indexOf(wanted.trim())
    return exact >= 0 ? exact : columns.findIndex((column) => plain(column) === plain(wanted))
  }
  const named = settings.idColumn
  const candidates = named === undefined ? ID_COLUMNS[resource] : [named]
  const idAt = candidates.map(find).find((at) => at >= 0)
  if (idAt === undefined) {
    const has = `its columns are ${columns.join(', ')}`
    const message = named === undefined ? `${name} has no id column` : `${name} has no column "${named}"`
    throw new VendorError({
      kind: 'rejected',
      code: 'no-id-column',
      field: named ?? 'id',
      message: `${message}; ${has}. Set idColumn.${resource} to the column that tells its rows apart.`,
    })
  }
  const modifiedAt = settings.modifiedColumn === undefined ? -1 : find(settings.modifiedColumn)
  const mergedAt = settings.mergedIntoColumn === undefined ? -1 : find(settings.mergedIntoColumn)
  return {
    name,
    columns,
    idAt,
    derived: named === undefined && plain(columns[idAt] ?? '') !== 'id',
    modifiedAt: modifiedAt < 0 ? null : modifiedAt,
    mergedAt: mergedAt < 0 ? null : mergedAt,
    seed: hash('sha1', JSON.stringify(columns), 'base64url').slice(0, 8),
  }
}

/** Trimmed; a nameless column becomes `column_4` by its place, the second `email` becomes `email_2`. */
function distinctNames(header: readonly string[]): string[] {
  const taken = new Set<string>()
  return header.map((cell, at) => {
    const trimmed = cell.trim()
    // An object can not hold a text under `__proto__`.
    const wanted = trimmed === '' || trimmed === '__proto__' ? `column_${at + 1}` : trimmed
    let name = wanted
    for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`
    taken.add(name)
    return name
  })
}

/** The id in these cells; null where it is missing. Derived ids do not depend on case. */
export function idOf(table: Table, cells: readonly string[]): string | null {
  return idAt(table, cells, table.idAt)
}

function idAt(table: Table, cells: readonly string[], at: number): string | null {
  const id = cells[at]?.trim() ?? ''
  return id === '' ? null : table.derived ? id.toLowerCase() : id
}

/** A row as it is, or the absence of one that the source has merged into another and keeps to say so. */
export function observed(table: Table, id: string, cells: readonly string[]): Observation {
  const into = table.mergedAt === null ? null : idAt(table, cells, table.mergedAt)
  return into === null || into === id ? present(table, id, cells) : { kind: 'absent', id, mergedInto: into }
}

export function present(table: Table, id: string, cells: readonly string[]): Observation {
  const { columns } = table
  const body: Record<string, string> = {}
  for (let at = 0; at < columns.length; at++) body[columns[at] ?? ''] = cells[at] ?? ''
  return {
    kind: 'present',
    id,
    version: versionOf(table, cells),
    modifiedAt: table.modifiedAt === null ? null : parseTime(cells[table.modifiedAt] ?? ''),
    body: body satisfies JsonObject,
  }
}

/** 96 bits over the cells, so that another quoting or line break of the same row is the same version. */
function versionOf(table: Table, cells: readonly string[]): string {
  return hash('sha1', table.seed + JSON.stringify(cells), 'base64url').slice(0, 16)
}

const ISO_TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/

/** ISO 8601; UTC where no zone is given. Null for any other notation, which could be read in more than one way. */
export function parseTime(text: string): Instant | null {
  const match = ISO_TIME.exec(text.trim())
  if (match === null) return null
  const zone = (match[3] ?? 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const at = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${zone}`)
  return Number.isNaN(at) ? null : at
}

export type Observed = {
  readonly observations: readonly Observation[]
  readonly bad: readonly BadRow[]
  /** A bad row hides which object it holds: nobody can say any more which objects are gone. */
  readonly unknown: boolean
  /** The file stops inside this page's last row. */
  readonly cut: boolean
}

/**
 * One observation a row. An id that comes a second time within the page is a bad row; further apart, the later row
 * wins, as finding it would need memory for every id of the file. Rows without any text are passed over, as
 * spreadsheets leave them behind.
 */
export function observe(table: Table, rows: readonly Row[]): Observed {
  const observations: Observation[] = []
  const bad: BadRow[] = []
  const lines = new Map<string, number>()
  let cut = false
  const refuse = (row: Row, id: string | null, problem: string) => {
    const raw = row.kind === 'bad' ? row.raw : row.cells.join(' | ').slice(0, 1_000)
    bad.push({ where: `${table.name} line ${row.line}`, id, problem, raw })
  }
  for (const row of rows) {
    if (row.kind === 'bad') {
      refuse(row, idOf(table, row.cells), row.problem)
      continue
    }
    const { cells, line } = row
    if (cells.length !== table.columns.length) {
      if (cells.every((cell) => cell.trim() === '')) continue
      // The last cell of a file that stops short may be half an id.
      const stopsShort = !row.ended && cells.length < table.columns.length
      cut ||= stopsShort
      const count = `${cells.length} cells where the header has ${table.columns.length}`
      refuse(row, idOf(table, stopsShort ? cells.slice(0, -1) : cells), count)
      continue
    }
    const id = idOf(table, cells)
    if (id === null) {
      if (cells.every((cell) => cell.trim() === '')) continue
      refuse(row, null, `no value in the id column "${table.columns[table.idAt]}"`)
      continue
    }
    const first = lines.get(id)
    if (first !== undefined) refuse(row, id, `the id "${id}" is already on line ${first}`)
    else {
      lines.set(id, line)
      observations.push(observed(table, id, cells))
    }
  }
  return { observations, bad, unknown: bad.some(({ id }) => id === null), cut }
}
