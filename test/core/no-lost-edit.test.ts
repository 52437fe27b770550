import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, type Sides } from '../../src/core/decide.ts'
import type { Json } from '../../src/core/json.ts'
import type { Policy } from '../../src/core/lens.ts'
import { answerAsk, planBirth } from '../../src/core/plan.ts'
import { allEmails, name, oneEmail, plain, World } from './world.ts'

const ask: Policy = { kind: 'ask' }
const crmOwns: Policy = { kind: 'owner', source: 'crm' }
const preferCrm: Policy = { kind: 'prefer', order: ['crm'] }

describe('an edit on one side', () => {
  const policy = fc.constantFrom<Policy>({ kind: 'newest' }, ask, preferCrm, {
    kind: 'prefer',
    order: ['user'],
  })
  const value = fc.constantFrom<Json>('CEO', 'Clerk', null)

  test('reaches every system that has the field', () => {
    fc.assert(
      fc.property(policy, value, fc.nat(3), fc.boolean(), (policy, value, who, loses) => {
        const world = new World()
        for (const source of ['crm', 'erp', 'mail'])
          world.add(source, [plain('jobTitle', { policy })], { jobTitle: 'CTO' })
        world.settle()
        const remote = world.remotes[who]
        if (remote === undefined) world.editHub({ jobTitle: value })
        else world.editRemote(remote, { jobTitle: value })
        for (const each of world.remotes) world.visit(each, loses)
        world.settle()
        expect(world.hub.fields['jobTitle']).toBe(value)
        for (const each of world.remotes) expect(each.body['jobTitle']).toBe(value)
      }),
    )
  })

  test('is told again when the push that carried a merged set was lost', () => {
    const world = new World()
    const crm = world.add('crm', [allEmails()], { emails: ['a@x.io'] })
    world.settle()
    world.editHub({ emails: ['a@x.io', 'hub@x.io'] })
    world.editRemote(crm, { emails: ['a@x.io', 'crm@x.io'] })
    world.visit(crm, true)
    world.settle()
    expect(crm.body['emails']).toEqual(['a@x.io', 'hub@x.io', 'crm@x.io'])
  })

  test('that makes another address the primary one survives', () => {
    const world = new World()
    const crm = world.add('crm', [allEmails()], { emails: ['a@x.io', 'b@x.io', 'c@x.io'] })
    world.settle()
    world.editRemote(crm, { emails: ['c@x.io', 'a@x.io', 'b@x.io'] })
    world.settle()
    expect(world.hub.fields['emails']).toEqual(['c@x.io', 'a@x.io', 'b@x.io'])
  })

  test('at a remote that cuts names short leaves the uncut part alone', () => {
    const world = new World()
    const shop = world.add('shop', [name()], {}, 'cuts')
    world.editHub({ givenName: 'Ann', familyName: 'Featherstonehaugh' })
    world.settle()
    expect(shop.body).toEqual({ first: 'Ann', last: 'Feathers' })
    world.editRemote(shop, { first: 'Anna' })
    world.settle()
    expect(world.hub.fields).toEqual({ givenName: 'Anna', familyName: 'Featherstonehaugh' })
  })

  test('on a field that only comes in survives a reading that leaves the field out', () => {
    const world = new World()
    const crm = world.add('crm', [plain('jobTitle', { direction: 'in' })], { jobTitle: 'CTO' })
    world.settle()
    world.editHub({ jobTitle: 'CEO' })
    crm.body = {}
    world.settle()
    crm.body = { jobTitle: 'CTO' }
    world.settle()
    expect(world.hub.fields['jobTitle']).toBe('CEO')
  })
})

