import { afterEach, describe, expect, test } from 'vitest'
import { adoptShapes, waitingGates } from '../../src/runtime/approval.ts'
import { compile, readConfigFolder } from '../../src/runtime/boot.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { acceptValue } from '../../src/runtime/governance/accept.ts'
import { reviewRecords } from '../../src/runtime/governance/review.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { activeConfig, applyConfig, type ConfigFiles } from '../../src/store/config-versions.ts'
import { closeItems, listItems } from '../../src/store/inbox.ts'
import { listRecords } from '../../src/store/records.ts'
import { COLUMNS } from '../support/exports.ts'
import { CONNECTORS, openWorld, shippedConfiguration, type World } from '../support/world.ts'

let world: World
afterEach(async () => {
  await world.close()
})

const PIPELINES = `# yaml-language-server: $schema=./schema.json
pipelines:
  - name: Sales
    stages:
      - { name: New, outcome: open }
      - { name: Proposal, outcome: open, enter: [amount, closeDate] }
      - { name: Won, outcome: won }
`
const QUALITY =
  'quality: { required: { contact: [familyName], company: [name], deal: [name] }, names: tidy }\n'
const picklists = (unknown: string, values = 'Retail, { value: Technology, synonyms: [Tech] }') =>
  `picklists:\n  - record: company\n    field: industry\n    unknown: ${unknown}\n    values: [${values}]\n`

type Rules = { readonly picklists?: string; readonly quality?: string; readonly pipelines?: string }
const configure =
  (rules: Rules) =>
  (name: string, text: string): string => {
    if (name === 'picklists.yaml') return rules.picklists ?? picklists('inbox')
    if (name === 'quality.yaml') return rules.quality ?? QUALITY
    return name === 'pipelines.yaml' ? (rules.pipelines ?? PIPELINES) : text
  }
const open = async (rules: Rules = {}) => {
  world = await openWorld({ connections: ['csv'], configure: configure(rules) })
}
/** A hub that has taken up other rules, as after a restart. */
function withRules(rules: Rules): Hub {
  const configuration = shippedConfiguration(configure(rules))
  const streams = configuration.connections.flatMap((connection) => connection.streams)
  const targets = world.hub.targets.map((target) => ({
    ...target,
    stream:
      streams.find(
        ({ connection, name }) => connection === target.stream.connection && name === target.stream.name,
      ) ?? target.stream,
  }))
  return { ...world.hub, targets, configuration: { ...configuration, approvals: 'none' } }
}

async function sync(hub = world.hub) {
  const passes = await syncAll(hub, ['csv'], 'changes')
  expect(passes.map(({ problem }) => problem)).toEqual(passes.map(() => null))
  world.clock.now += 900_000
}
const items = async () =>
  (await listItems(world.db.sql, { state: 'open', limit: 200 })).map(({ kind, key, title }) => ({
    kind,
    key,
    title,
  }))
const titles = async () => (await items()).map(({ title }) => title).toSorted()
const companies = (...industries: readonly string[]) =>
  world.export('companies', [
    COLUMNS.companies,
    ...industries.map((industry, i) => [`c${i}`, `Company ${i}`, `c${i}.example.com`, '', industry, '']),
  ])
const industriesNow = async () =>
  (await listRecords(world.db.sql, 'company', 0, 500)).map(({ fields }) => fields['industry'])
const deal = (id: string, name: string, stage: string, amount = '', close = '') => {
  const cells: Readonly<Record<string, string>> = {
    id,
    name,
    stage,
    amount,
    currency: amount === '' ? '' : 'EUR',
    close_date: close,
    pipeline: 'Sales',
  }
  return COLUMNS.deals.map((column) => cells[column] ?? '')
}
const deals = (...rows: readonly string[][]) => world.export('deals', [COLUMNS.deals, ...rows])

