import { describe, expect, test } from 'vitest'
import { classify } from '../../src/connectors/outlook/classify.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import { ANNA, answering, appliedOf, BEN, creation, T0, world } from './outlook.support.ts'

const contacts = outlook.resources['contacts']
if (contacts?.push === undefined) throw new Error('no contacts')
const { push } = contacts

describe('contacts', () => {
  test('keep the names of addresses that stay when the list is replaced', async () => {
    const w = world()
    const { ids } = w.vendor.people.addContact(ANNA, {
      givenName: 'Carla',
      emailAddresses: [
        { address: 'Carla@Customer.example', name: 'Carla at work' },
        { address: 'old@customer.example', name: 'Old' },
      ],
    })
    const [seen] = await contacts.fetch(w.io, [ids.immutable])
    if (seen?.kind !== 'present') throw new Error('absent')
    const patch = { emailAddresses: ['carla@customer.example', { address: 'new@customer.example' }] }
    const [outcome] = await push.send(w.io, [
      { op: 'update', key: 'u', id: seen.id, version: seen.version, patch, observed: seen.body },
    ])
    expect(appliedOf(outcome).body['emailAddresses']).toEqual([
      { address: 'carla@customer.example', name: 'Carla at work' },
      { address: 'new@customer.example', name: 'new@customer.example' },
    ])
  })

  test('keep the parts of an address that a patch does not name, and can be cleared whole', async () => {
    const w = world()
    const [made] = await push.send(w.io, [
      creation(1, { businessAddress: { street: '1 Main St', city: 'Berlin', countryOrRegion: 'Germany' } }),
    ])
    const one = appliedOf(made)
    const update = (version: string | null, patch: object, observed: typeof one.body) =>
      push.send(w.io, [
        {
          op: 'update',
          key: 'u',
          id: one.id,
          version,
          patch: JSON.parse(JSON.stringify(patch)) as typeof one.body,
          observed,
        },
      ])
    const [moved] = await update(one.version, { businessAddress: { city: 'Potsdam' } }, one.body)
    const two = appliedOf(moved)
    expect(two.body['businessAddress']).toEqual({
      street: '1 Main St',
      city: 'Potsdam',
      state: null,
      postalCode: null,
      countryOrRegion: 'Germany',
    })
    const [cleared] = await update(two.version, { businessAddress: null }, two.body)
    expect(Object.values(appliedOf(cleared).body['businessAddress'] ?? { x: 1 })).toEqual(
      Array.from({ length: 5 }, () => null),
    )
  })

  test('an update carries the version it was planned on, and one that says nothing new is not sent', async () => {
    const w = world()
    const [made] = await push.send(w.io, [creation(1, { surname: 'Cruz' })])
    const { id, version, body: observed } = appliedOf(made)
    w.sent.length = 0
    const patch = { surname: 'Cruz', mobilePhone: null, businessPhones: [] }
    const [same] = await push.send(w.io, [{ op: 'update', key: 'u', id, version, patch, observed }])
    expect(appliedOf(same).version).toBe(version)
    expect(w.sent.map(({ method }) => method)).toEqual(['GET'])
    await push.send(w.io, [{ op: 'update', key: 'v', id, version, patch: { surname: 'Diaz' }, observed }])
    expect(w.sent.at(-1)).toMatchObject({ method: 'PATCH', ifMatch: version, body: '{"surname":"Diaz"}' })
  })

  test('deleting heeds the version: a contact that was edited meanwhile stays', async () => {
    const w = world()
    const [made] = await push.send(w.io, [creation(1, { surname: 'Cruz' })])
    const { id, version } = appliedOf(made)
    w.vendor.people.editContact(ANNA, id, { surname: 'Diaz' })
    const archive = { op: 'archive', key: 'a', id } as const
    expect(await push.send(w.io, [{ ...archive, version }])).toEqual([{ kind: 'stale' }])
    expect(w.vendor.people.contacts(ANNA)).toHaveLength(1)
    expect(await push.send(w.io, [{ ...archive, version: null }])).toEqual([
      { kind: 'applied', observation: { kind: 'absent', id } },
    ])
  })

  test('of two with the mark of a record, a copy made by a person, the older one is ours', async () => {
    const w = world()
    const [made] = await push.send(w.io, [creation(7, { surname: 'Cruz' })])
    const ours = w.vendor.people.contact(ANNA, appliedOf(made).id)
    w.clock.now += 60_000
    const copy = w.vendor.people.addContact(ANNA, { surname: 'Cruz' })
    copy.extended = ours?.extended ?? new Map()
    const [found] = await push.find(w.io, [creation(7, {})])
    expect(found?.id).toBe(ours?.ids.immutable)
    expect(await push.find(w.io, [creation(8, {})])).toEqual([null])
  })

  test('a field that Outlook does not have is refused by its name', async () => {
    const w = world()
    const bad = [{ shoeSize: '43' }, { businessAddress: { planet: 'Earth' } }, { businessPhones: '030' }]
    const outcomes = await push.send(
      w.io,
      bad.map((body, i) => creation(i, body)),
    )
    expect(outcomes.map((one) => (one.kind === 'rejected' ? one.field : one.kind))).toEqual([
      'shoeSize',
      'businessAddress.planet',
      'businessPhones',
    ])
  })

  test('lie in the folder, and with the mailbox, that the settings name', async () => {
    const w = world()
    const folder = w.vendor.people.createContactFolder(BEN, 'Customers')
    const settings = { contactMailbox: BEN, contactFolder: folder.ids.immutable }
    const io = w.app([ANNA, BEN], settings)
    w.vendor.people.addContact(BEN, { surname: 'Elsewhere' })
    const [made] = await push.send(io, [creation(1, { surname: 'Cruz' })])
    const { id } = appliedOf(made)
    const page = await contacts.pull(io, null)
    expect(page.observations.map((one) => one.id)).toEqual([id])
    expect((await push.find(io, [creation(1, {})])).map((one) => one?.id)).toEqual([id])
    expect((await outlook.check(io)).label).toContain('and 1 more')
    // With another folder the place in this one means nothing.
    const other = w.app([ANNA, BEN], { contactMailbox: BEN })
    await expect(contacts.pull(other, page.cursor)).rejects.toMatchObject({
      failure: { kind: 'cursor-expired' },
    })
  })

  test('one that was moved to another folder is not gone', async () => {
    const w = world()
    w.vendor.people.createContactFolder(ANNA, 'Customers')
    const { ids } = w.vendor.people.addContact(ANNA, { surname: 'Cruz' })
    const { cursor } = await contacts.pull(w.io, null)
    w.vendor.people.moveContact(ANNA, ids.immutable, 'Customers')
    const { observations } = await contacts.pull(w.io, cursor)
    expect(observations.map((one) => [one.id, one.kind])).toEqual([[ids.immutable, 'present']])
  })

  test('what cannot be a contact is reported with its id', async () => {
    const odd = { id: 'C1', '@odata.etag': 'W/"1"', givenName: null, emailAddresses: [], businessPhones: 7 }
    const link = 'https://graph.microsoft.com/v1.0/me/contacts/delta?$deltatoken=x'
    const io = answering(() => Response.json({ value: [odd], '@odata.deltaLink': link }))
    const page = await contacts.pull(io, null)
    expect(page).toMatchObject({ observations: [], bad: [{ id: 'C1' }], listed: 'everything' })
  })
})

