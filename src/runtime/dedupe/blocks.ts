import { compare } from '../../core/match/compare.ts'
import type { Agreement } from '../../core/match/attributes.ts'
import { parsedJson } from '../../core/json.ts'
import type { Prepared } from '../../core/match/prepare.ts'
import type { Scratch } from './scratch.ts'

/** A block of so many is compared all with all; in a larger one each with those that stand next to it. */
export const WHOLE_BLOCK = 50
export const NEIGHBOURS = 8
const CHUNK = 4_000
/** Records kept at hand between two chunks. */
const CACHED = 20_000

type Held = { readonly id: number; readonly prepared: Prepared; readonly keys: readonly string[] }

export type ComparedPair = {
  readonly key: string
  readonly a: Held
  readonly b: Held
  readonly agreement: Agreement
  /** Under the first of the keys that bring the two together. */
  readonly first: boolean
  /** They share crowded keys alone, and meet anew wherever they stand side by side. */
  readonly meetsAgain: boolean
}

export type Blocks = {
  readonly scratch: Scratch
  /** Keys of blocks above WHOLE_BLOCK. */
  readonly crowded: ReadonlySet<string>
  readonly stopping: AbortSignal
}

/** How many pairs blocks of these sizes give, each pair counted under every key it shares. */
export const pairsOf = (sizes: readonly { readonly size: number; readonly blocks: number }[]): number =>
  sizes.reduce(
    (sum, { size, blocks }) =>
      sum + blocks * (size <= WHOLE_BLOCK ? (size * (size - 1)) / 2 : size * NEIGHBOURS),
    0,
  )

/**
 * Goes over the pairs that share a key, block by block; `every` as in `holders`. With `again` false, a pair is visited
 * under its first key only; with true, once under each family of keys. Holds one chunk and the block at its seam in memory.
 */
export async function visitPairs(
  { scratch, crowded, stopping }: Blocks,
  every: number,
  again: boolean,
  visit: (pair: ComparedPair) => void,
  after: () => Promise<void> | undefined = () => undefined,
): Promise<void> {
  let cache = new Map<number, Held>()
  let key = ''
  let block: Held[] = []
  for await (const chunk of scratch.holders(every, CHUNK)) {
    stopping.throwIfAborted()
    if (cache.size > CACHED) cache = new Map()
    const missing = [...new Set(chunk.map(({ id }) => id))].filter((id) => !cache.has(id))
    for (const { id, payload } of await scratch.payloads(missing)) cache.set(id, heldOf(id, payload))
    for (const holder of chunk) {
      const held = cache.get(holder.id)
      if (held === undefined) throw new Error(`record ${holder.id} has keys but was not stored`)
      if (holder.key !== key) {
        key = holder.key
        block = []
      }
      const isCrowded = crowded.has(key)
      for (const other of block) visitPair(other, held, key, isCrowded, crowded, again, visit)
      block.push(held)
      if (isCrowded && block.length > NEIGHBOURS) block.shift()
    }
    await after()
  }
}

/** Up to so many records are compared all with all, whatever they share. */
const FEW = 300

/** Of few records, the pairs that share no key. */
export async function visitUnshared(
  { scratch }: Blocks,
  rows: number,
  visit: (pair: ComparedPair) => void,
): Promise<void> {
  if (rows > FEW) return
  const stored = await scratch.payloads(Array.from({ length: rows }, (_, at) => at + 1))
  const held = stored.map(({ id, payload }) => heldOf(id, payload)).toSorted((a, b) => a.id - b.id)
  for (const [at, b] of held.entries())
    for (const a of held.slice(0, at)) {
      if (a.keys.some((key) => b.keys.includes(key))) continue
      visit({ key: '', a, b, agreement: compare(a.prepared, b.prepared), first: true, meetsAgain: false })
    }
}

function visitPair(
  a: Held,
  b: Held,
  key: string,
  isCrowded: boolean,
  crowded: ReadonlySet<string>,
  again: boolean,
  visit: (pair: ComparedPair) => void,
): void {
  const shared = firstShared(a.keys, b.keys, crowded)
  const first = shared.key === key
  // In a crowded block two meet only where they stand side by side, so a pair that shares nothing but crowded keys is
  // compared wherever it meets.
  if (!first && !again && (shared.isWhole || !isCrowded)) return
  if (again && !first && metBefore(a.keys, b.keys, key, crowded)) return
  visit({ key, a, b, agreement: compare(a.prepared, b.prepared), first, meetsAgain: !shared.isWhole })
}

/** Whether two meet under an earlier key of the same family, too: a family judges a pair once. */
function metBefore(
  a: readonly string[],
  b: readonly string[],
  key: string,
  crowded: ReadonlySet<string>,
): boolean {
  const family = key.charAt(0)
  return a.some((one) => one.charAt(0) === family && one < key && !crowded.has(one) && b.includes(one))
}

/** The first key of both whose block is compared as a whole; failing that, the first of all. Keys are sorted. */
function firstShared(
  a: readonly string[],
  b: readonly string[],
  crowded: ReadonlySet<string>,
): { readonly key: string; readonly isWhole: boolean } {
  let first = ''
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [one = '', two = ''] = [a[i], b[j]]
    if (one === two) {
      if (!crowded.has(one)) return { key: one, isWhole: true }
      if (first === '') first = one
      i++
      j++
    } else if (one < two) i++
    else j++
  }
  return { key: first, isWhole: false }
}

export function heldOf(id: number, payload: string): Held {
  const parsed = parsedJson(payload)
  if (!isPayload(parsed)) throw new Error(`record ${id} was not stored whole`)
  return { id, prepared: parsed[0], keys: parsed[1] }
}
/** Written by `takeIn` a moment ago, in this process. */
const isPayload = (value: unknown): value is readonly [Prepared, readonly string[]] =>
  Array.isArray(value) && value.length === 2