describe('picklists', () => {
  test('a synonym becomes the value in the hub, and the file keeps its own word', async () => {
    await open()
    companies('tech', 'TECHNOLOGY', 'Retail')
    await sync()
    expect(await industriesNow()).toEqual(['Technology', 'Technology', 'Retail'])
    const [first] = await listRecords(world.db.sql, 'company', 0, 1)
    await editRecord(world.hub, 'company', first?.id ?? 0, { employees: 12 }, 'user:ann')
    await editRecord(world.hub, 'company', first?.id ?? 0, { industry: 'TECH' }, 'user:ann')
    await sync()
    const [written] = await world.db.sql<{ body: unknown }[]>`select body from outbox where op = 'update'`
    expect(written?.body).toEqual({ employees: 12 })
  })

  test('a value on no list is asked about once, however many say it, and the item closes when none does', async () => {
    await open()
    companies('Fin-Tec', 'fintec', 'Retail')
    await sync()
    expect(await titles()).toEqual(['2 companies say Industry "Fin-Tec", which is on no list'])
    companies('Retail', 'fintec', 'Retail')
    await sync()
    expect(await titles()).toEqual(['1 company says Industry "fintec", which is on no list'])
    companies('Retail', 'Tech', 'Retail')
    await sync()
    expect(await items()).toEqual([])
  })

  test('as many values as a free text has make fifty items and one for the rest', async () => {
    await open()
    companies(...Array.from({ length: 120 }, (_, i) => `Sector number ${i}`))
    await sync()
    const found = await items()
    expect(found).toHaveLength(51)
    expect(found.filter(({ key }) => key === 'unknown_values:company:industry')).toHaveLength(1)
    companies(...Array.from({ length: 120 }, () => 'Retail'))
    await sync()
    await reviewRecords(world.hub, 'daily')
    expect(await items()).toEqual([])
  })

  test('people are refused a value on no list, and told the nearest', async () => {
    await open()
    const made = await createRecord(world.hub, 'company', { name: 'A', industry: 'Retial' }, 'api')
    expect(made).toMatchObject({
      kind: 'invalid',
      problems: [{ field: 'industry', message: expect.stringContaining('Did you mean "Retail"?') }],
    })
  })

  test('people may leave a value on no list that a system brought, but bring none of their own', async () => {
    await open()
    companies('Fintec')
    await sync()
    const [company] = await listRecords(world.db.sql, 'company', 0, 1)
    const edit = (fields: { readonly [field: string]: string | number }) =>
      editRecord(world.hub, 'company', company?.id ?? 0, fields, 'api')
    expect(await edit({ industry: 'Fintec', employees: 12 })).toMatchObject({ kind: 'saved' })
    expect(await edit({ industry: 'Fintech' })).toMatchObject({ kind: 'invalid' })
    expect(await edit({ industry: 'tech' })).toMatchObject({ kind: 'saved' })
  })

  test('new rules change what is there already, in the name of who said it, and open what is unknown', async () => {
    await open({ picklists: picklists('keep', 'Retail') })
    companies('tech', 'Shops', 'Retail')
    await sync()
    expect(await industriesNow()).toEqual(['tech', 'Shops', 'Retail'])
    const hub = withRules({ picklists: picklists('inbox') })
    expect(await reviewRecords(hub)).toEqual({ rules: 'new', tidied: 1 })
    expect(await reviewRecords(hub)).toEqual({ rules: 'known', tidied: 0 })
    expect(await industriesNow()).toEqual(['Technology', 'Shops', 'Retail'])
    const [first] = await listRecords(world.db.sql, 'company', 0, 1)
    expect(first?.provenance['industry']).toMatchObject({ source: 'csv', rule: 'as the picklist has it' })
    expect(await titles()).toEqual(['1 company says Industry "Shops", which is on no list'])
    await sync(hub)
    expect(await world.db.sql`select from outbox`).toHaveLength(0)
    expect(await industriesNow()).toEqual(['Technology', 'Shops', 'Retail'])
  })

  test('another word for "Won" bills nothing of the past', async () => {
    world = await openWorld({ connections: ['csv', 'stripe'], configure: configure({}) })
    const contact = await createRecord(
      world.hub,
      'contact',
      { familyName: 'A', emails: ['a@x.example'] },
      'api',
    )
    if (contact.kind !== 'saved') throw new Error(contact.kind)
    const amount = { amount: 100, currency: 'EUR' }
    const made = await createRecord(
      world.hub,
      'deal',
      { name: 'Old', stage: 'Closed', amount, closeDate: '2020-01-01', contact: contact.record.id },
      'api',
    )
    expect(made.kind).toBe('saved')
    const stages =
      '  - record: deal\n    field: stage\n    unknown: keep\n    values: [{ value: Won, synonyms: [Closed] }]\n'
    expect(await reviewRecords(withRules({ picklists: picklists('inbox') + stages }))).toMatchObject({
      tidied: 1,
    })
    const [deal] = await listRecords(world.db.sql, 'deal', 0, 1)
    expect(deal?.fields['stage']).toBe('Won')
    expect(await listRecords(world.db.sql, 'invoice', 0, 1)).toEqual([])
  })

  test('an item that was dismissed stays closed until its cause comes back', async () => {
    await open()
    companies('Shops')
    await sync()
    const [item] = await listItems(world.db.sql, { state: 'open', limit: 1 })
    await closeItems(world.db.sql, [item?.key ?? ''], 'dismissed', world.clock.now)
    await reviewRecords(world.hub, 'daily')
    expect(await items()).toEqual([])
    companies('Shops', 'Shops')
    await sync()
    expect(await titles()).toEqual(['2 companies say Industry "Shops", which is on no list'])
  })
})

