import type { RecordId } from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import { listMerges, survivorsOf, type Merge } from '../../store/merges.ts'
import type { Hub } from '../hub.ts'

export type ListedMerge = Merge

/** A page of what was merged, undone ones too, latest first. `next` is the `before` of the following page. */
export async function mergesAfter(
  hub: Hub,
  filter: {
    readonly kind?: MergedKind
    readonly record?: RecordId
    readonly before?: number
    readonly limit: number
  },
): Promise<{ readonly items: readonly ListedMerge[]; readonly next: number | null }> {
  const found = await listMerges(hub.session.q, { ...filter, limit: filter.limit + 1 })
  const items = found.slice(0, filter.limit)
  return { items, next: found.length > filter.limit ? (items.at(-1)?.id ?? null) : null }
}

/** The record that a merged one is part of now; null where it is one by itself. */
export async function mergedInto(hub: Hub, id: RecordId): Promise<RecordId | null> {
  return (await survivorsOf(hub.session.q, [id])).get(id) ?? null
}
