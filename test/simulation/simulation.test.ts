import { expect, inject, test } from 'vitest'
import { withDatabase } from './database.ts'
import { simulate, type Options, type Result } from './simulate.ts'
import { FAULT_KINDS, type FaultKind } from './weather.ts'

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1)
/** On a busy machine a seed may take some seconds. */
const PATIENCE_MS = 60_000
const fired = new Map<FaultKind, number>()

function run(seed: number, options: Options = {}): Promise<Result> {
  const name = `simulation_${process.pid}_${seed}`
  return withDatabase(inject('testServer'), name, (url) => simulate(seed, url, options))
}

test.each(SEEDS)(
  'seed %i: every property holds (npm run simulate -- --seed N tells what happened)',
  async (seed) => {
    const result = await run(seed)
    expect(result.violations).toEqual([])
    for (const [kind, count] of result.fired) fired.set(kind, (fired.get(kind) ?? 0) + count)
  },
  PATIENCE_MS,
)

test(
  'every kind of fault fired on the way, or does in the next seeds',
  async () => {
    const missing = () => FAULT_KINDS.filter((kind) => !fired.has(kind))
    for (let seed = SEEDS.length + 1; seed <= 60 && missing().length > 0; seed++)
      for (const kind of (await run(seed)).fired.keys()) fired.set(kind, 1)
    expect(missing()).toEqual([])
  },
  4 * PATIENCE_MS,
)

test(
  'the same seed makes the same run',
  async () => {
    const [one, two] = [await run(7), await run(7)]
    expect(two.digest).toBe(one.digest)
    expect((await run(8)).digest).not.toBe(one.digest)
  },
  PATIENCE_MS,
)

test(
  'workers that overlap at the database as they like break nothing',
  async () => {
    for (const seed of [101, 102, 103]) expect((await run(seed, { free: true })).violations).toEqual([])
  },
  PATIENCE_MS,
)
