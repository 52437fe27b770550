import { same, type Json } from '../../../src/core/json.ts'
import type { HubRecord, RecordKind } from '../../../src/core/model.ts'
import { CATALOG, fieldType, isSet } from '../../../src/core/model.ts'
import { loadRecords } from '../../../src/store/records.ts'
import { TABLES } from '../csv-source.ts'
import type { Run } from '../run.ts'

/** What stands where, in the hub and at the systems: `contact 5 jobTitle` is `"CTO"`. Without times and versions. */
export type Snapshot = ReadonlyMap<string, string>

const KINDS = ['contact', 'company', 'deal', 'invoice'] as const satisfies readonly RecordKind[]

/** Everything that merges and undoes may touch, and are to give back. */
export async function snapshot(run: Run): Promise<Snapshot> {
  const places = new Map<string, string>()
  for (const kind of KINDS) await recordsInto(places, run, kind)
  await keysInto(places, run)
  systemsInto(places, run)
  return places
}

async function recordsInto(places: Map<string, string>, { ground }: Run, kind: RecordKind): Promise<void> {
  const table = kind === 'company' ? 'companies' : `${kind}s`
  const ids = await ground.sql.unsafe<{ id: number }[]>(`select id from ${table} order by id`)
  const records = await loadRecords(
    ground.sql,
    kind,
    ids.map(({ id }) => id),
  )
  for (const record of records.values()) {
    const name = `${kind} ${record.id}`
    places.set(`${name} archived`, String(record.archived))
    // What an archived record says counts for nothing until it comes back.
    if (record.archived) continue
    for (const [field, value] of Object.entries(record.fields)) {
      places.set(`${name} ${field}`, textOf(kind, field, value))
      if (kind !== 'invoice') places.set(`${name} ${field} says`, saysOf(record, field))
    }
  }
}

/** Empty is empty, however it is written; of sets, all but the first member have no order of their own. */
function textOf(kind: RecordKind, field: string, value: Json): string {
  if (field === 'emailConsent' && value === 'unknown') return 'nothing'
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return 'nothing'
  if (!Array.isArray(value) || !isSet(fieldType(kind, field))) return JSON.stringify(value)
  const [first, ...rest] = value
  return JSON.stringify([
    first,
    ...rest.map((member) => JSON.stringify(member)).toSorted((a, b) => a.localeCompare(b)),
  ])
}

function saysOf({ kind, fields, provenance }: HubRecord, field: string): string {
  const empty = fields[field] === null || same(fields[field], [])
  // Whose word it was that nothing is known follows from the rest, as all that the hub works out does.
  if (empty || CATALOG[kind][field]?.derived === true) return 'nobody'
  return (provenance[field] ?? provenance['*'])?.source ?? 'nobody'
}

async function keysInto(places: Map<string, string>, { ground: { sql } }: Run): Promise<void> {
  const keys = await sql<{ kind: string; key: string; owners: string }[]>`
    select kind, key, string_agg(record_id::text, ',' order by record_id) as owners from identities group by kind, key`
  for (const { kind, key, owners } of keys) places.set(`key ${kind} ${key}`, owners)
  const links = await sql<{ ref: string; record: number; state: string }[]>`
    select s.connection || '/' || s.name || ' ' || l.remote_id as ref, l.record_id as record, l.state
    from links l join streams s on s.id = l.stream_id where l.remote_id is not null`
  for (const { ref, record, state } of links) places.set(`link ${ref}`, `${record} ${state}`)
  const messages = await sql<{ id: number; address: string; contact: number | null }[]>`
    select message_id as id, address, contact_id as contact from message_participants`
  for (const { id, address, contact } of messages) places.set(`message ${id} ${address}`, String(contact))
  const activities = await sql<{ id: number; contact: number | null }[]>`
    select id, contact_id as contact from activities where archived_at is null`
  for (const { id, contact } of activities) places.set(`activity ${id}`, String(contact))
  const facets = await sql<
    { id: number; root: number }[]
  >`select record_id as id, root_id as root from facets`
  for (const { id, root } of facets) places.set(`facet ${id}`, String(root))
}

function systemsInto(places: Map<string, string>, { ground }: Run): void {
  const put = (place: string, value: unknown) =>
    places.set(
      place,
      value === null || value === undefined || value === '' ? 'nothing' : JSON.stringify(value),
    )
  for (const { contactId, email, status, mergeFields } of ground.mailchimp.admin.members()) {
    const name = `mailchimp ${contactId}`
    put(`${name} email`, email.toLowerCase())
    put(`${name} status`, status)
    for (const [tag, value] of mergeFields) put(`${name} ${tag}`, value)
  }
  for (const { id, email, name, phone, metadata } of ground.stripe.admin.customers()) {
    put(`stripe ${id} email`, email?.toLowerCase())
    put(`stripe ${id} name`, name)
    put(`stripe ${id} phone`, phone)
    for (const [key, value] of Object.entries(metadata)) put(`stripe ${id} ${key}`, value)
  }
  for (const invoice of ground.stripe.admin.invoices())
    put(`stripe invoice ${String(invoice['id'])}`, [invoice['status'], invoice['total'], invoice['customer']])
  for (const table of TABLES)
    for (const [id, row] of ground.source.rows[table])
      for (const [column, value] of Object.entries(row)) {
        // A person goes by several addresses, and a company by several domains: whoever is meant is meant.
        const kind = NAMING[`${table} ${column}`]
        const meant = kind === undefined ? undefined : places.get(`key ${kind} ${value.toLowerCase()}`)
        if (kind === undefined) put(`csv ${table} ${id} ${column}`, value)
        else places.set(`csv ${table} ${id} ${column}`, meant ?? 'nobody known')
      }
}

const NAMING: Readonly<Record<string, 'email' | 'domain'>> = {
  'deals contact_email': 'email',
  'deals company_domain': 'domain',
  'contacts company_domain': 'domain',
}

export type Difference = { readonly place: string; readonly was: string; readonly is: string }

export function differences(before: Snapshot, after: Snapshot): readonly Difference[] {
  // An invoice that waited for its customer may find one meanwhile; what was issued is issued.
  const waited = [...before].some(([place, is]) => /^invoice \d+ status$/.test(place) && is === '"requested"')
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((place) => {
    const [was, is] = [before.get(place) ?? 'nothing', after.get(place) ?? 'nothing']
    const isSame = was === is || was === 'nobody known' || (PHONE.test(place) && areOfOne(after, was, is))
    const isIssued =
      waited && /^(invoice |deal \d+ paymentStatus|link stripe\/invoices|stripe invoice)/.test(place)
    return isSame || isIssued ? [] : [{ place, was, is }]
  })
}

const PHONE = /^(mailchimp|stripe|csv) .* phone$/i
/** A system has room for one of a person's numbers: any of them will do. */
function areOfOne(after: Snapshot, one: string, other: string): boolean {
  const owners = (text: string) => after.get(`key phone ${text.replaceAll('"', '')}`)?.split(',') ?? []
  return owners(one).some((id) => owners(other).includes(id))
}

export const inWords = ({ place, was, is }: Difference): string => `${place} was ${was} and is ${is}`

/** Of each contact. */
export async function consents({ ground }: Run): Promise<ReadonlyMap<number, string>> {
  const found = await ground.sql<{ id: number; consent: string | null }[]>`
    select id, email_consent as consent from contacts where archived_at is null`
  return new Map(found.map(({ id, consent }) => [id, consent ?? 'unknown']))
}
