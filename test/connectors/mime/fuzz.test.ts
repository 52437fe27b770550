import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMail, UnreadableMail } from '../../../src/connectors/mime/parse.ts'
import { identityText } from '../../../src/core/mail/identity.ts'
import { DEFAULT_RULES } from '../../../src/core/mail/rules.ts'
import { sift } from '../../../src/core/mail/sift.ts'
import { domainFacts } from '../../../src/runtime/mail/domains.ts'
import { AT, seeds } from './seeds.ts'

const all = Object.values(seeds)

type Edit = { readonly at: number; readonly length: number; readonly value: number }
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const edit = fc.record({ at: place, length: fc.nat(200), value: fc.integer({ min: 0, max: 255 }) })

const MUTATIONS: readonly ((source: Uint8Array, edit: Edit, other: Uint8Array) => Uint8Array)[] = [
  // flip
  (source, { at, value }) => source.with(Math.floor(at * source.length), value),
  // truncate
  (source, { at }) => source.slice(0, Math.floor(at * source.length) + 1),
  // cut out
  (source, { at, length }) =>
    joined(source.slice(0, index(source, at)), source.slice(index(source, at) + length)),
  // duplicate
  (source, { at, length }) =>
    joined(source.slice(0, index(source, at) + length), source.slice(index(source, at))),
  // splice
  (source, { at }, other) => joined(source.slice(0, index(source, at)), other.slice(index(other, at))),
  // insert
  (source, { at, length, value }) =>
    joined(
      source.slice(0, index(source, at)),
      new Uint8Array(length).fill(value),
      source.slice(index(source, at)),
    ),
]
const index = (source: Uint8Array, at: number) => Math.floor(at * source.length)
const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

const mutated = fc
  .tuple(
    fc.constantFrom(...all),
    fc.array(fc.tuple(fc.constantFrom(...MUTATIONS), edit, fc.constantFrom(...all)), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map(([seed, edits]) =>
    edits.reduce(
      (source, [mutate, how, other]) => (source.length === 0 ? source : mutate(source, how, other)),
      seed,
    ),
  )

const outcomeOf = async (source: Uint8Array): Promise<string> => {
  try {
    const { message } = await parseMail(source, AT)
    const verdict = sift(
      { envelope: message.envelope, flags: [], labels: [] },
      { id: 'a', address: 'ann@ours.com', addresses: [] },
      DEFAULT_RULES,
      domainFacts,
    )
    const stored = JSON.stringify(message)
    expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/i)
    expect(identityText(message).length).toBeGreaterThan(3)
    return verdict.kind
  } catch (error) {
    if (error instanceof UnreadableMail) return 'unreadable'
    throw error
  }
}

test('no change to a message makes the parser fall over, hang, or let through what cannot be stored', async () => {
  const outcomes = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(mutated, async (source) => {
      const start = performance.now()
      const outcome = await outcomeOf(source)
      expect(performance.now() - start).toBeLessThan(5_000)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }),
    { numRuns: 1_500 },
  )
  // The mutations are neither harmless nor all fatal.
  expect(outcomes.get('pass') ?? 0).toBeGreaterThan(20)
  expect(outcomes.get('filter') ?? 0).toBeGreaterThan(20)
}, 120_000)

test('nor do bytes that never were a message', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (source) => {
      expect(await outcomeOf(source)).toMatch(/pass|filter|unreadable/)
    }),
    { numRuns: 500 },
  )
}, 60_000)
