import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isEmpty, same, type Json, type JsonObject } from '../../src/core/json.ts'
import { hubValue, type Lens, type Policy } from '../../src/core/lens.ts'
import { allEmails, name, oneEmail, plain, World, write, type Remote, type Vendor } from './world.ts'

const text = fc.constantFrom(null, 'Ann', 'Alexandra the Great', 'Alexandra the Small', 'bob', 'Bob')
const address = fc.constantFrom('a@x.io', 'b@x.io', 'c@x.io', 'd@x.io')
const addresses = fc.uniqueArray(address, { maxLength: 3 }).map((list) => (list.length === 0 ? null : list))
const sources = ['crm', 'erp', 'mail', 'shop'] as const

const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.constant<Policy>({ kind: 'newest' }),
  fc.constant<Policy>({ kind: 'ask' }),
  fc.constantFrom(...sources).map<Policy>((source) => ({ kind: 'owner', source })),
  fc.shuffledSubarray(['user', ...sources]).map<Policy>((order) => ({ kind: 'prefer', order })),
)
const setPolicy: fc.Arbitrary<Policy> = fc.constantFrom<Policy>(
  { kind: 'union' },
  { kind: 'newest' },
  { kind: 'ask' },
)
const vendor = fc.constantFrom<Vendor>('faithful', 'cuts', 'shouts', 'forgetsNull')
const shape = fc.record({
  vendor,
  title: fc.constantFrom<Lens['direction'] | 'none'>('both', 'both', 'in', 'out', 'none'),
  name: fc.boolean(),
  emails: fc.constantFrom('all', 'one', 'none'),
  timed: fc.boolean(),
})
const values = fc.record(
  { first: text, last: text, jobTitle: text, emails: addresses, email: fc.option(address) },
  { requiredKeys: [] },
)
type Values = Partial<Record<'first' | 'last' | 'jobTitle' | 'emails' | 'email', Json>>
const step = fc.record({
  who: fc.integer({ min: 0, max: 4 }),
  does: fc.constantFrom('edit', 'edit', 'edit', 'sync', 'lose'),
  values,
})

type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never
const lensesOf = (s: Shape, policies: { readonly text: Policy; readonly set: Policy }): readonly Lens[] => [
  ...(s.name ? [name({ policy: policies.text })] : []),
  ...(s.title === 'none' ? [] : [plain('jobTitle', { policy: policies.text, direction: s.title })]),
  ...(s.emails === 'all' ? [allEmails({ policy: policies.set })] : []),
  ...(s.emails === 'one' ? [oneEmail({ policy: policies.set })] : []),
]

/** Only what the remote has room for: emails are not given to remotes as arbitrary keys. */
const bodyOf = (v: Values): JsonObject => ({ ...v })
const hubFields = (v: Values): JsonObject => ({
  ...(v.first === undefined ? {} : { givenName: v.first }),
  ...(v.last === undefined ? {} : { familyName: v.last }),
  ...(v.jobTitle === undefined ? {} : { jobTitle: v.jobTitle }),
  ...(v.emails === undefined ? {} : { emails: v.emails }),
})

const scenario = fc.record({
  shapes: fc.array(shape, { minLength: 2, maxLength: 4 }),
  start: fc.array(values, { minLength: 4, maxLength: 4 }),
  text: policy,
  set: setPolicy,
  steps: fc.array(step, { maxLength: 12 }),
})

/** What the remote would hold if it were told the hub's value now is what it holds already. */
function agrees(world: World, remote: Remote, lens: Lens): boolean {
  const value = hubValue(lens, world.hub.fields)
  const told: Remote = { ...remote }
  write(told, lens.put(value ?? null, remote.body))
  const [then, now] = [world.sees(told, lens), world.sees(remote, lens)]
  // A remote that leaves a key out says nothing about it; a lens that knows better reads it as null.
  return now === undefined || same(then, now) || (isEmpty(then) && isEmpty(now))
}

test('whatever is edited where, with pushes lost on the way, all grow quiet and agree', () => {
  fc.assert(
    fc.property(scenario, ({ shapes, start, text, set, steps }) => {
      const world = new World()
      shapes.forEach((s, i) => {
        const modifiedAt = s.timed ? 900 + i : null
        world.add(
          sources[i] ?? 'crm',
          lensesOf(s, { text, set }),
          bodyOf(start[i] ?? {}),
          s.vendor,
          modifiedAt,
        )
      })
      for (const { who, does, values } of steps) {
        const remote = world.remotes[who]
        if (remote === undefined) world.editHub(hubFields(values))
        else if (does === 'edit')
          world.editRemote(remote, bodyOf(values), remote.modifiedAt === null ? null : ++world.clock)
        else world.visit(remote, does === 'lose')
      }
      world.settle()

      const before = world.writes
      for (const remote of world.remotes) {
        const plan = world.plan(remote)
        expect(plan.hub).toEqual({})
        expect(plan.patch).toBeNull()
        for (const lens of remote.lenses) {
          const asked = plan.asks.some((ask) => ask.lens === lens.key)
          const unsaid = isEmpty(hubValue(lens, world.hub.fields))
          if (asked || lens.direction === 'in' || (lens.direction === 'out' && unsaid)) continue
          expect(agrees(world, remote, lens), `${remote.source} ${lens.key}`).toBe(true)
        }
      }
      world.settle([...world.remotes].reverse())
      expect(world.writes).toBe(before)
    }),
    { numRuns: 2_000 },
  )
})
