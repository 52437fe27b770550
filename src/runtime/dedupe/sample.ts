/**
 * Some of many values, at most `size` and at least half of it where there are so many. Which ones depends on what they
 * say, not on their order.
 */
export function openSample<T>(size: number): {
  readonly add: (value: T, text: string) => void
  readonly taken: () => readonly T[]
} {
  let most = 2 ** 32
  let held: { readonly value: T; readonly place: number }[] = []
  return {
    add(value, text) {
      const place = placeOf(text)
      if (place >= most) return
      held.push({ value, place })
      while (held.length > size && most > 1) {
        most /= 2
        held = held.filter((one) => one.place < most)
      }
    },
    taken: () => held.toSorted((a, b) => a.place - b.place).map(({ value }) => value),
  }
}

/** 32 bits of a text, evenly spread: FNV-1a and the finish of MurmurHash3. */
function placeOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
