import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord } from '../../src/runtime/edit.ts'
import { eraseRecord, type Erased } from '../../src/runtime/privacy/erase.ts'
import { finishErasures } from '../../src/runtime/privacy/finish.ts'
import { liftAddress } from '../../src/runtime/privacy/tombstones.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { demandLinks } from '../../src/store/links.ts'
import { edit, made, merge, read } from './merge.support.ts'
import { tracesLeft } from './privacy.support.ts'

const ALL = ['csv', 'mailchimp', 'stripe']
const TRACES = ['Varnhagen', 'Quintessa', 'quin@varnhagen.example', '4930901820']

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

/** A person in all three systems, with a deal that names them. */
async function person(): Promise<number> {
  const { hub } = world
  const id = await made(hub, 'contact', {
    givenName: 'Quintessa',
    familyName: 'Varnhagen',
    emails: ['quin@varnhagen.example'],
    phones: ['+4930901820'],
  })
  world.mailchimp.admin.subscribe('quin@varnhagen.example', { FNAME: 'Quintessa', LNAME: 'Varnhagen' })
  await made(hub, 'deal', { name: 'Kitchen of Quintessa Varnhagen', contact: id })
  world.export('contacts', [COLUMNS.contacts, csvRow('c1')])
  await syncAll(hub, ALL, 'changes')
  await demandCustomer(id)
  await edit(hub, 'contact', id, { jobTitle: 'friend of Varnhagen' })
  await syncAll(hub, ALL, 'changes')
  return id
}

async function erase(hub: Hub, id: number): Promise<Erased> {
  const result = await eraseRecord(hub, { id, by: 'user:ann' })
  if (result.kind === 'refused') throw new Error(result.message)
  return result
}

describe('erasing a person', () => {
  test('leaves nothing of them in any table', async () => {
    const { hub } = world
    const id = await person()
    expect((await tracesLeft(world.db, TRACES)).length).toBeGreaterThan(4)
    const planned = await eraseRecord(hub, { id, by: 'user:ann', dryRun: true })
    const before = await tracesLeft(world.db, TRACES)
    const erased = await erase(hub, id)
    if (planned.kind === 'refused') throw new Error(planned.message)
    expect(before.length).toBeGreaterThan(4)
    expect({ ...planned, kind: 0, erasure: 0, run: 0 }).toEqual({ ...erased, kind: 0, erasure: 0, run: 0 })
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
    const shell = await read(hub, 'contact', id)
    expect(shell.archived).toBe(true)
    expect(Object.values(shell.fields).every((value) => value === null)).toBe(true)
    const history = await world.db
      .sql`select op, changes::text from history where record_id = ${id} order by id`
    expect(history.length).toBeGreaterThan(1)
    expect(history.every((row) => row['changes'] === '{}')).toBe(true)
  })

  test('erases at the vendors, where they can, and says where they cannot', async () => {
    const { hub } = world
    const id = await person()
    const { erasure, remotes } = await erase(hub, id)
    expect(remotes.map((one) => `${one.stream} ${one.state}`).toSorted()).toEqual([
      'csv/contacts by hand',
      'mailchimp/members pending',
      'stripe/customers pending',
    ])
    await finishErasures(hub)
    const [row] = await world.db.sql<
      { remotes: { stream: string; state: string; remoteId: string | null }[] }[]
    >`
      select remotes from erasures where id = ${erasure}`
    expect(row?.remotes).toHaveLength(3)
    const asked = (row?.remotes ?? []).filter((one) => one.stream !== 'csv/contacts')
    expect(asked.map((one) => `${one.state} ${one.remoteId}`)).toEqual(['done null', 'done null'])
    expect(world.mailchimp.audience.members.size).toBe(0)
    expect(world.sent.some((one) => one.endsWith('/actions/delete-permanent'))).toBe(true)
    expect(world.sent.some((one) => one.startsWith('DELETE /v1/customers/'))).toBe(true)
    await syncAll(hub, ALL, 'sweep')
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
  })

  test('a row that comes again is left out, and counted', async () => {
    const { hub } = world
    const id = await person()
    await erase(hub, id)
    world.export('contacts', [COLUMNS.contacts, csvRow('c9')])
    await syncAll(hub, ['csv'], 'sweep')
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
    const again = await createRecord(hub, 'contact', { emails: ['quin@varnhagen.example'] }, 'user:ann')
    expect(again).toMatchObject({ kind: 'invalid', problems: [{ field: 'emails' }] })
    expect(await liftAddress(hub, 'quin@varnhagen.example')).not.toBeNull()
    const back = await createRecord(hub, 'contact', { emails: ['quin@varnhagen.example'] }, 'user:ann')
    expect(back.kind).toBe('saved')
  })

  test('whoever had opted out is still out when they come back', async () => {
    const { hub } = world
    const id = await person()
    const at = world.clock.now
    await world.db.sql`
      insert into consents (address, channel, audience, state, at, explicit, source)
      values ('quin@varnhagen.example', 'email', 'list', 'out', ${at}, true, 'mailchimp')`
    await erase(hub, id)
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
    await liftAddress(hub, 'quin@varnhagen.example')
    const back = await made(hub, 'contact', { emails: ['quin@varnhagen.example'] })
    expect((await read(hub, 'contact', back)).fields['emailConsent']).toBe('out')
  })

  test('takes everything that was merged with them, whichever of them is named', async () => {
    const { hub } = world
    const id = await person()
    const other = await made(hub, 'contact', {
      givenName: 'Q.',
      familyName: 'Varnhagen-Ems',
      emails: ['q@ems.example'],
    })
    await merge(hub, id, other)
    const { records } = await erase(hub, other)
    expect(records.toSorted((a, b) => a - b)).toEqual([id, other])
    expect(await tracesLeft(world.db, [...TRACES, 'q@ems.example'])).toEqual([])
  })

  test('twice at once, it is done once', async () => {
    const { hub } = world
    const id = await person()
    const both = await Promise.all([1, 2].map(() => eraseRecord(hub, { id, by: 'user:ann' })))
    expect(both.map((one) => one.kind).toSorted()).toEqual(['erased', 'refused'])
    expect(await eraseRecord(hub, { id: 999_999, by: 'user:ann' })).toMatchObject({ code: 'missing' })
  })
})

/** As an invoice would. */
async function demandCustomer(id: number): Promise<void> {
  const target = world.hub.targets.find((one) => one.label === 'stripe/customers')
  if (target === undefined) throw new Error('no customers')
  await demandLinks(world.db.sql, target.id, [id])
}

function csvRow(id: string): readonly string[] {
  const at: Readonly<Record<string, string>> = {
    id,
    email: 'Quin@Varnhagen.example',
    first_name: 'Quintessa',
    last_name: 'Varnhagen',
    phone: '+49 30 901820',
  }
  return COLUMNS.contacts.map((name) => at[name] ?? '')
}
