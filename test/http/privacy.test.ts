import { afterEach, beforeEach, expect, test } from 'vitest'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi()
})
afterEach(() => api.close())

test('a person is exported and erased by API, and refused when they are made again', async () => {
  const fields = { givenName: 'Ada', familyName: 'Lee', emails: ['ada@x.example'] }
  const made = await api.call('POST', '/api/contacts', fields)
  const at = `/api/contacts/${String(made.body['id'])}`
  const told = await api.call('GET', `${at}/export`)
  expect(told.status).toBe(200)
  expect(told.body).toMatchObject({ contacts: [made.body['id']], addresses: ['ada@x.example'] })

  expect((await api.call('POST', `${at}/erase`, {})).status).toBe(422)
  expect((await api.call('POST', `${at}/erase`, { dryRun: 'yes' })).status).toBe(422)
  const planned = await api.call('POST', `${at}/erase`, { dryRun: true })
  expect([planned.status, planned.body['state']]).toEqual([200, 'planned'])
  expect((await api.call('GET', at)).body).toMatchObject({ archived: false })
  const erased = await api.call('POST', `${at}/erase`, { dryRun: false })
  expect([erased.status, erased.body['state']]).toEqual([202, 'erased'])
  expect((await api.call('POST', `${at}/erase`, { dryRun: false })).status).toBe(409)
  expect((await api.call('GET', `${at}/export`)).status).toBe(404)
  expect((await api.call('PATCH', at, { givenName: 'Ada' })).status).toBe(404)
  const again = await api.call('POST', '/api/contacts', fields)
  expect(again.status).toBe(422)
  expect(again.text).toContain('concord privacy lift')
  const list = await api.call('GET', '/api/erasures')
  expect(list.body).toMatchObject({ items: [{ by: 'api:crm-import' }], next: null })
  expect((await api.call('GET', '/api/erasures?open=perhaps')).status).toBe(400)
  expect((await api.call('POST', '/api/contacts/999999/erase', { dryRun: true })).status).toBe(404)
})
