import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isList, isObject, type Json, type JsonObject } from '../../src/core/json.ts'
import type { Lens, Policy } from '../../src/core/lens.ts'
import { allEmails, name, oneEmail, plain, World } from './world.ts'

const SOURCES = ['crm', 'erp', 'mail', 'shop'] as const
const value = fc.constantFrom(null, 'Ann', 'Bob', 'Cy')
const held = fc.record({ jobTitle: value, first: value, last: value }, { requiredKeys: [] })
const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.constant<Policy>({ kind: 'newest' }),
  fc.constantFrom(...SOURCES).map<Policy>((source) => ({ kind: 'owner', source })),
  fc
    .shuffledSubarray([...SOURCES], { minLength: 4 })
    .map<Policy>((order) => ({ kind: 'prefer', order: ['user', ...order] })),
)
/** Equal times on purpose: a tie must not fall to whoever came first. */
const when = fc.integer({ min: 1, max: 3 })
const everyOrder = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })

const worldOf = (bodies: readonly JsonObject[], times: readonly number[], lenses: readonly Lens[]) => {
  const world = new World()
  bodies.forEach((body, i) => world.add(SOURCES[i] ?? '', lenses, body, 'faithful', times[i] ?? 0))
  return world
}
const withoutNulls = (json: Json): Json =>
  isObject(json)
    ? Object.fromEntries(
        Object.entries(json).flatMap(([key, value]) => (value === null ? [] : [[key, withoutNulls(value)]])),
      )
    : json
const inOrder = (world: World, order: readonly number[]) => {
  world.settle(order.flatMap((i) => world.remotes[i] ?? []))
  // A cleared key and one that was never there look alike from outside.
  return withoutNulls(world.state())
}
/** An owner that is empty leaves the field to whoever reaches it first: the promise is about owners that speak. */
const spoken = (bodies: readonly JsonObject[], policy: Policy): readonly JsonObject[] =>
  policy.kind !== 'owner'
    ? bodies
    : bodies.map((body, i) =>
        SOURCES[i] === policy.source ? { jobTitle: 'Owner', first: 'Olga', last: 'Own' } : body,
      )
const plainly = (held: Partial<Record<string, Json>>): JsonObject =>
  Object.fromEntries(
    Object.entries(held).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )

const four = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 4, maxLength: 4 })

test('a first match of four systems ends the same whichever is observed first', () => {
  fc.assert(
    fc.property(four(held), four(when), policy, everyOrder, (bodies, times, policy, order) => {
      const lenses = [plain('jobTitle', { policy }), name({ policy })]
      const one = inOrder(worldOf(spoken(bodies.map(plainly), policy), times, lenses), [0, 1, 2, 3])
      const other = inOrder(worldOf(spoken(bodies.map(plainly), policy), times, lenses), order)
      expect(other).toEqual(one)
    }),
    { numRuns: 2_000 },
  )
})

test('concurrent edits of an agreed field end the same whichever is observed first', () => {
  fc.assert(
    fc.property(
      four(value),
      four(when),
      policy,
      everyOrder,
      when,
      fc.boolean(),
      (edits, times, policy, order, at, hubToo) => {
        const run = (order: readonly number[]) => {
          const start = SOURCES.map(() => ({ jobTitle: 'agreed' }))
          const world = worldOf(start, [0, 0, 0, 0], [plain('jobTitle', { policy })])
          world.settle()
          if (hubToo && policy.kind !== 'owner') world.editHub({ jobTitle: 'Hub' }, 'user:ann', at)
          world.remotes.forEach((remote, i) =>
            world.editRemote(remote, { jobTitle: edits[i] ?? null }, times[i] ?? 0),
          )
          return inOrder(world, order)
        }
        expect(run(order)).toEqual(run([0, 1, 2, 3]))
      },
    ),
    { numRuns: 2_000 },
  )
})

const address = fc.constantFrom('a@x.io', 'b@x.io', 'c@x.io', 'd@x.io')
const addresses = fc.uniqueArray(address, { maxLength: 3 })
const sorted = (json: Json | undefined): Json =>
  isList(json) && json.length > 0 ? json.map(String).toSorted() : null

test('sets have the same members whichever is observed first; only the primary one may differ', () => {
  fc.assert(
    fc.property(four(addresses), four(addresses), everyOrder, (start, edits, order) => {
      const run = (order: readonly number[]) => {
        const world = new World()
        start.forEach((emails, i) => world.add(SOURCES[i] ?? '', [allEmails()], { emails }))
        const met = sorted(
          (world.settle(order.flatMap((i) => world.remotes[i] ?? [])), world.hub.fields['emails']),
        )
        world.remotes.forEach((remote, i) => world.editRemote(remote, { emails: edits[i] ?? [] }))
        world.settle(order.flatMap((i) => world.remotes[i] ?? []))
        return {
          met,
          edited: sorted(world.hub.fields['emails']),
          all: world.remotes.map((r) => sorted(r.body['emails'])),
        }
      }
      expect(run(order)).toEqual(run([0, 1, 2, 3]))
    }),
    { numRuns: 2_000 },
  )
})

test('a remote with room for one address brings it in and takes none of the others away', () => {
  fc.assert(
    fc.property(addresses, address, fc.boolean(), (all, one, reverse) => {
      const world = new World()
      world.add('crm', [allEmails()], { emails: all })
      world.add('mail', [oneEmail()], { email: one })
      world.settle(reverse ? [...world.remotes].reverse() : world.remotes)
      expect(sorted(world.hub.fields['emails'])).toEqual([...new Set([...all, one])].sort())
    }),
  )
})

test('what the preferred system says too is not overwritten by a lesser one', () => {
  const policy: Policy = { kind: 'prefer', order: ['erp', 'mail', 'crm'] }
  const world = worldOf(
    [{ jobTitle: 'CEO' }, { jobTitle: 'CEO' }, { jobTitle: 'Clerk' }],
    [1, 1, 1],
    [plain('jobTitle', { policy })],
  )
  expect(inOrder(world, [0, 1, 2])).toMatchObject({ hub: { jobTitle: 'CEO' } })
  expect(world.hub.provenance['jobTitle']?.source).toBe('erp')
})
