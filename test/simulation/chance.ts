import { seeded } from '../../src/sandbox/seeded.ts'

/** Every choice of a run comes from here: the same seed makes the same choices. */
export type Chance = {
  /** In [0, 1). */
  next(): number
  /** Both ends included. */
  int(min: number, max: number): number
  maybe(probability: number): boolean
  /** Throws where there is nothing to choose from. */
  pick<T>(items: readonly T[]): T
  /** One of the names, in proportion to its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K
  shuffled<T>(items: readonly T[]): readonly T[]
}

/** `stream` keeps apart who chooses, so that a hub that asks once more does not change what people do. */
export function openChance(seed: number, stream: string): Chance {
  let mixed = seed >>> 0
  for (const character of stream) mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x9e3779b1) >>> 0
  const next = seeded(mixed)
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    int,
    maybe: (probability) => next() < probability,
    pick(items) {
      const item = items[int(0, items.length - 1)]
      if (item === undefined) throw new Error('nothing to choose from')
      return item
    },
    weighted(weights) {
      const names = Object.keys(weights) as (keyof typeof weights)[]
      let at = next() * names.reduce((sum, name) => sum + weights[name], 0)
      for (const name of names) {
        at -= weights[name]
        if (at < 0) return name
      }
      throw new Error('weights must add up to more than nothing')
    },
    shuffled(items) {
      const left = [...items]
      return items.flatMap(() => left.splice(int(0, left.length - 1), 1))
    },
  }
}
