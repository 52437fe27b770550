import { isList, same, type Json } from '../../core/json.ts'
import { CATALOG, type HubRecord, type RecordId, type Source } from '../../core/model.ts'
import { scrubbed, scrubberOf, type Patterns, type Scrub } from '../../core/privacy.ts'
import type { HubEdit } from '../../core/plan.ts'
import type { Query } from '../../store/database.ts'
import { addToScope, referrersAfter } from '../../store/erase-rows.ts'
import { keepUnsent } from '../../store/link-work.ts'
import { loadRecords } from '../../store/records.ts'
import type { Change, Following } from '../change.ts'
import { invoiceAnew } from '../rules.ts'

const CHUNK = 500
const RULE = 'a person was erased'
const KINDS = [
  ['deal', 'deals'],
  ['activity', 'activities'],
  ['invoice', 'invoices'],
] as const

/**
 * Takes the person out of the records that name them: deals and activities name nobody then, invoices the empty record,
 * as a ledger must keep together. What was not invoiced yet is not invoiced to nobody: it is withdrawn, and the inbox
 * asks who gets it. Texts lose the person's name, addresses and numbers.
 */
export async function leaveReferences(
  following: Following,
  records: readonly RecordId[],
  patterns: Patterns,
  by: Source,
): Promise<{ readonly counts: Readonly<Record<string, number>>; readonly woken: ReadonlySet<string> }> {
  const { q, apply } = following
  const scrub = scrubberOf(patterns)
  const woken = new Set<string>()
  const counts: Record<string, number> = {}
  for (const [kind, name] of KINDS) {
    for (let after = 0; ; ) {
      const ids = await referrersAfter(q, kind, records, after, CHUNK)
      const last = ids.at(-1)
      if (last === undefined) break
      await addToScope(q, ids)
      const found = await loadRecords(q, kind, ids, 'lock')
      const withdrawn = kind === 'invoice' ? await unsentOf(q, [...found.values()]) : NONE
      const changes = [...found.values()].flatMap(
        (record) => without(record, records, scrub, withdrawn.has(record.id)) ?? [],
      )
      for (const name of await apply(kind, changes, by)) woken.add(name)
      if (withdrawn.size > 0) {
        counts['unsentInvoices'] = (counts['unsentInvoices'] ?? 0) + withdrawn.size
        for (const name of await invoiceAnew(following, dealsOf(found, withdrawn))) woken.add(name)
      }
      counts[name] = (counts[name] ?? 0) + ids.length
      after = last
    }
  }
  return { counts, woken }
}

const NONE: ReadonlySet<RecordId> = new Set()

/** Invoices that were asked for, and that nobody has sent yet. */
async function unsentOf(q: Query, invoices: readonly HubRecord[]): Promise<ReadonlySet<RecordId>> {
  const requested = invoices.filter(({ archived, fields }) => !archived && fields['status'] === 'requested')
  return keepUnsent(
    q,
    requested.map(({ id }) => id),
  )
}

function dealsOf(
  invoices: ReadonlyMap<RecordId, HubRecord>,
  ids: ReadonlySet<RecordId>,
): readonly RecordId[] {
  return [...ids].flatMap((id) => {
    const deal = invoices.get(id)?.fields['deal']
    return typeof deal === 'number' ? [deal] : []
  })
}

/** Of activities that do not name the person, but whose text may. */
export async function scrubActivities(
  { q, apply }: Following,
  ids: readonly RecordId[],
  records: readonly RecordId[],
  patterns: Patterns,
  by: Source,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const scrub = scrubberOf(patterns)
  const found = await loadRecords(q, 'activity', ids, 'lock')
  const changes = [...found.values()].flatMap((record) => without(record, records, scrub) ?? [])
  return apply('activity', changes, by)
}

/** Whose word a text is stays: only the person was taken out of it. */
function without(
  record: HubRecord,
  people: readonly RecordId[],
  scrub: Scrub,
  isWithdrawn = false,
): Change | null {
  const why: Record<string, HubEdit> = {}
  const { contact } = record.fields
  if (record.kind !== 'invoice' && typeof contact === 'number' && people.includes(contact))
    why['contact'] = { value: null, rule: RULE }
  for (const [field, value] of Object.entries(record.fields)) {
    if (!isText(record, field, value)) continue
    const clean = scrubbed(value, scrub)
    if (!same(clean, value)) why[field] = { value: clean, rule: RULE }
  }
  const edits = Object.entries(why)
  if (edits.length === 0 && !isWithdrawn) return null
  const fields = {
    ...record.fields,
    ...Object.fromEntries(edits.map(([field, { value }]) => [field, value])),
  }
  const archived = record.archived || isWithdrawn
  if (isWithdrawn) why['archived'] = { value: true, rule: RULE }
  const after = { ...record, version: record.version + 1, fields, archived }
  return { before: record, after, why, origin: null, urgent: false }
}

/** What is chosen from a list or says where the record is names nobody. */
const FIXED = new Set(['pipeline', 'stage', 'status', 'paymentStatus', 'type', 'owner', 'item'])

function isText(record: HubRecord, field: string, value: Json): boolean {
  if (FIXED.has(field)) return false
  const type = CATALOG[record.kind][field]?.type
  return typeof value === 'string' ? type === undefined || type === 'text' : isList(value)
}
