/** Which records hang together (union-find): four bytes a record. */
export type Sets = {
  /** Ids are whole numbers from 1. */
  readonly join: (a: number, b: number) => void
  /** Root and member of every set of two or more. */
  readonly members: () => Generator<readonly [root: number, id: number]>
}

export function openSets(size: number): Sets {
  const parents = new Int32Array(size + 1)
  const rootOf = (id: number): number => {
    let at = id
    for (let up = parents[at] ?? 0; up > 0; up = parents[at] ?? 0) {
      const above = parents[up] ?? 0
      if (above > 0) parents[at] = above
      at = up
    }
    return at
  }
  return {
    join(a, b) {
      const [one, two] = [rootOf(a), rootOf(b)]
      if (one === two) return
      // The number of members, negative, stands at the root; 0 is one alone.
      const [small, large] = (parents[one] ?? 0) < (parents[two] ?? 0) ? [two, one] : [one, two]
      parents[large] = Math.min(-1, parents[large] ?? 0) + Math.min(-1, parents[small] ?? 0)
      parents[small] = large
    },
    *members() {
      for (let id = 1; id <= size; id++) if (parents[id] !== 0) yield [rootOf(id), id]
    },
  }
}
