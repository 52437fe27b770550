/** What pages are taken of; an array is one. */
export type Span<T> = { readonly length: number; slice(from: number, to: number): readonly T[] }

/** The same from its end. */
export function backwards<T>(span: Span<T>): Span<T> {
  const { length } = span
  return {
    length,
    slice: (from, to) => span.slice(Math.max(length - to, 0), Math.max(length - from, 0)).toReversed(),
  }
}

/** A list that stays sorted, so that a page of 100,000 messages is a slice. Equal items keep to their own place by `tie`. */
export class Ordered<T> {
  readonly #items: T[] = []
  readonly #rank: (item: T) => number
  readonly #tie: (item: T) => number

  constructor(rank: (item: T) => number, tie: (item: T) => number) {
    this.#rank = rank
    this.#tie = tie
  }

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    this.#items.splice(this.#indexOf(item), 0, item)
  }

  /** Before what it is sorted by changes. */
  remove(item: T): void {
    const at = this.#indexOf(item)
    if (this.#items[at] === item) this.#items.splice(at, 1)
  }

  /** Lowest first. */
  all(): readonly T[] {
    return this.#items
  }

  /** Ranks from `least` on and below `before`, lowest first; a page of it costs no more where there is more of it. */
  between(least: number, before: number): Span<T> {
    const start = this.#place((item) => this.#rank(item) < least)
    const end = Math.max(
      start,
      this.#place((item) => this.#rank(item) < before),
    )
    return {
      length: end - start,
      slice: (from, to) => this.#items.slice(start + from, Math.min(start + to, end)),
    }
  }

  #indexOf(item: T): number {
    return this.#place((other) => this.#isBefore(other, item))
  }

  /** How many come first, of those that `isBefore` holds for. */
  #place(isBefore: (item: T) => boolean): number {
    let low = 0
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const item = this.#items[middle]
      if (item !== undefined && isBefore(item)) low = middle + 1
      else high = middle
    }
    return low
  }

  #isBefore(a: T, b: T): boolean {
    const difference = this.#rank(a) - this.#rank(b)
    return difference === 0 ? this.#tie(a) < this.#tie(b) : difference < 0
  }
}
