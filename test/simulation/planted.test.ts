import { expect, inject, test } from 'vitest'
import { withDatabase } from './database.ts'
import { PLANTS } from './plants.ts'
import type { Violation } from './run.ts'
import { simulate } from './simulate.ts'

/** Where the search for a seed that meets the bug begins; any change of a step moves the seeds. */
const MET_BY: Readonly<Record<string, number>> = {
  'dropped base': 1,
  'create sent again': 17,
  'echo taken for an edit': 2,
  'profile with a status': 22,
  'cursor before its page': 1,
  'labels of the first look': 1,
  'unmerge forgets a link': 1,
  'undo over a later edit': 11,
  'rejected and done': 3,
  'nobody remembered': 1,
}
const MOST_SEEDS = 40

test.each(Object.entries(MET_BY))(
  'a bug planted on purpose is caught: %s',
  async (name, from) => {
    const plant = PLANTS[name]
    if (plant === undefined) throw new Error(`no plant ${name}`)
    const isIt = ({ property, message }: Violation) =>
      plant.breaks.includes(property) && plant.says?.test(message) !== false
    let found: readonly Violation[] = []
    for (let seed = from; seed < from + MOST_SEEDS; seed++) {
      const database = `planted_${process.pid}_${seed}`
      const { violations } = await withDatabase(inject('testServer'), database, (url) =>
        simulate(seed, url, { plant, mail: plant.mail === true, trust: plant.acts !== undefined }),
      )
      found = violations.filter(isIt)
      if (found.length > 0) break
    }
    expect(found).not.toEqual([])
  },
  240_000,
)
