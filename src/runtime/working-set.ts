import { keysOf, type Candidate, type Key } from '../core/identity.ts'
import type { HubRecord, RecordId, Source } from '../core/model.ts'
import type { HubEdit } from '../core/plan.ts'
import { edited, type Change } from './change.ts'

/** The records of one page while it is worked on: what they were, what they become, and who holds which key. */
export type WorkingSet = {
  get(id: RecordId): HubRecord | undefined
  /** Records that were read, not changed. */
  read(records: Iterable<HubRecord>): void
  born(record: HubRecord, origin: number): void
  /** Returns whether anything was different. `origin` is the link the edits came through. */
  edit(id: RecordId, edits: Readonly<Record<string, HubEdit>>, options: EditOptions): boolean
  /** Records made in this page that hold one of the keys. */
  newHolders(keys: readonly Key[]): readonly Candidate[]
  changes(): readonly Change[]
}
export type EditOptions = {
  readonly source: Source
  readonly at: number
  readonly origin: number | null
  readonly urgent?: boolean
  readonly archived?: boolean
}

export function openWorkingSet(): WorkingSet {
  const known = new Map<RecordId, HubRecord>()
  const changes = new Map<RecordId, Change>()
  const holders = new Map<string, { readonly id: RecordId; readonly key: Key }[]>()
  const name = (key: Key) => `${key.kind} ${key.value}`
  return {
    get: (id) => changes.get(id)?.after ?? known.get(id),
    read(records) {
      for (const record of records) known.set(record.id, record)
    },
    born(record, origin) {
      changes.set(record.id, { before: null, after: record, why: {}, origin, urgent: false })
      for (const key of keysOf(record.kind, record.fields)) {
        const held = holders.get(name(key))
        if (held === undefined) holders.set(name(key), [{ id: record.id, key }])
        else held.push({ id: record.id, key })
      }
    },
    edit(id, edits, { source, at, origin, urgent = false, archived }) {
      const earlier = changes.get(id)
      const record = earlier?.after ?? known.get(id)
      if (record === undefined) return false
      const after = edited(record, edits, source, at, archived === undefined ? {} : { archived })
      if (after === null) return false
      const before = earlier === undefined ? record : earlier.before
      changes.set(id, {
        before,
        // One version a transaction, however many edits it has.
        after: { ...after, version: before === null ? 1 : before.version + 1 },
        why: { ...earlier?.why, ...edits },
        origin: earlier === undefined || earlier.origin === origin ? origin : null,
        urgent: urgent || earlier?.urgent === true,
      })
      return true
    },
    newHolders(keys) {
      return keys.flatMap((key) =>
        (holders.get(name(key)) ?? []).map(({ id }) => ({
          id,
          key,
          fields: changes.get(id)?.after.fields ?? {},
        })),
      )
    },
    changes: () => [...changes.values()],
  }
}
