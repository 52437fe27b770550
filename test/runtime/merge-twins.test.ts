import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { textOf } from '../../src/core/json.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, fieldsOf, merge, read, unmerge } from './merge.support.ts'

const ALL = ['csv', 'mailchimp', 'stripe']
const ADA = 'ada@example.com'
const COUNTESS = 'countess@lovelace.org'

let world: World
afterEach(() => world.close())

async function sync(mode: 'changes' | 'sweep' = 'changes'): Promise<void> {
  for (const pass of await syncAll(world.hub, ALL, mode)) expect(pass.problem).toBeNull()
  world.clock.now += 300_000
}

/** Everything agrees, and nothing more is sent. */
async function settle(): Promise<void> {
  await sync()
  await sync('sweep')
  world.sent.length = 0
  await sync('sweep')
  await sync()
  expect(world.sent.filter((request) => !request.startsWith('GET'))).toEqual([])
}

async function idOf(email: string): Promise<number> {
  const [row] = await world.db.sql`select record_id as id from identities where key = ${email}`
  return Number(row?.['id'])
}

const member = (email: string) => {
  const found = world.mailchimp.admin.member(email)
  const text = (name: string) => textOf(found?.mergeFields.get(name))
  return {
    status: found?.status,
    name: `${text('FNAME')} ${text('LNAME')}`,
    job: text('JOBTITLE'),
    phone: text('PHONE'),
  }
}

const customer = (email: string) => {
  const found = world.stripe.admin.customers().find((one) => one.email === email)
  return { name: found?.name, phone: found?.phone, job: found?.metadata['job_title'] }
}

const written = (): string => {
  try {
    return readFileSync(path.join(world.folder, 'out', 'contacts.csv'), 'utf8')
  } catch {
    return ''
  }
}

async function twoPeople(): Promise<readonly [number, number]> {
  world.export('contacts', [
    COLUMNS.contacts,
    ['c1', ADA, 'Ada', 'Lovelace', '', 'Analyst', '', '', ''],
    ['c2', COUNTESS, 'A.', 'Lovelace', '+44 20 7946 0018', 'Countess', '', '', ''],
  ])
  world.mailchimp.admin.subscribe(ADA, { FNAME: 'Ada', LNAME: 'Lovelace' })
  world.mailchimp.admin.subscribe(COUNTESS, { FNAME: 'A.', LNAME: 'Lovelace' })
  world.stripe.admin.createCustomer({ email: ADA, name: 'Ada Lovelace' })
  world.stripe.admin.createCustomer({ email: COUNTESS, name: 'A. Lovelace' })
  await settle()
  return [await idOf(ADA), await idOf(COUNTESS)]
}

const inbox = async () =>
  (await world.db.sql`select kind, title from inbox where state = 'open'`).map((row) => row)

