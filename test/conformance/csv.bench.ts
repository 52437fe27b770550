import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { csv } from '../../src/connectors/csv/index.ts'
import type { Bench, ConsentStand, ResourceStand } from './bench.ts'

type Kind = {
  readonly columns: readonly string[]
  readonly text: string
  readonly edited: string
  readonly updated: string
  readonly cleared: string
}
const KINDS: Readonly<Record<string, Kind>> = {
  contacts: {
    columns: 'email first_name last_name phone job_title company company_domain unsubscribed'.split(' '),
    text: 'first_name',
    edited: 'job_title',
    updated: 'last_name',
    cleared: 'phone',
  },
  companies: {
    columns: 'name domain phone industry employees'.split(' '),
    text: 'name',
    edited: 'industry',
    updated: 'employees',
    cleared: 'phone',
  },
  deals: {
    columns: 'name pipeline stage amount currency close_date contact_email company_domain lines'.split(' '),
    text: 'name',
    edited: 'stage',
    updated: 'amount',
    cleared: 'close_date',
  },
}

const MERGED_INTO = 'merged_into'

/** A folder of exports is the vendor, a person with a spreadsheet the one who works there. */
export const csvBench: Bench = {
  name: 'csv',
  resources: Object.keys(KINDS),
  mapping: 'csv.yaml',
  async open() {
    const root = await mkdtemp(path.join(tmpdir(), 'concord-conformance-'))
    const [folder, out] = [path.join(root, 'in'), path.join(root, 'out')]
    await Promise.all([mkdir(folder), mkdir(out)])
    const settings = { folder, out, settleMs: 0, mergedIntoColumn: MERGED_INTO }
    return {
      connector: () => csv,
      secrets: {},
      settings,
      clock: { now: Date.now() },
      badSettings: [
        { field: 'folder', settings: { out } },
        { field: 'folder', settings: { folder: path.join(root, 'missing') } },
        { field: 'out', settings: { folder, out: folder } },
        { field: 'delimiter', settings: { folder, delimiter: 'tab' } },
        { field: 'encoding', settings: { folder, encoding: 'ebcdic' } },
        { field: 'idcolumn', settings: { folder, idcolumn: 'id' } },
      ],
      resources: Object.fromEntries(
        Object.entries(KINDS).map(([name, kind]) => [name, standFor(kind, name, folder, out)]),
      ),
      close: () => rm(root, { recursive: true, force: true }),
    }
  },
}

function standFor(kind: Kind, name: string, folder: string, out: string): ResourceStand {
  const rows = new Map<string, Record<string, string>>()
  const header = ['id', ...kind.columns, MERGED_INTO]
  let made = 0
  let edits = 0
  const save = async () => {
    const lines = [...rows].map(([id, row]) =>
      header.map((column) => (column === 'id' ? id : (row[column] ?? ''))),
    )
    const temporary = path.join(folder, `.${name}.tmp`)
    await writeFile(temporary, stringify([header, ...lines]))
    await rename(temporary, path.join(folder, `${name}.csv`))
  }
  const own = async (): Promise<Record<string, string>[]> => {
    const text = await readFile(path.join(out, `${name}.csv`), 'utf8').catch(() => 'id\r\n')
    return parse(text, { columns: true })
  }
  const body = (n: number) =>
    Object.fromEntries(
      kind.columns.map((column) => [column, column === 'unsubscribed' ? '' : `${column} ${n}`]),
    )
  const add = (row: Record<string, string>) => {
    const id = `row-${++made}`
    rows.set(id, row)
    return id
  }
  const consent: ConsentStand = {
    async optedOut() {
      const id = add({ ...body(made), unsubscribed: 'yes' })
      await save()
      return id
    },
    // What the source is to take over counts; else what it says.
    async state(id) {
      const row = (await own()).find((one) => one['id'] === id) ?? rows.get(id)
      return row?.['unsubscribed'] ? 'out' : 'unasked'
    },
    patch: { in: { unsubscribed: '' }, out: { unsubscribed: 'true' } },
  }
  return {
    pageMax: 2_000,
    threePages: 4_500,
    async seed(count) {
      const ids = Array.from({ length: count }, () => add(body(made)))
      await save()
      return ids
    },
    count: async () => rows.size + (await own()).length,
    edit: {
      path: kind.edited,
      // A row that only the hub has is taken over into the source, and shows in its next export.
      async act(id) {
        const row = rows.get(id) ?? (await own()).find((one) => one['id'] === id)
        if (row === undefined) throw new Error(`no row ${id}`)
        rows.set(id, { ...row, [kind.edited]: `edited ${++edits}` })
        await save()
      },
    },
    async remove(id) {
      rows.delete(id)
      await save()
    },
    async merge(from, into) {
      rows.set(from, { ...rows.get(from), [MERGED_INTO]: into })
      await save()
    },
    async plant(text) {
      const id = add({ ...body(made), [kind.text]: text })
      await save()
      return id
    },
    async expire() {
      rows.set('row-later', body(9))
      await save()
    },
    unknownIds: ['nobody', 'hub-99999', '../x', 'a?b#c'],
    push: {
      body,
      update: { path: kind.updated, patch: (n) => ({ [kind.updated]: `updated ${n}` }) },
      clear: { path: kind.cleared, patch: { [kind.cleared]: null } },
      text: {
        path: kind.text,
        body: (n, text) => ({ ...body(n), [kind.text]: text }),
        // A spreadsheet would run it: the apostrophe says that it is text.
        reads: (text) => (text.startsWith('=') ? `'${text}` : text),
      },
      bad: { body: { ...body(1), [kind.text]: 'x'.repeat(40_000) }, field: kind.text },
      conditional: false,
    },
    ...(kind.columns.includes('unsubscribed') ? { consent } : {}),
  }
}
