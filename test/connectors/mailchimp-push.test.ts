import { describe, expect, test } from 'vitest'
import { assertKeepsConsent } from '../../src/connectors/mailchimp/profile.ts'
import {
  appliedBody,
  archive,
  bodyOf,
  consent,
  create,
  seenNow,
  send,
  update,
  world,
  type World,
} from './mailchimp.support.ts'

const ADA = 'ada@example.com'
const status = (w: World, email = ADA) => w.vendor.admin.member(email)?.status
const writesSent = (w: World) => w.sent.filter(({ method }) => method !== 'GET')

describe('a create', () => {
  test('subscribes only those who said yes', async () => {
    const w = world()
    const outcomes = await send(
      w,
      create('yes@example.com', {}, 'in'),
      create('unknown@example.com', {}, 'unknown'),
      create('pending@example.com', {}, 'pending'),
      create('out@example.com', {}, 'out'),
    )
    expect(outcomes.map((o) => appliedBody(o)['status'])).toEqual([
      'subscribed',
      'transactional',
      'transactional',
      'unsubscribed',
    ])
    expect(w.vendor.audience.confirmationMails).toEqual([])
    expect(writesSent(w).every(({ method, body }) => method === 'PUT' && !body.includes('"status"'))).toBe(
      true,
    )
  })

  test('does without required merge fields', async () => {
    const w = world()
    w.vendor.admin.requireMergeField('COMPANY')
    const [outcome] = await send(w, create(ADA, { merge_fields: { FNAME: 'Ada' } }))
    expect(appliedBody(outcome)).toMatchObject({ merge_fields: { FNAME: 'Ada' } })
  })

  test('sent again makes nothing new and writes nothing', async () => {
    const w = world()
    const write = create(ADA, { merge_fields: { FNAME: 'Ada' }, tags: ['customer'] }, 'in')
    const [first] = await send(w, write)
    const writes = writesSent(w).length
    const [second] = await send(w, write)
    expect(second).toEqual(first)
    expect(appliedBody(second)['tags']).toMatchObject([{ name: 'customer' }])
    expect(writesSent(w)).toHaveLength(writes)
  })

  test.each(['unsubscribed', 'cleaned', 'pending'] as const)(
    'leaves somebody who is %s as they are',
    async (before) => {
      const w = world()
      w.vendor.admin.seed([{ email: ADA, status: before }])
      const [outcome] = await send(w, create(ADA, { merge_fields: { FNAME: 'Ada' } }, 'in'))
      expect(appliedBody(outcome)['status']).toBe(before)
      expect(status(w)).toBe(before)
    },
  )

  test('brings the profile of somebody who is there already to what was to be created', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, mergeFields: { FNAME: 'Ada', COMPANY: 'Engines' } }])
    const [outcome] = await send(w, create(ADA, { merge_fields: { FNAME: 'Ada', LNAME: 'Byron' } }))
    const merged = { FNAME: 'Ada', LNAME: 'Byron', COMPANY: 'Engines' }
    expect(appliedBody(outcome)).toMatchObject({ status: 'subscribed', merge_fields: merged })
    expect(writesSent(w).map(({ body }) => body)).toEqual([
      JSON.stringify({ merge_fields: { LNAME: 'Byron' } }),
    ])
  })

  test('never brings back an archived person', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'archived' }])
    const [outcome] = await send(w, create(ADA, {}, 'in'))
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'archived', field: 'email_address' })
    expect(writesSent(w)).toEqual([])
    expect(status(w)).toBe('archived')
  })

  test('of a permanently deleted person is rejected, saying what can be done', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }])
    w.vendor.admin.deletePermanently(ADA)
    const [outcome] = await send(w, create(ADA, {}, 'in'))
    expect(outcome).toMatchObject({
      kind: 'rejected',
      code: 'Forgotten Email Not Subscribed',
      field: 'email_address',
      message: expect.stringContaining('sign-up form'),
    })
  })

  test('without an address, or with a bad one, names the field', async () => {
    const w = world()
    const { body: _, ...rest } = create(ADA)
    const outcomes = await send(w, { ...rest, body: { vip: true } }, create('not-an-address'), create(ADA))
    expect(outcomes).toMatchObject([
      { kind: 'rejected', field: 'email_address' },
      { kind: 'rejected', code: 'Invalid Resource', field: 'email_address' },
      { kind: 'applied' },
    ])
  })

  test('whose answer is lost is uncertain, and find tells', async () => {
    const w = world()
    const write = create(ADA, {}, 'in')
    w.vendor.faults.plan = ({ method }) => (method === 'PUT' ? { kind: 'timeout-after-commit' } : null)
    expect(await send(w, write)).toMatchObject([{ kind: 'uncertain' }])
    const found = await w.members.push?.find(w.io, [write, create('nobody@example.com')])
    expect(bodyOf(found?.[0])).toMatchObject({ email_address: ADA })
    expect(found?.[1]).toBeNull()
  })

  test.each(['html', 'truncated'] as const)('answered with a %s reply is uncertain', async (kind) => {
    const w = world()
    w.vendor.faults.plan = ({ method }) => (method === 'PUT' ? { kind } : null)
    expect(await send(w, create(ADA))).toMatchObject([{ kind: 'uncertain' }])
  })
})