describe('two objects of one merged person', () => {
  beforeEach(async () => {
    world = await openWorld()
  })

  test('come to agree at every vendor, each under its own address, and go silent', async () => {
    const [a, b] = await twoPeople()
    await merge(world.hub, a, b)
    await settle()
    const same = { name: 'Ada Lovelace', job: 'Analyst', phone: '+442079460018' }
    for (const email of [ADA, COUNTESS]) {
      expect(member(email)).toEqual({ status: 'subscribed', ...same })
      expect(customer(email)).toEqual(same)
    }
    expect(world.stripe.admin.customers()).toHaveLength(2)
    expect(await inbox()).toEqual([])
    expect(written()).toContain('c2')

    await edit(world.hub, 'contact', a, { jobTitle: 'Programmer' })
    world.mailchimp.admin.editProfile(COUNTESS, { PHONE: '+442079460019' })
    await settle()
    for (const email of [ADA, COUNTESS]) {
      expect(member(email)).toMatchObject({ job: 'Programmer', phone: '+442079460019' })
      expect(customer(email)).toMatchObject({ job: 'Programmer', phone: '+442079460019' })
    }
    expect((await fieldsOf(world.hub, a))['emails']).toEqual([ADA, COUNTESS])
  })

  test('get their own values back when it is undone, those said since included', async () => {
    const [a, b] = await twoPeople()
    const before = [await fieldsOf(world.hub, a), await fieldsOf(world.hub, b)]
    await merge(world.hub, a, b)
    await settle()
    await unmerge(world.hub, b)
    await settle()
    expect([await fieldsOf(world.hub, a), await fieldsOf(world.hub, b)]).toEqual(before)
    expect(member(ADA)).toMatchObject({ name: 'Ada Lovelace', job: 'Analyst', phone: '' })
    expect(member(COUNTESS)).toMatchObject({ name: 'A. Lovelace', job: 'Countess', phone: '+442079460018' })
    expect(customer(COUNTESS)).toMatchObject({ name: 'A. Lovelace', job: 'Countess' })
    expect(customer(ADA).phone ?? null).toBeNull()
    const links = await world.db.sql`
      select record_id, count(*) as n from links where state = 'linked' and record_id in (${a}, ${b}) group by 1 order by 1`
    expect(links).toEqual([
      { record_id: a, n: 3 },
      { record_id: b, n: 3 },
    ])
    expect(await inbox()).toEqual([])

    await merge(world.hub, a, b)
    await settle()
    world.mailchimp.admin.editProfile(COUNTESS, { JOBTITLE: 'Author' })
    world.mailchimp.admin.editProfile(ADA, { PHONE: '+442079460000' })
    await settle()
    expect(await fieldsOf(world.hub, a)).toMatchObject({ jobTitle: 'Author' })
    await unmerge(world.hub, b)
    await settle()
    expect(member(COUNTESS)).toMatchObject({ job: 'Author' })
    expect(member(ADA)).toMatchObject({ job: 'Analyst', phone: '+442079460000' })
  })

  test('never lose a no: one that left is out everywhere, and no address is opted in by the other', async () => {
    const [a, b] = await twoPeople()
    world.mailchimp.admin.unsubscribe(COUNTESS)
    await settle()
    await merge(world.hub, a, b)
    await settle()
    expect((await read(world.hub, 'contact', a)).fields['emailConsent']).toBe('out')
    expect(member(ADA).status).toBe('unsubscribed')
    expect(member(COUNTESS).status).toBe('unsubscribed')
    await unmerge(world.hub, b)
    await settle()
    expect((await read(world.hub, 'contact', b)).fields['emailConsent']).toBe('out')
    // What was told to the vendor stays: it is theirs to say yes again.
    expect(member(ADA).status).toBe('unsubscribed')
  })

  test('keep the address each is known by when it is taken from the record', async () => {
    const [a, b] = await twoPeople()
    await merge(world.hub, a, b)
    await settle()
    await edit(world.hub, 'contact', a, { emails: [ADA] })
    await settle()
    expect(member(COUNTESS).status).toBe('subscribed')
    expect(await inbox()).toEqual([])
  })

  test('an object that is deleted takes no record along while another one stands', async () => {
    await world.close()
    world = await openWorld({
      configure: (_, text) => text.replaceAll('deletes: unlink', 'deletes: archive'),
    })
    const [a, b] = await twoPeople()
    await merge(world.hub, a, b)
    await settle()
    world.export('contacts', [COLUMNS.contacts, ['c1', ADA, 'Ada', 'Lovelace', '', 'Analyst', '', '', '']])
    await settle()
    expect((await read(world.hub, 'contact', a)).archived).toBe(false)
    expect(b).toBeGreaterThan(a)
  })
})

describe('where the stream archives the second object', () => {
  test('it is archived once, opted out before, and stays away after an undo', async () => {
    world = await openWorld({
      configure: (_, text) => text.replaceAll('archives: archive', 'archives: archive\n    merges: archive'),
    })
    const [a, b] = await twoPeople()
    await merge(world.hub, a, b)
    await settle()
    expect(member(ADA).status).toBe('subscribed')
    expect(member(COUNTESS).status).toBe('archived')
    await edit(world.hub, 'contact', a, { jobTitle: 'Programmer' })
    await settle()
    expect(member(COUNTESS).status).toBe('archived')
    await unmerge(world.hub, b)
    await settle()
    expect(member(COUNTESS).status).toBe('archived')
    expect((await read(world.hub, 'contact', b)).archived).toBe(false)
    expect(await inbox()).toEqual([])
  })
})
