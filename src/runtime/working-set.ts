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
  /** Records that came to one of the keys in this page. */
  newHolders(keys: readonly Key[]): readonly Candidate[]
  /** Whether a record that held this key still does after what this page has made of it. */
  holds(id: RecordId, key: Key): boolean
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
  const take = (id: RecordId, key: Key) => {
    const held = holders.get(name(key))
    if (held === undefined) holders.set(name(key), [{ id, key }])
    else if (!held.some((one) => one.id === id)) held.push({ id, key })
  }
  const holds = (id: RecordId, { kind, value }: Key): boolean => {
    const after = changes.get(id)?.after
    return (
      after === undefined ||
      keysOf(after.kind, after.fields).some((key) => key.kind === kind && key.value === value)
    )
  }
  return {
    holds,
    get: (id) => changes.get(id)?.after ?? known.get(id),
    read(records) {
      for (const record of records) known.set(record.id, record)
    },
    born(record, origin) {
      changes.set(record.id, { before: null, after: record, why: {}, origin, urgent: false })
      for (const key of keysOf(record.kind, record.fields)) take(record.id, key)
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
        through: { ...earlier?.through, ...Object.fromEntries(Object.keys(edits).map((f) => [f, origin])) },
        urgent: urgent || earlier?.urgent === true,
      })
      const had = new Set(keysOf(record.kind, record.fields).map(name))
      for (const key of keysOf(after.kind, after.fields)) if (!had.has(name(key))) take(id, key)
      return true
    },
    newHolders(keys) {
      return keys.flatMap((key) =>
        (holders.get(name(key)) ?? [])
          .filter(({ id }) => holds(id, key))
          .map(({ id }) => ({ id, key, fields: changes.get(id)?.after.fields ?? {} })),
      )
    },
    changes: () => [...changes.values()],
  }
}