describe('an update', () => {
  test('sends only what changes, and never a status', async () => {
    const w = world()
    w.vendor.admin.seed([
      { email: ADA, status: 'unsubscribed', mergeFields: { FNAME: 'Ada', LNAME: 'King' } },
    ])
    const patch = {
      status: 'subscribed',
      marketing_permissions: [{ marketing_permission_id: 'p', enabled: true }],
      merge_fields: { LNAME: 'Lovelace' },
    }
    const [outcome] = await send(w, await update(w, ADA, patch))
    const after = { status: 'unsubscribed', merge_fields: { FNAME: 'Ada', LNAME: 'Lovelace' } }
    expect(appliedBody(outcome)).toMatchObject(after)
    expect(writesSent(w)).toMatchObject([
      { method: 'PATCH', body: JSON.stringify({ merge_fields: { LNAME: 'Lovelace' } }) },
    ])
  })

  test('that would carry a status is a bug, and stops', () => {
    expect(() => assertKeepsConsent({ status: 'subscribed' })).toThrow('status')
  })

  test('clears with empty text, and writes an address whole', async () => {
    const w = world()
    const address = {
      addr1: '1 Main St',
      addr2: '',
      city: 'Berlin',
      state: 'BE',
      zip: '10115',
      country: 'DE',
    }
    w.vendor.admin.seed([{ email: ADA, mergeFields: { FNAME: 'Ada', ADDRESS: address } }])
    const patch = { merge_fields: { FNAME: null, ADDRESS: { city: 'Potsdam' } } }
    const [outcome] = await send(w, await update(w, ADA, patch))
    const whole = { ...address, city: 'Potsdam' }
    expect(writesSent(w)[0]?.body).toBe(JSON.stringify({ merge_fields: { FNAME: '', ADDRESS: whole } }))
    expect(appliedBody(outcome)).toMatchObject({ merge_fields: { ADDRESS: whole } })
  })

  test('of the address keeps the person, their status and the id', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'unsubscribed' }])
    const before = await seenNow(w, ADA)
    const write = await update(w, ADA, { email_address: 'ada@new.example.com' })
    const [outcome] = await send(w, write)
    expect(appliedBody(outcome)).toMatchObject({
      email_address: 'ada@new.example.com',
      status: 'unsubscribed',
    })
    expect(outcome).toMatchObject({ observation: { id: before.id } })
    expect(await send(w, write), 'sent again').toEqual([outcome])
  })

  test('to an address that is taken is rejected with the fix', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }, { email: 'taken@example.com' }])
    const [outcome] = await send(w, await update(w, ADA, { email_address: 'taken@example.com' }))
    expect(outcome).toMatchObject({
      kind: 'rejected',
      field: 'email_address',
      message: expect.stringMatching(/merge/i),
    })
  })

  test('adds and removes tags to the set it is given', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, tags: ['Old', 'Kept'] }])
    const [outcome] = await send(w, await update(w, ADA, { tags: ['kept', 'New'] }))
    expect(appliedBody(outcome)['tags']).toMatchObject([{ name: 'Kept' }, { name: 'New' }])
  })

  test('of somebody who bounced is rejected in words', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'cleaned' }])
    const [outcome] = await send(w, await update(w, ADA, { merge_fields: { FNAME: 'A' } }))
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'Member In Compliance State' })
  })

  test('with a bad value names the merge field; the others go on', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }, { email: 'bob@example.com' }])
    const outcomes = await send(
      w,
      await update(w, ADA, { merge_fields: { BIRTHDAY: '31/12' } }),
      await update(w, 'bob@example.com', { merge_fields: { BIRTHDAY: '12/31' } }),
    )
    expect(outcomes).toMatchObject([
      { kind: 'rejected', field: 'merge_fields.BIRTHDAY' },
      { kind: 'applied' },
    ])
  })

  test('of a field nobody may write is rejected rather than dropped', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }])
    const [outcome] = await send(w, await update(w, ADA, { last_changed: 'today' }))
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'not-writable', field: 'last_changed' })
  })

  test('of somebody deleted meanwhile is stale', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }])
    const write = await update(w, ADA, { vip: true })
    w.vendor.admin.deletePermanently(ADA)
    expect(await send(w, write)).toEqual([{ kind: 'stale' }])
  })
})

