import { isObject, parsedJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Fields, RecordId } from '../../core/model.ts'
import { tracesOf, type Traces } from '../../core/privacy.ts'
import type { Query } from '../../store/database.ts'
import { addressesOfOthers, addressesUsed, recognisedBefore } from '../../store/erase-rows.ts'
import { facetsOf } from '../../store/facets.ts'
import { loadRecords } from '../../store/records.ts'

const CHUNK = 500
const FIELDS = ['givenName', 'familyName', 'emails', 'phones'] as const

/** What a person is recognised by. */
export type Recognised = {
  /** Everything that was ever said of who they are. */
  readonly said: readonly Fields[]
  /** Every address they ever had. */
  readonly addresses: readonly string[]
  /** Without the addresses that others have now: mail and consent of those are the others'. */
  readonly traces: Traces
}

export async function recognise(q: Query, records: readonly RecordId[]): Promise<Recognised> {
  const said = await everSaid(q, records)
  const all = tracesOf(said)
  const others = await addressesOfOthers(q, records, all.emails)
  const emails = all.emails.filter((address) => !others.has(address))
  return { said, addresses: all.emails, traces: { ...all, emails } }
}

/** Now, by each member, and before. */
async function everSaid(q: Query, records: readonly RecordId[]): Promise<readonly Fields[]> {
  const now = await loadRecords(q, 'contact', records)
  const facets = await facetsOf(q, records)
  const said = new Map<string, Fields>()
  const add = (fields: Fields) => {
    const told = Object.fromEntries(FIELDS.map((field) => [field, fields[field] ?? null]))
    said.set(JSON.stringify(told), told)
  }
  for (const { fields } of [...now.values(), ...facets]) add(fields)
  for (let after = 0; ; ) {
    const page = await recognisedBefore(q, records, after, CHUNK)
    const last = page.at(-1)
    if (last === undefined) break
    for (const { changes } of page) for (const fields of valuesIn(changes)) add(fields)
    after = last.id
  }
  for (const address of await addressesUsed(q, records)) add({ emails: [address] })
  return [...said.values()]
}

/** The values that a row of the history tells of the fields that matter here. */
function valuesIn(changes: string): readonly Fields[] {
  const told = parsedJsonObject(changes)
  return FIELDS.flatMap((field): readonly Fields[] => {
    const change = told[field]
    if (change === undefined || change === null) return []
    if (!isObject(change)) return [{ [field]: change }]
    return said(change).map((value) => ({ [field]: value }))
  })
}

const said = ({ before, after, lost }: JsonObject): readonly Json[] =>
  [before, after, isObject(lost) ? lost['value'] : null].filter((value) => value !== undefined)
