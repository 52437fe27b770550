import { expect, inject, test } from 'vitest'
import { withDatabase } from './database.ts'
import { PLANTS } from './plants.ts'
import { simulate } from './simulate.ts'

/** Seeds that meet each planted bug; `npm run simulate -- --plant NAME --seeds 40` finds others, and the rarer plants. */
const CAUGHT_BY: Readonly<Record<string, readonly number[]>> = {
  'dropped base': [1, 2],
  'profile with a status': [2],
}

test.each(Object.keys(CAUGHT_BY))(
  'a bug planted on purpose is caught: %s',
  async (name) => {
    const plant = PLANTS[name]
    expect(plant).toBeDefined()
    const broken: string[] = []
    for (const seed of CAUGHT_BY[name] ?? []) {
      const database = `planted_${process.pid}_${seed}`
      const { violations } = await withDatabase(inject('testServer'), database, (url) =>
        simulate(seed, url, { plant: plant ?? null }),
      )
      broken.push(...violations.map((violation) => violation.property))
      if (broken.length > 0) break
    }
    expect(broken).not.toEqual([])
  },
  90_000,
)