describe('consent', () => {
  test('opt-outs leave by themselves, before everything else', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }, { email: 'bob@example.com' }])
    const writes = [
      await update(w, 'bob@example.com', { vip: true }),
      create('new@example.com'),
      await consent(w, ADA, 'out'),
    ]
    const outcomes = await send(w, ...writes)
    expect(outcomes.map((o) => o.kind)).toEqual(['applied', 'applied', 'applied'])
    expect(status(w)).toBe('unsubscribed')
    expect(writesSent(w)[0]?.body).toBe(JSON.stringify({ status: 'unsubscribed' }))
  })

  test('an opt-out of somebody who bounced is done already', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'cleaned' }])
    expect(appliedBody((await send(w, await consent(w, ADA, 'out')))[0])['status']).toBe('cleaned')
  })

  test('an opt-out is kept for an archived person too', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'archived' }])
    expect(appliedBody((await send(w, await consent(w, ADA, 'out')))[0])['status']).toBe('unsubscribed')
  })

  test('an explicit opt-in is told where the vendor takes it', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'transactional' }])
    expect(appliedBody((await send(w, await consent(w, ADA, 'in')))[0])['status']).toBe('subscribed')
  })

  test('an opt-in is never forced, and nobody is mailed for it', async () => {
    const w = world()
    w.vendor.admin.seed([
      { email: ADA, status: 'unsubscribed' },
      { email: 'bounced@example.com', status: 'cleaned' },
      { email: 'archived@example.com', status: 'archived' },
    ])
    const outcomes = await send(
      w,
      await consent(w, ADA, 'in'),
      await consent(w, 'bounced@example.com', 'in'),
      await consent(w, 'archived@example.com', 'in'),
    )
    expect(outcomes).toMatchObject([
      { kind: 'rejected', code: 'Member In Compliance State' },
      { kind: 'rejected', code: 'cleaned' },
      { kind: 'rejected', code: 'archived' },
    ])
    expect([status(w), status(w, 'bounced@example.com'), status(w, 'archived@example.com')]).toEqual([
      'unsubscribed',
      'cleaned',
      'archived',
    ])
    expect(w.vendor.audience.confirmationMails).toEqual([])
  })
})

describe('archiving', () => {
  test('archives, and sent again finds it done', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }])
    const write = await archive(w, ADA)
    const [first] = await send(w, write)
    expect(appliedBody(first)['status']).toBe('archived')
    expect(await send(w, write)).toEqual([first])
  })

  test('of somebody who is gone is done', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA }])
    const write = await archive(w, ADA)
    w.vendor.admin.deletePermanently(ADA)
    expect(await send(w, write)).toMatchObject([{ kind: 'applied', observation: { kind: 'absent' } }])
  })

  test('of somebody who bounced is rejected', async () => {
    const w = world()
    w.vendor.admin.seed([{ email: ADA, status: 'cleaned' }])
    expect(await send(w, await archive(w, ADA))).toMatchObject([
      { kind: 'rejected', code: 'Method Not Allowed' },
    ])
  })
})

test('a refused key stops the whole send; a throttled write waits', async () => {
  const w = world()
  await expect(
    send({ ...w, io: { ...w.io, secrets: { apiKey: 'wrong-us1' } } }, create(ADA)),
  ).rejects.toMatchObject({
    failure: { kind: 'auth' },
  })
  w.vendor.faults.plan = () => ({ kind: 'status', status: 429, headers: { 'retry-after': '7' } })
  expect(await send(w, create(ADA))).toMatchObject([{ kind: 'retry', at: w.clock.now + 7000 }])
})