describe('a value that is accepted', () => {
  const asked = async () => {
    await open()
    const files = await readConfigFolder('config')
    const texts = Object.entries(files).map(([name, text]) => [name, configure({})(name, text)] as const)
    await applyConfig(world.db.sql, 0, Object.fromEntries(texts), 'shipped', world.clock.now)
    companies('Shops', 'Shops')
    await sync()
    const [item] = await listItems(world.db.sql, { state: 'open', limit: 1 })
    return item?.id ?? 0
  }
  const taken = async (): Promise<Hub> => {
    const active = await activeConfig(world.db.sql)
    return { ...world.hub, configuration: compile(active?.files ?? {}, CONNECTORS) }
  }

  test('as another word for a value makes a version, and the records follow when it is taken up', async () => {
    const id = await asked()
    expect(await acceptValue(world.hub, id, 'retail', 'user:ann')).toMatchObject({
      kind: 'done',
      message: expect.stringContaining('version 2'),
    })
    expect(await items()).toEqual([])
    expect(await reviewRecords(await taken())).toMatchObject({ tidied: 2 })
    expect(await industriesNow()).toEqual(['Retail', 'Retail'])
  })

  test('as a value leaves the records as they are', async () => {
    const id = await asked()
    expect(await acceptValue(world.hub, id, null, 'user:ann')).toMatchObject({ kind: 'done' })
    expect(await reviewRecords(await taken())).toMatchObject({ rules: 'new', tidied: 0 })
    expect(await items()).toEqual([])
  })

  test('waits for no plan of its own, and opens nothing that waits for another reason', async () => {
    const id = await asked()
    const files: ConfigFiles = (await activeConfig(world.db.sql))?.files ?? {}
    await adoptShapes(world.hub)
    const waiting = async () => {
      const hub = await world.restarted((await taken()).configuration)
      return (await waitingGates(hub, 'csv')).map((gate) => gate.label)
    }
    expect(await waiting()).toEqual([])
    // Somebody changed a mapping meanwhile, and nobody has approved that yet.
    const mapped = files['csv.yaml']?.replace('remote: job_title', 'remote: position') ?? ''
    await applyConfig(world.db.sql, 1, { ...files, 'csv.yaml': mapped }, 'user:bob', world.clock.now)
    expect(await waiting()).toEqual(['csv/contacts'])
    expect(await acceptValue(world.hub, id, 'retail', 'user:ann')).toMatchObject({ kind: 'done' })
    expect((await activeConfig(world.db.sql))?.version).toBe(3)
    expect(await waiting()).toEqual(['csv/contacts'])
  })

  test('is taken once, whoever else takes it at the same time, and never as a word for nothing', async () => {
    const id = await asked()
    expect(await acceptValue(world.hub, id, 'Nothing', 'user:ann')).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('"Nothing" is not on the list'),
    })
    expect(await acceptValue(world.hub, 9_999, null, 'user:ann')).toMatchObject({ kind: 'refused' })
    const both = await Promise.all([
      acceptValue(world.hub, id, null, 'user:ann'),
      acceptValue(world.hub, id, 'Retail', 'user:bob'),
    ])
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['done', 'refused'])
    expect((await activeConfig(world.db.sql))?.version).toBe(2)
  })
})