describe('edits on both sides', () => {
  test('to different fields both survive', () => {
    const world = new World()
    const crm = world.add('crm', [plain('jobTitle'), name()], {
      jobTitle: 'CTO',
      first: 'Ann',
      last: 'Smith',
    })
    world.settle()
    world.editHub({ jobTitle: 'CEO' })
    world.editRemote(crm, { last: 'Jones' })
    world.settle()
    expect(world.state()).toEqual({
      hub: { jobTitle: 'CEO', givenName: 'Ann', familyName: 'Jones' },
      remotes: { crm: { jobTitle: 'CEO', first: 'Ann', last: 'Jones' } },
    })
  })

  test('to different fields of one lens both survive', () => {
    const world = new World()
    const crm = world.add('crm', [name({ policy: ask })], { first: 'Ann', last: 'Smith' })
    world.settle()
    world.editHub({ familyName: 'Jones' })
    world.editRemote(crm, { first: 'Anna' })
    world.visit(crm, true)
    world.settle()
    expect(world.state()).toEqual({
      hub: { givenName: 'Anna', familyName: 'Jones' },
      remotes: { crm: { first: 'Anna', last: 'Jones' } },
    })
  })

  test('go by the edit time of the field that was edited, not of its neighbour', () => {
    const world = new World()
    const crm = world.add('crm', [name()], { first: 'Ann', last: 'Smith' })
    world.settle()
    world.editHub({ familyName: 'Hub' }, 'user:ann', 2_000)
    world.editRemote(crm, { last: 'Remote' }, 1_500)
    world.settle()
    expect(world.hub.fields['familyName']).toBe('Hub')
  })

  test('to one field go by the policy, and the loser is told', () => {
    const world = new World()
    const crm = world.add('crm', [plain('jobTitle', { policy: preferCrm })], { jobTitle: 'CTO' })
    world.settle()
    world.editRemote(crm, { jobTitle: 'CEO' })
    world.editHub({ jobTitle: 'Clerk' })
    expect(world.plan(crm).hub['jobTitle']).toEqual({
      value: 'CEO',
      rule: 'crm is preferred to user:ann',
      lost: { source: 'user:ann', value: 'Clerk' },
    })
  })

  test('of a set add up under a preference too', () => {
    const world = new World()
    const crm = world.add('crm', [allEmails({ policy: preferCrm })], { emails: ['a@x.io', 'b@x.io'] })
    world.settle()
    world.editHub({ emails: ['a@x.io', 'b@x.io', 'hub@x.io'] })
    world.editRemote(crm, { emails: ['a@x.io', 'crm@x.io'] })
    world.settle()
    expect(world.hub.fields['emails']).toEqual(['a@x.io', 'crm@x.io', 'hub@x.io'])
  })

  test('wait for a person where the policy is to ask, and the answer is carried over', () => {
    const choices = fc.constantFrom<'hub' | 'remote'>('hub', 'remote')
    const setToo = fc.boolean()
    fc.assert(
      fc.property(choices, setToo, fc.nat(4), (chosen, set, visits) => {
        const world = new World()
        const lens = set ? allEmails({ policy: ask }) : plain('emails', { policy: ask })
        const crm = world.add('crm', [lens], { emails: ['a@x.io'] })
        world.settle()
        world.editHub({ emails: ['hub@x.io'] })
        world.editRemote(crm, { emails: ['crm@x.io'] })
        for (let i = 0; i < visits; i++) expect(world.visit(crm)).toBe(false)
        const [question] = world.plan(crm).asks
        expect(question).toMatchObject({ hub: ['hub@x.io'], remote: ['crm@x.io'], agreed: ['a@x.io'] })
        if (question === undefined) return
        crm.base = answerAsk(crm.base, question, chosen)
        world.settle()
        const kept = chosen === 'hub' ? ['hub@x.io'] : ['crm@x.io']
        expect(world.state()).toEqual({ hub: { emails: kept }, remotes: { crm: { emails: kept } } })
      }),
    )
  })
})

describe('the owner of a field', () => {
  const lens = plain('jobTitle', { policy: crmOwns })

  test('has the edits of everybody else put back, at remotes and in the hub', () => {
    const world = new World()
    const crm = world.add('crm', [lens], { jobTitle: 'CTO' })
    const erp = world.add('erp', [lens], {})
    world.settle()
    world.editRemote(erp, { jobTitle: 'Clerk' })
    world.settle()
    expect(erp.body['jobTitle']).toBe('CTO')
    world.editHub({ jobTitle: 'Clerk' })
    expect(world.plan(crm).hub['jobTitle']).toMatchObject({ rule: 'owned by crm', lost: { value: 'Clerk' } })
    world.settle()
    expect(world.hub.fields['jobTitle']).toBe('CTO')
  })

  test('that cuts texts short does not cut the hub when an edit is put back', () => {
    const world = new World()
    world.add('crm', [lens], {}, 'cuts')
    world.editHub({ jobTitle: 'Chief Technology Officer' })
    world.settle()
    world.editHub({ jobTitle: 'Clerk' })
    world.settle()
    expect(world.hub.fields['jobTitle']).toBe('Chief Technology Officer')
  })

  test('may be a class of sources', () => {
    const policy: Policy = { kind: 'owner', source: 'user' }
    const world = new World()
    const crm = world.add('crm', [plain('jobTitle', { policy })], { jobTitle: 'Clerk' })
    world.editHub({ jobTitle: 'CEO' }, 'user:ann')
    world.settle()
    expect(crm.body['jobTitle']).toBe('CEO')
  })

  test('leaves the field to the others while it is empty', () => {
    const world = new World()
    const crm = world.add('crm', [lens], { jobTitle: null })
    world.settle()
    world.add('erp', [lens], { jobTitle: 'CTO' })
    world.settle()
    expect([world.hub.fields['jobTitle'], crm.body['jobTitle']]).toEqual(['CTO', 'CTO'])
  })
})

