import type { ItemIds } from './mint.ts'

export type Keyed = { readonly key: number; readonly ids: ItemIds }

/**
 * What a folder holds and how it came to that, in order: a round of delta reads only what changed since its token,
 * however much the folder holds.
 */
export class Feed<T extends Keyed> {
  readonly members = new Map<number, T>()
  /** The ids that what left had while it was here. */
  readonly gone = new Map<number, ItemIds>()
  /** Tokens of an earlier generation are forgotten. */
  generation = 0
  /** The same for links to further pages alone. */
  pageGeneration = 0
  seq = 0
  readonly #log: { readonly seq: number; readonly key: number }[] = []
  readonly #arrived = new Map<number, number>()

  /** `silently`: it is here, but no later round will say so. */
  join(item: T, silently = false): void {
    this.members.set(item.key, item)
    this.gone.delete(item.key)
    if (!silently) this.#arrived.set(item.key, this.#note(item.key))
  }

  change(item: T): void {
    this.#note(item.key)
  }

  /** Before the item's ids change. */
  leave(item: T): void {
    this.members.delete(item.key)
    this.#arrived.delete(item.key)
    this.gone.set(item.key, item.ids)
    this.#note(item.key)
  }

  isNewSince(key: number, seq: number): boolean {
    return (this.#arrived.get(key) ?? 0) > seq
  }

  /** Each once. */
  keysSince(seq: number): number[] {
    let low = 0
    let high = this.#log.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#log[middle]?.seq ?? 0) > seq) high = middle
      else low = middle + 1
    }
    return [...new Set(this.#log.slice(low).map(({ key }) => key))]
  }

  #note(key: number): number {
    this.seq += 1
    this.#log.push({ seq: this.seq, key })
    return this.seq
  }
}
