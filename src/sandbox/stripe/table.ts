export type Row = { readonly id: string; readonly created: number }
export type Walk<T> = { keep: (row: T) => boolean; from: number; to: number }

/**
 * Rows in the order they were made, read newest first. Rows are never changed in place, so any
 * row handed out (to an event, to the search index) stays as it was.
 */
export class Table<T extends Row> {
  private readonly slots: (T | null)[] = []
  private readonly places = new Map<string, number>()
  private readonly indexes: Readonly<Record<string, Index<T>>>
  private inTimeOrder = true
  size = 0

  constructor(indexed: Readonly<Record<string, (row: T) => string | null>> = {}) {
    this.indexes = Object.fromEntries(
      Object.entries(indexed).map(([name, key]) => [name, { key, ids: new Map() }]),
    )
  }

  get(id: string): T | undefined {
    const place = this.places.get(id)
    return place === undefined ? undefined : (this.slots[place] ?? undefined)
  }

  put(row: T): T {
    const place = this.places.get(row.id)
    if (place === undefined) {
      const last = this.slots.at(-1)
      if (last && last.created > row.created) this.inTimeOrder = false
      this.places.set(row.id, this.slots.length)
      this.slots.push(row)
      this.size += 1
      this.reindex(null, row)
      return row
    }
    this.reindex(this.slots[place] ?? null, row)
    this.slots[place] = row
    return row
  }

  /** The place stays behind as a tombstone, so a page that ended here can still be continued. */
  remove(id: string): void {
    const place = this.places.get(id)
    if (place === undefined) return
    const row = this.slots[place] ?? null
    if (row === null) return
    this.reindex(row, null)
    this.slots[place] = null
    this.size -= 1
  }

  placeOf(id: string): number | undefined {
    return this.places.get(id)
  }

  idsBy(index: string, key: string): readonly string[] {
    return [...(this.indexes[index]?.ids.get(key) ?? [])]
  }

  *all(): Generator<T> {
    for (const row of this.slots) if (row) yield row
  }

  /** Older rows than `place` (exclusive), newest first. Costs the rows looked at, not the table. */
  older(place: number | null, walk: Walk<T>, max: number): T[] {
    const found: T[] = []
    let at = Math.min(place ?? this.slots.length, this.firstAfter(walk.to)) - 1
    for (; at >= 0 && found.length < max; at -= 1) {
      const row = this.slots[at]
      if (!row) continue
      if (this.inTimeOrder && row.created < walk.from) break
      if (row.created >= walk.from && row.created <= walk.to && walk.keep(row)) found.push(row)
    }
    return found
  }

  /** The rows just newer than `place` (exclusive), newest first. */
  newer(place: number, walk: Walk<T>, max: number): T[] {
    const found: T[] = []
    for (let at = place + 1; at < this.slots.length && found.length < max; at += 1) {
      const row = this.slots[at]
      if (!row) continue
      if (this.inTimeOrder && row.created > walk.to) break
      if (row.created >= walk.from && row.created <= walk.to && walk.keep(row)) found.push(row)
    }
    return found.reverse()
  }

  private firstAfter(second: number): number {
    if (!this.inTimeOrder || second === Number.POSITIVE_INFINITY) return this.slots.length
    let low = 0
    let high = this.slots.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.createdNear(middle, low) > second) high = middle
      else low = middle + 1
    }
    return low
  }

  // A tombstone has no time; the nearest older row's is as good for the search, since times never fall.
  private createdNear(place: number, floor: number): number {
    for (let at = place; at >= floor; at -= 1) {
      const row = this.slots[at]
      if (row) return row.created
    }
    return Number.NEGATIVE_INFINITY
  }

  private reindex(before: T | null, after: T | null): void {
    for (const { key, ids } of Object.values(this.indexes)) {
      const old = before && key(before)
      const now = after && key(after)
      const id = (after ?? before)?.id
      if (old === now || id === undefined) continue
      if (old !== null) ids.get(old)?.delete(id)
      if (now !== null) ids.set(now, (ids.get(now) ?? new Set<string>()).add(id))
    }
  }
}

type Index<T> = { key: (row: T) => string | null; ids: Map<string, Set<string>> }
