import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import type { Policy } from '../../src/core/lens.ts'
import { planBirth, planCreation, rebase } from '../../src/core/plan.ts'
import { allEmails, name, oneEmail, plain, World, write, type Vendor } from './world.ts'

const text = fc.constantFrom<Json>(null, 'Ann', 'Alexandra the Great', 'bob')
const emails = fc.uniqueArray(fc.constantFrom('a@x.io', 'B@X.io', 'c@x.io'))
const fields = fc.record({ givenName: text, familyName: text, jobTitle: text, emails }, { requiredKeys: [] })
const vendor = fc.constantFrom<Vendor>('faithful', 'cuts', 'shouts', 'forgetsNull')
const policy = fc.constantFrom<Policy>({ kind: 'newest' }, { kind: 'ask' }, { kind: 'owner', source: 'crm' })
const lenses = (policy: Policy, one: boolean) => [
  name({ policy }),
  plain('jobTitle', { policy }),
  one ? oneEmail() : allEmails(),
]
const stated = (fields: Partial<Record<string, Json>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, Array.isArray(value) && value.length === 0 ? null : value]],
    ),
  )

test('what we created is met again in silence, however the vendor rewrote it', () => {
  fc.assert(
    fc.property(fields, vendor, policy, fc.boolean(), (fields, vendor, policy, one) => {
      const world = new World()
      world.editHub(stated(fields))
      const remote = world.add('crm', lenses(policy, one), {}, vendor, null)
      const { body, pushed } = planCreation(remote.lenses, world.hub.fields)
      write(remote, body)
      remote.base = rebase(remote.lenses, {}, pushed, world.hub.fields, remote.body)
      remote.modifiedAt = 9_999
      const plan = world.plan(remote)
      expect(plan).toMatchObject({ hub: {}, patch: null, asks: [] })
    }),
  )
})

test('what we pushed is met again in silence, and so is anything observed twice', () => {
  fc.assert(
    fc.property(fields, fields, vendor, policy, fc.boolean(), (first, then, vendor, policy, one) => {
      const world = new World()
      world.editHub(stated(first))
      const remote = world.add('crm', lenses(policy, one), {}, vendor)
      world.visit(remote)
      world.editHub(stated(then))
      world.visit(remote)
      remote.modifiedAt = 9_999
      const plan = world.plan(remote)
      expect(plan).toMatchObject({ hub: {}, patch: null, asks: [], overruled: [] })
      remote.base = plan.base
      expect(world.plan(remote)).toEqual(plan)
    }),
  )
})

test('a record born from a remote plans nothing when the remote is seen again', () => {
  fc.assert(
    fc.property(text, text, emails, (first, last, emails) => {
      const world = new World()
      const remote = world.add('crm', lenses({ kind: 'newest' }, false), { first, last, emails })
      const birth = planBirth(remote.lenses, remote)
      world.hub = { ...world.hub, fields: birth.fields }
      remote.base = birth.base
      expect(world.plan(remote)).toMatchObject({ hub: {}, patch: null, asks: [] })
    }),
  )
})

test('a set that the hub only knows more of overrules nobody', () => {
  const world = new World()
  world.editHub({ emails: ['a@x.io', 'b@x.io'] })
  const crm = world.add('crm', [allEmails()], { emails: ['a@x.io'] })
  const shop = world.add('shop', [oneEmail()], { email: 'a@x.io' })
  expect(world.plan(crm)).toMatchObject({ patch: { emails: ['a@x.io', 'b@x.io'] }, overruled: [] })
  expect(world.plan(shop)).toMatchObject({ patch: null, overruled: [], hub: {} })
})

test('a remote that says the same in its own words is not in conflict', () => {
  const tiers = plain('jobTitle', { policy: { kind: 'ask' } })
  const lens = { ...tiers, put: (value: Json) => ({ jobTitle: value === 'Boss' ? 'CEO' : value }) }
  const world = new World()
  const crm = world.add('crm', [lens], { jobTitle: 'CEO' })
  world.editHub({ jobTitle: 'Boss' })
  expect(world.plan(crm)).toMatchObject({ hub: {}, patch: null, asks: [] })
  world.settle()
  expect(world.hub.fields['jobTitle']).toBe('Boss')
})