describe('limits', () => {
  test.each([
    ['/v1.0/me/messages', 'me'],
    ['/v1.0/users/Anna%40contoso.example/mailFolders/delta', ANNA],
    ['/v1.0/users/u1/contacts', 'u1'],
    ['/v1.0/subscriptions', ''],
    ['/contoso/oauth2/v2.0/token', ''],
    ['/v1.0/users/Anna%ZZ/messages', 'anna%zz'],
  ])('%s counts for %s', (path, key) => {
    const url = new URL(path, 'https://graph.microsoft.com')
    expect(outlook.meter?.({ method: 'GET', url, user: null })).toEqual({ key, units: 1 })
  })
})

describe('classify', () => {
  const of = (
    status: number,
    code: string,
    more: { url?: string; message?: string; headers?: object } = {},
  ) =>
    classify(
      {
        status,
        headers: new Headers({ ...more.headers }),
        body: JSON.stringify({ error: { code, message: more.message ?? 'Words.' } }),
        method: 'GET',
        url: more.url ?? 'https://graph.microsoft.com/v1.0/me/messages/x',
      },
      T0,
    )

  test.each([
    [410, 'SyncStateNotFound', 'cursor-expired'],
    [410, '', 'cursor-expired'],
    [404, 'syncStateNotFound', 'cursor-expired'],
    [400, 'SyncStateInvalid', 'cursor-expired'],
    [400, 'ErrorInvalidSyncStateData', 'cursor-expired'],
    [410, 'resyncRequired', 'cursor-expired'],
    [404, 'ErrorItemNotFound', 'missing'],
    [400, 'ErrorInvalidIdMalformed', 'missing'],
    [404, 'MailboxNotEnabledForRESTAPI', 'rejected'],
    [404, 'ErrorNonExistentMailbox', 'rejected'],
    [401, 'InvalidAuthenticationToken', 'auth'],
    [403, 'ErrorAccessDenied', 'auth'],
    [403, 'Authorization_RequestDenied', 'auth'],
    [412, 'ErrorIrresolvableConflict', 'stale'],
    [409, 'ErrorIrresolvableConflict', 'stale'],
    [429, 'ApplicationThrottled', 'throttled'],
    [503, 'ServiceNotAvailable', 'unavailable'],
    [504, 'UnknownError', 'unavailable'],
    [400, 'ErrorInvalidRequest', 'rejected'],
  ])('%i %s is %s', (status, code, kind) => {
    expect(of(status, code).kind).toBe(kind)
  })

  test('a 503 that says when to come back is a throttle', () => {
    expect(of(503, 'ErrorServerBusy', { headers: { 'retry-after': '30' } })).toMatchObject({
      kind: 'throttled',
      retryAt: T0 + 30_000,
    })
  })

  test('of several mailboxes one out of reach stops only itself', () => {
    const url = 'https://graph.microsoft.com/v1.0/users/u1/mailFolders/delta'
    expect(of(403, 'ErrorAccessDenied', { url })).toMatchObject({ kind: 'rejected', field: 'mailboxes' })
    expect(of(403, 'ErrorAccessDenied', { url: `${url}/../contacts` }).kind).toBe('auth')
  })

  test('a subscription that is gone is missing, whatever its code means elsewhere', () => {
    const url = 'https://graph.microsoft.com/v1.0/subscriptions/s1'
    expect(of(404, 'ResourceNotFound', { url }).kind).toBe('missing')
    expect(of(404, 'ResourceNotFound').kind).toBe('rejected')
  })

  test('names the field where the words do', () => {
    expect(
      of(400, 'RequestBodyRead', { message: "Invalid value for property 'givenName': no" }),
    ).toMatchObject({
      kind: 'rejected',
      field: 'givenName',
    })
  })
})

test('an application without `mailboxes` is told to name them', async () => {
  const w = world()
  const io = { ...w.app([ANNA]), settings: { baseUrl: 'http://127.0.0.1:4012' } }
  await expect(outlook.check(io)).rejects.toMatchObject({ failure: { kind: 'rejected', field: 'mailboxes' } })
})
