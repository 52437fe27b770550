import { afterEach, describe, expect, test } from 'vitest'
import { pino } from 'pino'
import { outlook } from '../../src/connectors/outlook/index.ts'
import { catalogOf } from '../../src/runtime/boot.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { openHub } from '../../src/runtime/open.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGraphSandbox } from '../../src/sandbox/graph/index.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { saveConnection } from '../../src/store/connections.ts'
import { openDatabase } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { testDatabase } from '../support/database.ts'
import { CONNECTORS, openWorld, shippedConfiguration, type World } from '../support/world.ts'
import { merge, read, unmerge } from './merge.support.ts'

const ASKED = (_: string, text: string) =>
  text.replaceAll('archives: archive', 'archives: archive\n    merges: archive')

let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

describe('a stream that archives the second object', () => {
  test.each([
    [
      'stripe',
      'customers',
      'contact',
      '',
      'Stripe cannot archive customers, and deleting one ends what it pays for',
    ],
    ['csv', 'contacts', 'contact', '', 'a CSV file cannot say that a row is archived'],
    ['csv', 'deals', 'deal', '', 'records of the kind "deal" are not merged'],
    ['mailchimp', 'members', 'contact', 'direction: in', 'a stream that only reads archives nothing'],
  ])('is refused where it cannot: %s %s of the kind %s %s', (connector, resource, record, more, why) => {
    const field = record === 'deal' ? 'name' : 'givenName'
    const text = `connection: c
connector: ${connector}
streams:
  ${resource}:
    record: ${record}
    merges: archive
    ${more}
    fields:
      - { hub: ${field}, remote: name }
`
    const loaded = loadConfiguration([{ name: 'c.yaml', text }], catalogOf(CONNECTORS))
    const problems = loaded.kind === 'ok' ? [] : loaded.problems.map(formatProblem)
    const told = `streams.${resource}.merges: ${why}. Fix: Write merges: keep, or leave it out: both objects are held in agreement.`
    expect(problems).toEqual([expect.stringContaining(told)])
  })

  test('tells a no before the object goes, and an unmerge says before that it stays away', async () => {
    world = await openWorld({ connections: ['mailchimp'], configure: ASKED })
    const { hub, mailchimp, clock, db } = world
    const sync = async () => {
      for (const pass of await syncAll(hub, ['mailchimp'], 'changes')) expect(pass.problem).toBeNull()
      clock.now += 300_000
    }
    mailchimp.admin.subscribe('ada@x.io', { FNAME: 'Ada' })
    mailchimp.admin.subscribe('eve@x.io', { FNAME: 'Eve' })
    await sync()
    const [a = 0, b = 0] = (await db.sql`select id from contacts order by id`).map((row) => Number(row['id']))
    mailchimp.admin.unsubscribe('ada@x.io')
    await sync()
    await merge(hub, a, b)
    for (let i = 0; i < 3; i++) await sync()
    const writes = await db.sql`
      select op from outbox o join links l on l.id = o.link_id where o.state = 'applied' and l.record_id = ${a}
        and o.remote_id = (select remote_id from links where id = o.link_id) and o.op in ('consent', 'archive') order by o.created_at, o.id`
    expect(writes).toEqual([{ op: 'consent' }, { op: 'archive' }])
    expect(mailchimp.admin.member('eve@x.io')?.status).toBe('archived')
    const planned = await unmergeRecord(hub, { kind: 'contact', loser: b, by: 'user:ann', dryRun: true })
    expect(planned).toMatchObject({
      kind: 'planned',
      carried: [{ kind: 'object', stream: 'mailchimp/members', of: b, does: 'stays' }],
    })
    await unmerge(hub, b)
    await sync()
    expect(mailchimp.admin.member('eve@x.io')?.status).toBe('archived')
  })

  test('has Outlook delete the contact, which a person finds there; an unmerge says that it stays so', async () => {
    const clock = { now: Date.parse('2026-03-01T09:00:00Z') }
    const user = 'anna@contoso.example'
    const vendor = createGraphSandbox({
      now: () => clock.now,
      random: seeded(13),
      users: [user],
      tokenSeconds: 365 * 86_400,
      deliver: () => Promise.reject(new Error('nobody listens')),
    })
    const { url, drop } = await testDatabase()
    const db = openDatabase(url, 6)
    try {
      const vault = openVault(['a key that is only for tests'])
      const baseUrl = 'http://127.0.0.1:4013'
      const settings = {
        tenant: 'contoso.example',
        baseUrl,
        tokenUrl: `${baseUrl}/contoso.example/oauth2/v2.0/token`,
      }
      const connection = { name: 'outlook', connector: 'outlook', accountId: null, label: null, settings }
      const secrets = { clientId: vendor.application.id, accessToken: vendor.token(user) }
      await saveConnection(db.sql, vault, connection, secrets)
      const shipped = shippedConfiguration((name, text) =>
        name === 'outlook.yaml'
          ? text.replace('archives: keep', 'archives: keep\n    merges: archive')
          : text,
      )
      const connections = shipped.connections
        .filter(({ name }) => name === 'outlook')
        .map((one) => ({ ...one, mail: null }))
      const hub = await openHub({
        db,
        vault,
        log: pino({ level: 'silent' }),
        connectors: { outlook },
        configuration: { ...shipped, connections },
        transport: sandboxFetch(vendor.app),
        clock: { now: () => clock.now, sleep: async (ms) => void (clock.now += Math.ceil(ms)) },
        random: seeded(1),
      })
      const sync = async () => {
        for (const pass of await syncAll(hub, ['outlook'], 'changes')) expect(pass.problem).toBeNull()
        clock.now += 300_000
      }
      for (const name of ['ada', 'eve'])
        vendor.people.addContact(user, {
          givenName: name,
          emailAddresses: [{ address: `${name}@x.io`, name }],
        })
      await sync()
      const [a = 0, b = 0] = (await db.sql`select id from contacts order by id`).map((row) =>
        Number(row['id']),
      )
      const request = { kind: 'contact', survivor: a, losers: [b], by: 'user:ann', rule: 'x' } as const
      expect(await mergeRecords(hub, { ...request, dryRun: true })).toMatchObject({
        carried: expect.arrayContaining([expect.objectContaining({ of: b, does: 'archived' })]),
      })
      await merge(hub, a, b)
      await sync()
      await sync()
      expect(vendor.people.contacts(user)).toHaveLength(1)
      expect((await read(hub, 'contact', a)).archived).toBe(false)
      expect(
        await unmergeRecord(hub, { kind: 'contact', loser: b, by: 'user:ann', dryRun: true }),
      ).toMatchObject({
        kind: 'planned',
        carried: [{ kind: 'object', stream: 'outlook/contacts', of: b, does: 'stays' }],
      })
      await unmerge(hub, b)
      await sync()
      expect((await read(hub, 'contact', b)).archived).toBe(false)
      expect(vendor.people.contacts(user)).toHaveLength(1)
      expect(await db.sql`select kind, title from inbox where state = 'open'`).toEqual([])
    } finally {
      await db.close()
      await drop()
    }
  })
})
