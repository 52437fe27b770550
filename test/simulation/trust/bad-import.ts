import type { Row } from '../csv-source.ts'
import { exportRows } from '../hub-steps.ts'
import type { Run } from '../run.ts'

/** Rows of contacts and deals as they were before a bad import, to be put right by. */
export type Rows = { readonly contacts: ReadonlyMap<string, Row>; readonly deals: ReadonlyMap<string, Row> }

export const copyOf = ({ ground: { source } }: Run): Rows => ({
  contacts: new Map([...source.rows.contacts].map(([id, row]) => [id, { ...row }])),
  deals: new Map([...source.rows.deals].map(([id, row]) => [id, { ...row }])),
})

/** An export in which columns have slipped: wrong values, blanks, and people whom nobody knows. */
export function spoil(run: Run): void {
  const { chance, oracle, ground } = run
  const { source } = ground
  const share = chance.pick([0.2, 0.5, 0.9])
  for (const [id, row] of source.rows.contacts) {
    if (!chance.maybe(share)) continue
    const change: Record<string, string> = {}
    for (const column of ['first_name', 'last_name', 'job_title', 'company', 'phone'] as const) {
      if (!chance.maybe(0.4)) continue
      const isBlank = chance.maybe(0.25) && column !== 'last_name'
      change[column] = isBlank ? '' : column === 'phone' ? oracle.phone() : oracle.fresh('Wrong')
    }
    if (Object.entries(change).some(([column, value]) => (row[column] ?? '') !== value))
      source.put('contacts', id, change)
  }
  // A currency that nobody knows is not read, whatever the amount.
  for (const [id, row] of source.rows.deals)
    if (row['stage'] !== 'Won' && row['currency'] !== 'XXQ' && chance.maybe(share))
      source.put('deals', id, { name: oracle.fresh('Wrong deal '), amount: `${chance.int(1, 900)}.25` })
  for (let left = chance.int(0, 3); left > 0; left--)
    source.put('contacts', oracle.fresh('w'), {
      email: run.addresses.fresh('nowhere.example'),
      first_name: 'Nobody',
      last_name: oracle.fresh('Wrong'),
      phone: '',
      job_title: oracle.fresh('Wrong'),
      company: '',
      company_domain: '',
      unsubscribed: '',
    })
  void exportRows(run)
}

/** The source is put right by hand: what it said before, where it still says what was wrong. */
export function putRight({ ground: { source } }: Run, rows: Rows, spoiled: Rows): void {
  for (const table of ['contacts', 'deals'] as const)
    for (const [id, row] of rows[table]) {
      const now = source.rows[table].get(id)
      const change = Object.fromEntries(
        Object.entries(row).filter(([column, value]) => {
          const bad = spoiled[table].get(id)?.[column]
          return bad !== value && now?.[column] === bad
        }),
      )
      if (now !== undefined && Object.keys(change).length > 0) source.put(table, id, change)
    }
}

/** Whether a cell still says what the bad import made of it. */
export const wrongIn =
  (rows: Rows, spoiled: Rows) =>
  (table: string, id: string, column: string, value: string): boolean => {
    if (table !== 'contacts' && table !== 'deals') return false
    return spoiled[table].get(id)?.[column] === value && rows[table].get(id)?.[column] !== value
  }

/** Rows that the import brought leave the source. */
export function dropStrangers({ ground: { source }, oracle }: Run, rows: Rows): number {
  const strangers = [...source.rows.contacts.keys()].filter((id) => !rows.contacts.has(id))
  for (const id of strangers) {
    source.remove('contacts', id)
    oracle.removed.add(`csv ${id}`)
  }
  return strangers.length
}
