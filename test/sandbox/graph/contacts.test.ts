import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ANN, codeOf, graph, IMMUTABLE, isRemoved } from './client.ts'

const CONTACTS = '/v1.0/me/contacts'
const CUSTOM = 'String {00020329-0000-0000-c000-000000000046} Name ConcordId'
const bob = {
  givenName: 'Bob',
  surname: 'Builder',
  emailAddresses: [{ address: 'Bob@customer.example' }, { address: 'bob@home.example', name: 'Bobby' }],
  businessPhones: ['+1 202 555 0101'],
}
const etagOf = (body: Record<string, unknown>) => z.string().parse(body['@odata.etag'])
const idOf = (body: Record<string, unknown>) => z.string().parse(body['id'])

function contacts() {
  const sandbox = graph()
  const post = async (body: unknown) => sandbox.call('POST', CONTACTS, { body, headers: IMMUTABLE })
  const patch = async (id: string, body: unknown, headers = {}) =>
    sandbox.call('PATCH', `${CONTACTS}/${id}`, { body, headers: { ...IMMUTABLE, ...headers } })
  return { ...sandbox, post, patch }
}

describe('contacts', () => {
  test('are made, read, changed and deleted', async () => {
    const { post, patch, get, call } = contacts()
    const made = await post(bob)
    expect([made.status, made.body['displayName'], made.body['fileAs']]).toEqual([
      201,
      'Bob Builder',
      'Bob Builder',
    ])
    expect(made.body['emailAddresses']).toEqual([
      { name: 'Bob@customer.example', address: 'Bob@customer.example' },
      { name: 'Bobby', address: 'bob@home.example' },
    ])
    const id = idOf(made.body)
    expect((await patch(id, { businessPhones: [], jobTitle: null })).body).toMatchObject({
      givenName: 'Bob',
      businessPhones: [],
    })
    expect((await call('DELETE', `${CONTACTS}/${id}`)).status).toBe(204)
    expect((await get(`${CONTACTS}/${id}`)).status).toBe(404)
  })

  test('a write on an old etag is 412, and changes nothing', async () => {
    const { people, post, patch, get, call } = contacts()
    const { body } = await post(bob)
    const [id, etag] = [idOf(body), etagOf(body)]
    people.editContact(ANN, id, { jobTitle: 'Builder' })
    const refused = await patch(id, { jobTitle: 'Boss' }, { 'if-match': etag })
    expect([refused.status, codeOf(refused.body)]).toEqual([412, 'ErrorIrresolvableConflict'])
    expect((await call('DELETE', `${CONTACTS}/${id}`, { headers: { 'if-match': etag } })).status).toBe(412)
    const now = (await get(`${CONTACTS}/${id}`)).body
    expect(now).toMatchObject({ jobTitle: 'Builder' })
    expect((await patch(id, { jobTitle: 'Boss' }, { 'if-match': etagOf(now) })).status).toBe(200)
  })

  test.each([
    [
      'more addresses than there is room for',
      { emailAddresses: [1, 2, 3, 4].map((n) => ({ address: `${n}@x.example` })) },
    ],
    ['more phones', { businessPhones: ['1', '2', '3'] }],
    ['what contacts do not have', { telephone: '1' }],
    ['the wrong type', { businessPhones: '1' }],
  ])('refuse %s', async (_what, body) => {
    expect((await contacts().post(body)).status).toBe(400)
  })

  test('are found by address in any case and by an extended property', async () => {
    const { post, list, get } = contacts()
    const singleValueExtendedProperties = [{ id: CUSTOM, value: 'rec-1' }]
    const { body } = await post({ ...bob, singleValueExtendedProperties })
    await post({ givenName: 'Eve', emailAddresses: [{ address: 'eve@x.example' }] })
    const ids = async (filter: string) =>
      (await list(`${CONTACTS}?$filter=${encodeURIComponent(filter)}`, IMMUTABLE)).value.map(({ id }) => id)
    expect(await ids("emailAddresses/any(a:a/address eq 'bob@CUSTOMER.example')")).toEqual([idOf(body)])
    const property = `singleValueExtendedProperties/Any(ep: ep/id eq '${CUSTOM}' and ep/value eq 'rec-1')`
    expect(await ids(property)).toEqual([idOf(body)])
    expect(await ids(property.replace('rec-1', 'rec-2'))).toEqual([])
    const expand = `$expand=singleValueExtendedProperties($filter=id eq '${CUSTOM}')`
    const at = `${CONTACTS}/${idOf(body)}`
    expect((await get(`${at}?${expand}`)).body).toMatchObject({ singleValueExtendedProperties })
    expect((await get(at)).body).not.toHaveProperty('singleValueExtendedProperties')
    expect((await get(`${CONTACTS}?$filter=contains(surname,'x')`)).status).toBe(400)
  })

  test('delta of one folder: made, changed, deleted, moved, with etags', async () => {
    const { people, post, patch, round } = contacts()
    const { body } = await post(bob)
    const folder = people.createContactFolder(ANN, 'Friends')
    const first = await round(`${CONTACTS}/delta?$select=emailAddresses,givenName`)
    expect(first.items).toMatchObject([{ id: idOf(body), '@odata.etag': etagOf(body) }])
    expect(first.items[0]).not.toHaveProperty('surname')
    await patch(idOf(body), { givenName: 'Robert' })
    const second = await round(first.link)
    expect(second.items).toMatchObject([{ givenName: 'Robert' }])
    people.moveContact(ANN, idOf(body), 'Friends')
    expect((await round(second.link)).items.map(isRemoved)).toEqual([true])
    const friends = await round(`/v1.0/me/contactFolders/${folder.ids.immutable}/contacts/delta`)
    expect(friends.items.map(({ id }) => id)).toEqual([idOf(body)])
    people.deleteContact(ANN, idOf(body))
    expect((await round(friends.link)).items.map(isRemoved)).toEqual([true])
  })

  test('the default folder is not among the folders, its children are', async () => {
    const { people, list, round } = contacts()
    people.createContactFolder(ANN, 'Friends')
    expect((await list('/v1.0/me/contactFolders')).value).toMatchObject([{ displayName: 'Friends' }])
    expect((await round('/v1.0/me/contactFolders/delta')).items).toHaveLength(1)
  })
})