describe('required fields', () => {
  const people = (...lastNames: readonly string[]) =>
    world.export('contacts', [
      ['id', 'email', 'first_name', 'last_name', 'phone'],
      ...lastNames.map((last, i) => [`p${i}`, `p${i}@example.com`, `First${i}`, last, '']),
    ])

  test('what a sync brings is taken, and one item tells of all that lack it', async () => {
    await open()
    people('LEE', '', '')
    await sync()
    const [first] = await listRecords(world.db.sql, 'contact', 0, 1)
    expect(first?.fields['familyName']).toBe('Lee')
    expect(await titles()).toEqual(['2 contacts from csv/contacts lack Last name'])
    people('Lee', 'Ng', '')
    await sync()
    expect(await titles()).toEqual(['1 contact from csv/contacts lacks Last name'])
    people('Lee', 'Ng', 'Ox')
    await sync()
    expect(await items()).toEqual([])
  })

  test('people and the API are refused, and may heal a record bit by bit', async () => {
    await open()
    const none = await createRecord(world.hub, 'contact', { givenName: 'Ann' }, 'api')
    expect(none).toEqual({
      kind: 'invalid',
      problems: [
        {
          field: 'familyName',
          message: 'familyName: a contact needs Last name. Fix: send familyName with a value.',
        },
      ],
    })
    people('')
    await sync()
    const [record] = await listRecords(world.db.sql, 'contact', 0, 1)
    const id = record?.id ?? 0
    expect(await editRecord(world.hub, 'contact', id, { jobTitle: 'Pilot' }, 'api')).toMatchObject({
      kind: 'saved',
    })
    expect(await editRecord(world.hub, 'contact', id, { familyName: 'Ng' }, 'api')).toMatchObject({
      kind: 'saved',
    })
    expect(await items()).toEqual([])
    expect(await editRecord(world.hub, 'contact', id, { familyName: '' }, 'api')).toMatchObject({
      kind: 'invalid',
    })
    expect(await editRecord(world.hub, 'contact', id, {}, 'api', { archived: true })).toMatchObject({
      kind: 'saved',
    })
  })

  test('two who take away the last two lacks at once leave no item behind', async () => {
    await open()
    people('', '')
    await sync()
    const found = await listRecords(world.db.sql, 'contact', 0, 2)
    await Promise.all(
      found.map(({ id }) => editRecord(world.hub, 'contact', id, { familyName: 'Ng' }, 'api')),
    )
    expect(await items()).toEqual([])
  })

  test('an archived record lacks nothing', async () => {
    await open()
    people('')
    await sync()
    const [record] = await listRecords(world.db.sql, 'contact', 0, 1)
    await editRecord(world.hub, 'contact', record?.id ?? 0, {}, 'api', { archived: true })
    expect(await items()).toEqual([])
  })
})

describe('stages', () => {
  test('the API is refused in words what a stage needs, and let through with it', async () => {
    await open()
    const made = await createRecord(
      world.hub,
      'deal',
      { name: 'Big', pipeline: 'Sales', stage: 'New' },
      'api',
    )
    const id = made.kind === 'saved' ? made.record.id : 0
    const refused = await editRecord(world.hub, 'deal', id, { stage: 'Proposal' }, 'api')
    expect(refused).toEqual({
      kind: 'invalid',
      problems: [
        {
          field: 'stage',
          message:
            'stage: a deal needs Amount and Close date to enter "Proposal". Fix: send amount and closeDate with it, or leave it in "New".',
        },
      ],
    })
    const filled = { stage: 'Proposal', amount: { amount: 100, currency: 'EUR' }, closeDate: '2026-05-01' }
    expect(await editRecord(world.hub, 'deal', id, filled, 'api')).toMatchObject({ kind: 'saved' })
  })

  test('of a first sync one item tells of all; later each deal has its own, until it is filled or moved away', async () => {
    await open()
    deals(deal('d1', 'A', 'Proposal'), deal('d2', 'B', 'Proposal', '10'), deal('d3', 'C', 'New'))
    await sync()
    expect(await titles()).toEqual(['2 deals from csv/deals lack what their stages need'])
    deals(
      deal('d1', 'A', 'Proposal', '5', '2026-05-01'),
      deal('d2', 'B', 'Proposal', '10', '2026-05-01'),
      deal('d3', 'C', 'Proposal', '7'),
    )
    await sync()
    const [third] = (await listRecords(world.db.sql, 'deal', 0, 5)).slice(2)
    expect(await titles()).toEqual([`Deal ${third?.id} (C) is in "Proposal" without Close date`])
    deals(
      deal('d1', 'A', 'Proposal', '5', '2026-05-01'),
      deal('d2', 'B', 'Proposal', '10', '2026-05-01'),
      deal('d3', 'C', 'New', '7'),
    )
    await sync()
    expect(await items()).toEqual([])
  })

  test('many at once are told of together', async () => {
    await open()
    deals(deal('x', 'X', 'New'))
    await sync()
    deals(...Array.from({ length: 80 }, (_, i) => deal(`d${i}`, `Deal ${i}`, 'Proposal')))
    await sync()
    expect(await titles()).toEqual(['80 deals from csv/deals lack what their stages need'])
  })

  test('new rules find what stands there already', async () => {
    await open({ pipelines: PIPELINES.replace(', enter: [amount, closeDate]', '') })
    deals(deal('d1', 'A', 'Proposal'))
    await sync()
    expect(await items()).toEqual([])
    await reviewRecords(withRules({}))
    expect(await titles()).toEqual(['1 deal from csv/deals lacks what its stage needs'])
    await reviewRecords(withRules({ pipelines: PIPELINES.replace(', enter: [amount, closeDate]', '') }))
    expect(await items()).toEqual([])
  })
})
