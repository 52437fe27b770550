export type Bitmap = { add(id: number): void; has(id: number): boolean }

/** A set of link ids at one bit each: the only thing a sweep remembers of every object (12.5 kB for 100,000). */
export function openBitmap(): Bitmap {
  let words = new Uint32Array(1024)
  return {
    add(id) {
      const at = id >>> 5
      if (at >= words.length) {
        const larger = new Uint32Array(Math.max(words.length * 2, at + 1))
        larger.set(words)
        words = larger
      }
      words[at] = (words[at] ?? 0) | (1 << (id & 31))
    },
    has: (id) => ((words[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0,
  }
}
