import { consentToSend } from '../../core/consent.ts'
import type { What } from '../../core/guard.ts'
import { isList, textsIn, type Json } from '../../core/json.ts'
import { read, type Lens } from '../../core/lens.ts'
import type { HubRecord, RecordId } from '../../core/model.ts'
import type { Refs, Stream } from '../../core/stream.ts'
import type { Push } from '../../connectors/connector.ts'
import type { Query } from '../../store/database.ts'
import { mergedRoots } from '../../store/facets.ts'
import type { Link } from '../../store/links.ts'
import { survivorsOf } from '../../store/merges.ts'
import { loadRecords } from '../../store/records.ts'
import { twinRows, type TwinRow } from '../../store/twins.ts'
import { addressesOf, consentOf, consentOver } from '../consent.ts'
import type { Target } from '../hub.ts'
import { planPush, type PushStep } from '../push-plan.ts'

/** What one link of a merged record is to the record's other ones in the same stream. */
export type Twin = {
  /** `spare`: stands for no object, and another one does already. `second`: another one is kept first. */
  readonly role: 'main' | 'second' | 'spare'
  readonly others: readonly TwinRow[]
  /** The stream archives what is second, and this one is archived already. */
  readonly isArchived: boolean
  /** Each address of the person says so by itself. */
  readonly mayOptIn: boolean
}
export type Twins = ReadonlyMap<number, Twin>

/** Links read before a merge are planned for the survivor. The records of the links, with those survivors'. */
export async function standing(
  q: Query,
  target: Target,
  links: readonly Link[],
  records: ReadonlyMap<RecordId, HubRecord>,
): Promise<{ readonly links: readonly Link[]; readonly records: ReadonlyMap<RecordId, HubRecord> }> {
  const archived = [...records.values()].filter((record) => record.archived).map((record) => record.id)
  const where = await survivorsOf(q, archived)
  if (where.size === 0) return { links, records }
  const survivors = await loadRecords(q, target.stream.record, [...where.values()])
  return {
    links: links.map((link) => ({ ...link, recordId: where.get(link.recordId) ?? link.recordId })),
    records: new Map([...records, ...survivors]),
  }
}

/** The links of merged records among these; others are left out. One query where nothing is merged. */
export async function twinsOf(
  q: Query,
  target: Target,
  links: readonly Link[],
  records: ReadonlyMap<RecordId, HubRecord>,
): Promise<Twins> {
  const kind = target.stream.record
  if (kind !== 'contact' && kind !== 'company') return new Map()
  const merged = await mergedRoots(
    q,
    links.map((link) => link.recordId),
  )
  if (merged.size === 0) return new Map()
  const byRecord = Map.groupBy(await twinRows(q, target.id, [...merged]), (row) => row.recordId)
  const willing = await optedIn(
    q,
    [...merged].flatMap((id) => records.get(id) ?? []),
  )
  return new Map(
    links.flatMap((link) => {
      const rows = byRecord.get(link.recordId)
      return rows === undefined ? [] : [[link.id, twinOf(link, rows, willing.has(link.recordId))] as const]
    }),
  )
}

const BOUND = new Set(['linked', 'creating'])

function twinOf(link: Link, rows: readonly TwinRow[], mayOptIn: boolean): Twin {
  const others = rows.filter((row) => row.id !== link.id)
  const order = rows.toSorted(
    (a, b) =>
      Number(BOUND.has(b.state)) - Number(BOUND.has(a.state)) ||
      Number(a.isMoved) - Number(b.isMoved) ||
      a.id - b.id,
  )
  const isFirst = order[0] === undefined || order[0].id === link.id
  const isArchived = rows.some((row) => row.id === link.id && row.isArchived)
  const role = isFirst ? 'main' : BOUND.has(link.state) ? 'second' : 'spare'
  return { role, others, isArchived, mayOptIn }
}

/**
 * The people each of whose addresses may be written to. Two people's records were taken for one, maybe wrongly: the
 * yes of one address is no yes of the other.
 */
async function optedIn(q: Query, records: readonly HubRecord[]): Promise<ReadonlySet<RecordId>> {
  const people = records.filter((record) => consentOf(record.fields) === 'in')
  const addresses = people.flatMap((record) =>
    addressesOf(record.fields).map((address) => ({ id: record.id, address })),
  )
  const states = await consentOver(
    q,
    addresses.map(({ address }) => [address]),
    [],
  )
  const unsure = new Set(addresses.filter((_, i) => states[i] !== 'in').map(({ id }) => id))
  return new Set(people.map((record) => record.id).filter((id) => !unsure.has(id)))
}

/** As `planPush`, for a link of a merged record; without a twin the same. */
export function planMerged(
  stream: Stream,
  push: Pick<Push, 'frozen' | 'isHandoff'>,
  link: Link,
  record: HubRecord,
  refs: Refs,
  key: string,
  forbidden: ReadonlySet<What>,
  twin: Twin | undefined,
): PushStep {
  if (twin === undefined) return planPush(stream, push, link, record, refs, key, forbidden)
  const settle: PushStep = { kind: 'settle', settlement: { id: link.id, wake: link.wake }, base: null }
  if (twin.role === 'spare')
    return { ...settle, settlement: { id: link.id, wake: link.wake, state: 'filtered' } }
  if (link.state === 'linked' && twin.role === 'second' && stream.merges === 'archive') {
    if (twin.isArchived) return settle
    const says = stream.consent
    const isOut = says !== null && consentToSend(consentOf(record.fields), link.consent, says.sends) === 'out'
    // Whoever has left is out before the object goes: if somebody brings it back, that must still be known there.
    if (!isOut) {
      const archived = { ...record, archived: true }
      return planPush({ ...stream, archives: 'archive' }, push, link, archived, refs, key, forbidden)
    }
  }
  const sharing: Stream = {
    ...stream,
    lenses: (answers) => stream.lenses(answers).map((lens) => shared(lens, twin.others)),
  }
  return planPush(sharing, push, link, tempered(record, twin), refs, key, forbidden)
}

/** What the hub knows of the merged person's consent is passed on as a yes only where each address said yes. */
function tempered(record: HubRecord, twin: Twin): HubRecord {
  if (twin.mayOptIn || consentOf(record.fields) !== 'in') return record
  return { ...record, fields: { ...record.fields, emailConsent: 'unknown' } }
}

/** Fields whose members belong to one object at a vendor: a second object with one of them is refused. */
const OWN_KEYS = new Set(['emails', 'domains'])

/** A lens that leaves to the other objects what they hold. */
function shared(lens: Lens, others: readonly TwinRow[]): Lens {
  if (!lens.set || lens.direction === 'in' || !OWN_KEYS.has(lens.fields[0] ?? '')) return lens
  const elsewhere = new Set(
    others.flatMap((row) => (row.observed === null ? [] : membersAt(lens, row.observed))),
  )
  if (elsewhere.size === 0) return lens
  return {
    ...lens,
    put(value, body) {
      if (!isList(value)) return lens.put(value, body)
      const mine = body === null ? [] : membersAt(lens, body)
      const wanted = value.filter(
        (item) => typeof item !== 'string' || mine.includes(item) || !elsewhere.has(item),
      )
      // An object keeps its last address: the vendor knows it by that.
      return wanted.length === 0 && mine.length > 0 ? {} : lens.put(wanted, body)
    },
  }
}

function membersAt(lens: Lens, body: Json): readonly string[] {
  const reading = read(lens, body)
  return reading.kind === 'value' ? textsIn(reading.value) : []
}
