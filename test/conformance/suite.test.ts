import { describe, expect, it } from 'vitest'
import { attempt, CHECKS } from './suite.ts'
import { toyBench } from './toy/bench.ts'
import { WRECKED_OUTCOMES } from './toy/wrecked-outcomes.ts'
import { WRECKED_READING } from './toy/wrecked-reading.ts'
import { WRECKED_REPLIES } from './toy/wrecked-replies.ts'
import { WRECKED_WRITING } from './toy/wrecked-writing.ts'

const SABOTAGES = [...WRECKED_READING, ...WRECKED_WRITING, ...WRECKED_OUTCOMES, ...WRECKED_REPLIES]

/** Without a part for them in the toy; the shipped connectors have one. */
const NOT_IN_THE_TOY: ReadonlySet<string> = new Set([
  'discover lists every field that the shipped mapping uses',
  'a create never opts anybody in again',
  'the handshake is answered as the vendor wants it',
])

describe('the suite finds', () => {
  it.each(SABOTAGES)('%s: %s', { timeout: 60_000 }, async (_, name, sabotage) => {
    const check = CHECKS.find((one) => one.name === name)
    if (check === undefined) throw new Error(`There is no check "${name}"`)
    const verdict = await attempt(check, toyBench(sabotage), 'people')
    expect(verdict.kind).toBe('broken')
    expect(verdict.kind === 'broken' && verdict.message).toMatch(/^rolodex\.people: [^]+\nThe contract: ./)
  })

  it('something with every check', () => {
    const names = CHECKS.map(({ name }) => name)
    const fooled = new Set([...SABOTAGES.map(([, check]) => check), ...NOT_IN_THE_TOY])
    expect(names.filter((name) => !fooled.has(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  })
})