describe('on a first match empty never overwrites a value', () => {
  const empty = fc.constantFrom<Json | undefined>(undefined, null, '', '  ', [], {})
  const sets = fc.boolean()
  const anyPolicy = fc.constantFrom<Policy>({ kind: 'newest' }, ask, preferCrm, crmOwns, { kind: 'union' })

  test('neither at the remote nor in the hub, whatever the policy', () => {
    fc.assert(
      fc.property(empty, anyPolicy, sets, fc.boolean(), (empty, policy, set, hubEmpty) => {
        const value: Json = set ? ['a@x.io'] : 'CEO'
        const sides: Sides = {
          hub: hubEmpty ? empty : value,
          remote: hubEmpty ? value : empty,
          base: undefined,
          hubSays: { source: 'user:ann', at: 9, rule: 'edited' },
          remoteSays: { source: 'crm', modifiedAt: 99 },
        }
        expect(decide(sides, policy, set)).toMatchObject({ kind: hubEmpty ? 'take' : 'push', value })
      }),
    )
  })

  test('field by field in a lens over several', () => {
    const world = new World()
    const crm = world.add('crm', [name({ policy: preferCrm })], { first: null, last: 'Smith' })
    world.editHub({ givenName: 'Ann', familyName: null })
    world.settle()
    expect(world.hub.fields).toEqual({ givenName: 'Ann', familyName: 'Smith' })
    expect(crm.body).toEqual({ first: 'Ann', last: 'Smith' })
  })

  test('by a lens that only writes, either', () => {
    for (const jobTitle of [undefined, null]) {
      const world = new World()
      if (jobTitle === null) world.editHub({ jobTitle })
      const erp = world.add('erp', [plain('jobTitle', { direction: 'out' })], { jobTitle: 'CEO' })
      world.settle()
      expect(erp.body['jobTitle']).toBe('CEO')
    }
  })
})

describe('absent, empty and cleared are three things', () => {
  test('a field that a reading leaves out is no clearing', () => {
    const world = new World()
    const crm = world.add('crm', [plain('jobTitle')], { jobTitle: 'CEO' })
    world.settle()
    crm.body = {}
    world.settle()
    expect(world.hub.fields['jobTitle']).toBe('CEO')
  })

  test('a field cleared after agreement is cleared everywhere', () => {
    const world = new World()
    const crm = world.add('crm', [plain('jobTitle')], { jobTitle: 'CEO' })
    const erp = world.add('erp', [plain('jobTitle')], {})
    world.settle()
    world.editRemote(crm, { jobTitle: '' })
    world.settle()
    expect([world.hub.fields['jobTitle'], erp.body['jobTitle']]).toEqual([null, null])
  })

  test('a record born from a remote has no word on what the remote leaves out', () => {
    const observed = { body: { jobTitle: '' }, modifiedAt: null }
    const { fields } = planBirth([plain('jobTitle'), plain('owner')], observed)
    expect(fields).toEqual({ jobTitle: null })
  })
})

test('swapping in a new primary address keeps its place at a remote with room for one', () => {
  const world = new World()
  world.add('crm', [allEmails()], { emails: ['a@x.io', 'b@x.io'] })
  const shop = world.add('shop', [oneEmail()], {})
  world.settle()
  world.editRemote(shop, { email: 'new@x.io' })
  world.settle()
  expect(world.hub.fields['emails']).toEqual(['new@x.io', 'b@x.io'])
})
