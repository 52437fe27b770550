import { keepHub, type HarmfulChange } from '../core/guard.ts'
import { isEmpty, type JsonObject } from '../core/json.ts'
import type { FieldName, HubRecord, RecordId } from '../core/model.ts'
import { MERGED } from '../store/held.ts'
import type { Link } from '../store/links.ts'
import { blanks } from './change.ts'
import { addressesOf, consentOf } from './consent.ts'
import type { Arrival, PageWork } from './page.ts'
import { titleOf } from './title.ts'

/** What of a page is left out or turned round, because a person has refused it or has not decided yet. */
export type Sparing = {
  /** Objects that are left for a later pass. */
  readonly skipped: ReadonlySet<string>
  /** By object: fields that it has emptied, which the hub keeps and tells it again. */
  readonly kept: ReadonlyMap<string, readonly FieldName[]>
  /** Records that stay although their object is gone. */
  readonly staying: ReadonlySet<RecordId>
  /** Addresses that stay out. */
  readonly out: ReadonlySet<string>
  /** The refusals that are carried out so. */
  readonly refused: readonly HarmfulChange[]
}

export const NOTHING_SPARED: Sparing = {
  skipped: new Set(),
  kept: new Map(),
  staying: new Set(),
  out: new Set(),
  refused: [],
}

/** The page starts over with these left out. */
export class SparingError extends Error {
  readonly more: Sparing
  constructor(more: Sparing) {
    super('some changes of the page are held')
    this.more = more
  }
}

export function both(a: Sparing, b: Sparing): Sparing {
  const kept = new Map(a.kept)
  for (const [id, fields] of b.kept) kept.set(id, [...new Set([...(kept.get(id) ?? []), ...fields])])
  return {
    skipped: a.skipped.union(b.skipped),
    kept,
    staying: a.staying.union(b.staying),
    out: a.out.union(b.out),
    refused: [...a.refused, ...b.refused],
  }
}

/** How to write the page without these changes. */
export function sparing(
  page: PageWork,
  gone: readonly Link[],
  {
    rejected,
    withheld,
  }: { readonly rejected: readonly HarmfulChange[]; readonly withheld: readonly HarmfulChange[] },
): Sparing {
  const skipped = new Set<string>()
  const kept = new Map<string, readonly FieldName[]>()
  const staying = new Set<RecordId>()
  const out = new Set<string>()
  for (const change of withheld) for (const id of objectsOf(page, gone, change)) skipped.add(id)
  for (const change of rejected) {
    const { recordId, what } = change
    if (what === 'deletes') staying.add(recordId)
    else if (what === 'blanks')
      for (const id of objectsOf(page, gone, change)) kept.set(id, Object.keys(change.changes))
    else for (const address of addressesOf(page.set.get(recordId)?.fields ?? {})) out.add(address)
  }
  return { skipped, kept, staying, out, refused: rejected }
}

/** The objects through which a page comes to do something to a record. */
function objectsOf(
  page: PageWork,
  gone: readonly Link[],
  { recordId, what }: HarmfulChange,
): readonly string[] {
  // Whoever says something of an address says it of all who have it; only an opt-in comes about that way.
  const addresses = new Set(what === 'optIns' ? addressesOf(page.set.get(recordId)?.fields ?? {}) : [])
  return [
    ...page.planned
      .filter((p) => p.recordId === recordId || addresses.has(p.arrival.consent?.address ?? ''))
      .map((p) => p.arrival.seen.id),
    ...gone.flatMap((link) => (link.recordId === recordId ? (link.remoteId ?? []) : [])),
  ]
}

/** A link whose object has emptied what a person wants kept. */
export function keeping(page: PageWork, { seen }: Arrival, link: Link, { kept }: Sparing): Link {
  const fields = kept.get(seen.id)
  return fields === undefined ? link : { ...link, base: keepHub(page.lenses, link.base, seen.body, fields) }
}

/** What a page does that the guard counts. */
export function harmOf(
  page: PageWork,
  gone: readonly Link[],
  { staying }: Sparing,
): readonly HarmfulChange[] {
  const found: HarmfulChange[] = []
  const vanished = Map.groupBy(gone, (link) => link.recordId)
  for (const [recordId, links] of vanished)
    if (!staying.has(recordId)) found.push(removal(page, recordId, links))
  for (const { before, after, why } of page.set.changes()) {
    if (before === null) continue
    const one = {
      recordId: after.id,
      remoteId: remoteOf(page, after.id),
      title: titleOf(before),
    }
    if (blanks(before, why)) {
      const changes = emptiedFields(before, after)
      found.push({ ...one, what: 'blanks', changes, stamp: Object.keys(changes).toSorted().join(' ') })
    }
    if (consentOf(before.fields) === 'out' && consentOf(after.fields) === 'in')
      found.push({
        ...one,
        what: 'optIns',
        changes: { emailConsent: { before: 'out', after: 'in' } },
        stamp: '',
      })
  }
  return found
}

/**
 * What becomes of a record whose objects have vanished: one change, however many there were, as a merged record may have
 * several. Its stamp does not name them, so that a verdict fits although they vanish on different pages.
 */
function removal({ target, away, set }: PageWork, recordId: RecordId, links: readonly Link[]): HarmfulChange {
  const { deletes, record: kind } = target.stream
  const ids = links.map(({ remoteId }) => remoteId)
  const into = [...new Set(ids.map((id) => away.get(id ?? '')))]
  const merged = into.filter((id) => id !== undefined)
  const before = ids.length === 1 ? (ids[0] ?? null) : ids
  const isOnlyMerged = merged.length === into.length
  return {
    what: 'deletes',
    recordId,
    remoteId: ids[0] ?? null,
    title: titleOf(set.get(recordId) ?? { id: recordId, kind, fields: {} }),
    changes: {
      ...(merged.length === 0 ? {} : { [MERGED]: { before, after: merged.join(', ') } }),
      ...(isOnlyMerged
        ? {}
        : deletes === 'archive'
          ? { archived: { before: false, after: true } }
          : { linked: { before, after: null } }),
    },
    stamp: into
      .map((id) => (id === undefined ? 'gone' : `into ${id}`))
      .toSorted()
      .join(' '),
  }
}

function emptiedFields(before: HubRecord, after: HubRecord): JsonObject {
  return Object.fromEntries(
    Object.entries(before.fields)
      .filter(([field, value]) => !isEmpty(value) && isEmpty(after.fields[field]))
      .map(([field, value]) => [field, { before: value, after: null }]),
  )
}

const remoteOf = (page: PageWork, recordId: RecordId): string | null =>
  page.planned.find((p) => p.recordId === recordId)?.arrival.seen.id ?? null
