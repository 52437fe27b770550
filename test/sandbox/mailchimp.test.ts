import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createMailchimpSandbox, type MailchimpOptions } from '../../src/sandbox/mailchimp/app.ts'
import { subscriberHash } from '../../src/sandbox/mailchimp/state.ts'

const START = Date.parse('2026-03-01T12:00:00Z')
let now = START
beforeEach(() => {
  now = START
})

const answer = z.record(z.string(), z.unknown())
const listing = z.object({ members: z.array(answer), total_items: z.number() })

/** A sandbox, and an API client with the right key. */
function mailchimp(options: Partial<MailchimpOptions> = {}) {
  let seed = 1
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const sandbox = createMailchimpSandbox({ now: () => now, random, ...options })
  const authorization = `Basic ${Buffer.from(`anyone:${sandbox.state.apiKey}`).toString('base64')}`
  const call = async (method: string, path: string, body?: unknown) => {
    const init = {
      method,
      headers: { authorization },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    const response = await sandbox.app.request(`/3.0${path}`, init)
    const reply = await response.text()
    return { status: response.status, body: reply === '' ? {} : answer.parse(JSON.parse(reply)), response }
  }
  const list = `/lists/${sandbox.audience.id}`
  const at = (email: string): string => `${list}/members/${subscriberHash(email)}`
  const mails = (): string[] => sandbox.audience.confirmationMails.map((mail) => mail.email)
  const emails = async (query: string): Promise<unknown[]> => {
    const { members } = listing.parse((await call('GET', `${list}/members?${query}`)).body)
    return members.map((member) => member['email_address'])
  }
  return { ...sandbox, call, list, at, mails, emails }
}

const idOf = (body: Record<string, unknown>): string => z.string().parse(body['id'])

const compliance = { title: 'Member In Compliance State', status: 400 }

describe('requests', () => {
  test('Basic with any user name, or Bearer, carries the key; others are 401', async () => {
    const { app, state } = mailchimp()
    const ping = async (headers: Record<string, string>) =>
      (await app.request('/3.0/ping', { headers })).status
    expect(await ping({ authorization: `Bearer ${state.apiKey}` })).toBe(200)
    expect(
      await ping({ authorization: `Basic ${Buffer.from(`x:${state.apiKey}`).toString('base64')}` }),
    ).toBe(200)
    expect(await ping({ authorization: 'Bearer wrong' })).toBe(401)
    expect(await ping({})).toBe(401)
  })

  test('the root names the account, with and without a trailing slash', async () => {
    const { call } = mailchimp()
    for (const path of ['', '/', '/?fields=account_id,login_id,account_name']) {
      const { body } = await call('GET', path)
      expect(body).toMatchObject({
        account_name: 'Sandbox Ltd',
        account_id: expect.stringMatching(/^[0-9a-f]{25}$/),
      })
    }
  })

  test('errors are problem+json', async () => {
    const { call, list } = mailchimp()
    const { status, body, response } = await call('GET', `${list}/members/none`)
    expect([status, response.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    expect(body).toMatchObject({ title: 'Resource Not Found', status: 404, detail: expect.any(String) })
    expect(body['instance']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('the eleventh request at the same time is a 429', async () => {
    const { call, connections } = mailchimp()
    const replies = await Promise.all(Array.from({ length: 11 }, () => call('GET', '/ping')))
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(1)
    expect(connections.refused).toBe(1)
    expect((await call('GET', '/ping')).status).toBe(200)
  })

  test('extreme load is a bare 403 without JSON', async () => {
    const { app, admin } = mailchimp()
    admin.setOverloaded(true)
    const response = await app.request('/3.0/ping')
    expect([response.status, response.headers.get('content-type')]).toEqual([403, 'text/html'])
  })

  test('faults reach the API', async () => {
    const { call, faults, at, admin } = mailchimp()
    faults.plan = ({ method }) => (method === 'PUT' ? { kind: 'after-commit', status: 500 } : null)
    const ann = { email_address: 'ann@example.com', status_if_new: 'subscribed' }
    expect((await call('PUT', at('ann@example.com'), ann)).status).toBe(500)
    expect(admin.member('ann@example.com')?.status).toBe('subscribed')
  })
})

describe('members', () => {
  test('a member has the MD5 of the lower-cased address as id, and is found by id, address and contact id', async () => {
    const { call, list } = mailchimp()
    const created = await call('POST', `${list}/members`, {
      email_address: 'Ann@Example.com',
      status: 'subscribed',
      merge_fields: { FNAME: 'Ann', LNAME: 'Lee', NOSUCH: 'dropped' },
      tags: ['vip'],
    })
    expect(created.body).toMatchObject({
      id: subscriberHash('ann@example.com'),
      email_address: 'Ann@Example.com',
      full_name: 'Ann Lee',
      timestamp_opt: '2026-03-01T12:00:00+00:00',
      last_changed: '2026-03-01T12:00:00+00:00',
      tags: [{ id: 1, name: 'vip' }],
    })
    expect(created.body['merge_fields']).not.toHaveProperty('NOSUCH')
    for (const key of [idOf(created.body), String(created.body['contact_id']), 'ANN@example.com']) {
      expect((await call('GET', `${list}/members/${key}`)).body).toEqual(created.body)
    }
    const again = await call('POST', `${list}/members`, {
      email_address: 'ann@example.com',
      status: 'subscribed',
    })
    expect(again.body).toMatchObject({ title: 'Member Exists', status: 400 })
  })

  test('last_changed moves only with a real change', async () => {
    const { call, admin, at } = mailchimp()
    admin.seed([{ email: 'ann@example.com', mergeFields: { FNAME: 'Ann' } }])
    now += 5000
    const edit = (FNAME: string) => call('PATCH', at('ann@example.com'), { merge_fields: { FNAME } })
    expect((await edit('Ann')).body['last_changed']).toBe('2026-03-01T12:00:00+00:00')
    expect((await edit('Anna')).body['last_changed']).toBe('2026-03-01T12:00:05+00:00')
  })

  test('a changed address changes the id, and the old id is a 404', async () => {
    const { call, admin, at } = mailchimp()
    admin.seed([{ email: 'old@example.com' }, { email: 'taken@example.com' }])
    const before = await call('GET', at('old@example.com'))
    const after = await call('PATCH', at('old@example.com'), { email_address: 'new@example.com' })
    expect(after.body).toMatchObject({
      id: subscriberHash('new@example.com'),
      contact_id: before.body['contact_id'],
    })
    expect((await call('GET', at('old@example.com'))).status).toBe(404)
    const taken = await call('PATCH', at('new@example.com'), { email_address: 'taken@example.com' })
    expect(taken.body).toMatchObject({ title: 'Member Exists' })
  })

  test('merge fields are checked, and the errors name them', async () => {
    const { call, admin, at } = mailchimp()
    admin.seed([{ email: 'ann@example.com' }])
    const edit = (merge_fields: object) => call('PATCH', at('ann@example.com'), { merge_fields })
    const refused = await edit({
      FNAME: 'x'.repeat(256),
      BIRTHDAY: '31/12',
      ADDRESS: { addr1: 'Only a street' },
    })
    const errors = z.array(z.object({ field: z.string() })).parse(refused.body['errors'])
    expect([refused.status, errors.map(({ field }) => field)]).toEqual([
      400,
      ['FNAME', 'ADDRESS', 'BIRTHDAY'],
    ])

    const ADDRESS = { addr1: '1 High St', city: 'Leeds', state: 'WY', zip: 'LS1', country: 'GB' }
    const accepted = await edit({ FNAME: 'x'.repeat(255), BIRTHDAY: '12/31', ADDRESS })
    expect(accepted.body['merge_fields']).toMatchObject({
      BIRTHDAY: '12/31',
      ADDRESS: { ...ADDRESS, addr2: '' },
    })
  })

  test('a required merge field must have a value, unless validation is skipped', async () => {
    const { call, admin, at } = mailchimp()
    admin.requireMergeField('LNAME')
    const ann = { email_address: 'ann@example.com', status_if_new: 'subscribed' }
    const refused = await call('PUT', at('ann@example.com'), ann)
    expect(refused.body).toMatchObject({
      status: 400,
      errors: [{ field: 'LNAME', message: 'Please enter a value' }],
    })
    expect((await call('PUT', `${at('ann@example.com')}?skip_merge_validation=true`, ann)).status).toBe(200)
  })

  test('an address that is none is refused', async () => {
    const { call, list } = mailchimp()
    const { status, body } = await call('POST', `${list}/members`, {
      email_address: 'no@tld',
      status: 'subscribed',
    })
    expect([status, body['title']]).toEqual([400, 'Invalid Resource'])
  })
})

describe('consent', () => {
  test('status_if_new is for new members only; status flips members that exist', async () => {
    const { call, at } = mailchimp()
    const put = (body: object) =>
      call('PUT', at('ann@example.com'), { email_address: 'ann@example.com', ...body })
    expect((await put({ status_if_new: 'unsubscribed' })).body['status']).toBe('unsubscribed')
    expect((await put({ status_if_new: 'subscribed' })).body['status']).toBe('unsubscribed')
    expect((await put({ status_if_new: 'subscribed', status: 'subscribed' })).body['status']).toBe(
      'subscribed',
    )
  })

  test('a person who unsubscribed can only be asked: pending works, and mails them', async () => {
    const { call, admin, at, mails } = mailchimp()
    admin.seed([{ email: 'ann@example.com' }])
    admin.unsubscribe('ann@example.com', 'too many mails')
    expect((await call('GET', at('ann@example.com'))).body).toMatchObject({
      status: 'unsubscribed',
      unsubscribe_reason: 'too many mails',
    })
    const set = (status: string) => call('PATCH', at('ann@example.com'), { status })
    expect((await set('subscribed')).body).toMatchObject(compliance)
    expect([(await set('pending')).body['status'], mails()]).toEqual(['pending', ['ann@example.com']])
    expect((await set('subscribed')).body).toMatchObject(compliance)
    admin.confirm('ann@example.com')
    expect((await call('GET', at('ann@example.com'))).body['status']).toBe('subscribed')
  })

  test('a profile can still be edited after an unsubscribe', async () => {
    const { call, admin, at } = mailchimp()
    admin.seed([{ email: 'ann@example.com', status: 'unsubscribed' }])
    const { body } = await call('PATCH', at('ann@example.com'), { merge_fields: { FNAME: 'Ann' } })
    expect(body).toMatchObject({ status: 'unsubscribed', full_name: 'Ann' })
  })

  test('a member unsubscribed by API or by staff may be subscribed again: the vendor is no safety net', async () => {
    const { call, admin, at, mails } = mailchimp()
    admin.seed([{ email: 'api@example.com' }, { email: 'staff@example.com' }])
    await call('PATCH', at('api@example.com'), { status: 'unsubscribed' })
    admin.unsubscribe('staff@example.com', 'asked by phone', 'admin')
    for (const email of ['api@example.com', 'staff@example.com']) {
      expect((await call('PATCH', at(email), { status: 'subscribed' })).body['status']).toBe('subscribed')
    }
    expect(mails()).toEqual([])
  })

  test('a cleaned member cannot be edited, subscribed or archived', async () => {
    const { call, admin, at } = mailchimp()
    admin.seed([{ email: 'ann@example.com' }])
    admin.clean('ann@example.com')
    expect((await call('PATCH', at('ann@example.com'), { status: 'subscribed' })).body).toMatchObject(
      compliance,
    )
    const edit = await call('PATCH', at('ann@example.com'), { merge_fields: { FNAME: 'Ann' } })
    expect(edit.status).toBe(400)
    expect((await call('DELETE', at('ann@example.com'))).status).toBe(405)
  })

  test('un-archiving sets whatever status is sent, and forgets that the person had unsubscribed', async () => {
    const { call, admin, at, mails } = mailchimp()
    admin.seed([{ email: 'ann@example.com', status: 'unsubscribed' }])
    expect((await call('DELETE', at('ann@example.com'))).status).toBe(204)
    expect((await call('GET', at('ann@example.com'))).body['status']).toBe('archived')
    const profile = {
      email_address: 'ann@example.com',
      status_if_new: 'subscribed',
      merge_fields: { FNAME: 'Ann' },
    }
    expect((await call('PUT', at('ann@example.com'), profile)).body['status']).toBe('archived')
    const { body } = await call('PUT', at('ann@example.com'), { ...profile, status: 'subscribed' })
    expect([body['status'], mails()]).toEqual(['subscribed', []])
  })

  test('a permanently deleted address cannot be added back by API, only by the person', async () => {
    const { call, admin, at, list, mails } = mailchimp()
    admin.seed([{ email: 'ann@example.com' }])
    expect((await call('POST', `${at('ann@example.com')}/actions/delete-permanent`)).status).toBe(204)
    expect((await call('GET', at('ann@example.com'))).status).toBe(404)
    const add = (status: string) =>
      call('POST', `${list}/members`, { email_address: 'ann@example.com', status })
    expect((await add('subscribed')).body).toMatchObject({
      title: 'Forgotten Email Not Subscribed',
      status: 400,
    })
    expect([(await add('pending')).status, mails()]).toEqual([200, ['ann@example.com']])
    const force = await call('PATCH', at('ann@example.com'), { status: 'subscribed' })
    expect(force.body).toMatchObject(compliance)
    expect(admin.resubscribeByForm('ann@example.com').status).toBe('subscribed')
  })
})

describe('listing', () => {
  test('ten a page unless asked, at most 1,000, with the total', async () => {
    const { call, admin, list } = mailchimp()
    admin.seed(Array.from({ length: 1200 }, (_, i) => ({ email: `m${i}@example.com` })))
    const read = async (query: string) => listing.parse((await call('GET', `${list}/members?${query}`)).body)
    expect([(await read('')).members.length, (await read('')).total_items]).toEqual([10, 1200])
    expect((await read('count=1000&offset=1000')).members).toHaveLength(200)
    expect((await call('GET', `${list}/members?count=1001`)).status).toBe(400)
  })

  test('archived members are listed only when asked for, deleted ones never', async () => {
    const { admin, emails } = mailchimp()
    const names = ['a', 'b', 'c']
    admin.seed(names.map((name) => ({ email: `${name}@example.com` })))
    admin.archive('a@example.com')
    admin.deletePermanently('b@example.com')
    expect(await emails('')).toEqual(['c@example.com'])
    expect(await emails('status=archived')).toEqual(['a@example.com'])
  })

  test('since_last_changed is after that second, not within it', async () => {
    const { admin, emails } = mailchimp()
    admin.seed([{ email: 'a@example.com' }])
    now += 999
    admin.seed([{ email: 'b@example.com' }])
    now += 1
    admin.seed([{ email: 'c@example.com' }])
    const since = (iso: string) => emails(`since_last_changed=${encodeURIComponent(iso)}`)
    expect(await since('2026-03-01T12:00:00+00:00')).toEqual(['c@example.com'])
    expect(await since('2026-03-01T11:59:59+00:00')).toHaveLength(3)
  })

  test('members can be sorted by change, and are found again after one changed', async () => {
    const { admin, emails } = mailchimp()
    for (const name of ['a', 'b']) {
      admin.seed([{ email: `${name}@example.com` }])
      now += 1000
    }
    const newest = 'sort_field=last_changed&sort_dir=DESC'
    expect(await emails(newest)).toEqual(['b@example.com', 'a@example.com'])
    admin.editProfile('a@example.com', { FNAME: 'A' })
    expect(await emails(newest)).toEqual(['a@example.com', 'b@example.com'])
  })

  test('fields and exclude_fields cut the answer down', async () => {
    const { call, admin, list } = mailchimp()
    admin.seed([{ email: 'ann@example.com', mergeFields: { FNAME: 'Ann' } }])
    const kept = await call('GET', `${list}/members?fields=members.email_address,members.merge_fields.FNAME`)
    expect(kept.body).toEqual({
      members: [{ email_address: 'ann@example.com', merge_fields: { FNAME: 'Ann' } }],
    })
    const dropped = await call('GET', `${list}/members?exclude_fields=members`)
    expect(dropped.body).toEqual({ list_id: list.slice(7), total_items: 1 })
  })

  test('100,000 members are seeded and read in pages quickly', { timeout: 30_000 }, async () => {
    const { call, admin, list } = mailchimp()
    admin.seed(Array.from({ length: 100_000 }, (_, i) => ({ email: `m${i}@example.com` })))
    let seen = 0
    for (let offset = 0; offset < 100_000; offset += 1000) {
      const path = `${list}/members?count=1000&offset=${offset}&sort_field=last_changed&fields=members.id`
      seen += z.object({ members: z.array(z.unknown()) }).parse((await call('GET', path)).body).members.length
    }
    expect(seen).toBe(100_000)
  })

  test('search finds by address exactly and by part', async () => {
    const { call, admin } = mailchimp()
    admin.seed([{ email: 'ann@example.com' }, { email: 'joann@example.com' }])
    const { body } = await call('GET', '/search-members?query=ann@example.com')
    expect(body).toMatchObject({ exact_matches: { total_items: 1 }, full_search: { total_items: 2 } })
  })
})

describe('audience', () => {
  test('merge fields are listed, and can be added', async () => {
    const { call, list, at, admin } = mailchimp()
    const added = await call('POST', `${list}/merge-fields`, {
      name: 'Plan',
      tag: 'plan',
      type: 'dropdown',
      options: { choices: ['Basic', 'Pro'] },
    })
    expect(added.body).toMatchObject({ tag: 'PLAN', options: { choices: ['Basic', 'Pro'] } })
    const { body } = await call('GET', `${list}/merge-fields?count=100`)
    expect(body).toMatchObject({ total_items: 8 })
    admin.seed([{ email: 'ann@example.com' }])
    const edit = (PLAN: string) => call('PATCH', at('ann@example.com'), { merge_fields: { PLAN } })
    expect([(await edit('Gold')).status, (await edit('Pro')).status]).toEqual([400, 200])
  })

  test('tags are switched on and off; repeating changes nothing', async () => {
    const { call, admin, at } = mailchimp()
    admin.seed([{ email: 'ann@example.com' }])
    const tags = (name: string, status: string) =>
      call('POST', `${at('ann@example.com')}/tags`, { tags: [{ name, status }] })
    expect((await tags('Customer', 'active')).status).toBe(204)
    now += 60_000
    await tags('customer', 'active')
    const { body } = await call('GET', `${at('ann@example.com')}/tags`)
    expect(body).toMatchObject({ tags: [{ id: 1, name: 'Customer' }], total_items: 1 })
    expect(admin.member('ann@example.com')?.lastChangedAt).toBe(START)
    await tags('Customer', 'inactive')
    expect((await call('GET', at('ann@example.com'))).body['tags_count']).toBe(0)
  })

  test('many members at once: 200 with the failures inside', async () => {
    const { call, admin, list } = mailchimp()
    admin.seed([{ email: 'out@example.com', status: 'unsubscribed' }, { email: 'ann@example.com' }])
    const members = ['new@example.com', 'ann@example.com', 'out@example.com', 'nonsense'].map(
      (email_address) => ({
        email_address,
        status: 'subscribed',
      }),
    )
    const first = await call('POST', list, { members })
    expect(first.body).toMatchObject({ total_created: 1, total_updated: 0, error_count: 3 })
    expect(first.body['errors']).toMatchObject([
      { error_code: 'ERROR_CONTACT_EXISTS' },
      {},
      { email_address: 'nonsense' },
    ])
    const second = await call('POST', list, { members, update_existing: true })
    expect(second.body).toMatchObject({ total_created: 0, total_updated: 2, error_count: 2 })
    const tooMany = await call('POST', list, { members: Array.from({ length: 501 }, () => members[0]) })
    expect(tooMany.status).toBe(400)
  })
})

describe('batches', () => {
  async function resultsIn(archive: ArrayBuffer): Promise<Record<string, unknown>[]> {
    const results: Record<string, unknown>[] = []
    const tar = extract()
    tar.end(gunzipSync(archive))
    for await (const entry of tar) {
      const content = await text(entry)
      if (entry.header.type === 'file') results.push(...z.array(answer).parse(JSON.parse(content)))
    }
    return results
  }

  test('a finished batch hides failures in its archive, in no particular order', async () => {
    const { app, call, list, at, admin } = mailchimp()
    const operations = Array.from({ length: 600 }, (_, i) => ({
      method: 'PUT',
      path: at(`m${i}@example.com`),
      operation_id: `op-${i}`,
      body: JSON.stringify({
        email_address: `m${i}@example.com`,
        status_if_new: i === 7 ? 'nonsense' : 'subscribed',
      }),
    }))
    const read = { method: 'GET', path: `${list}/members`, operation_id: 'read', params: { count: 1 } }
    const { body: created } = await call('POST', '/batches', { operations: [...operations, read] })
    expect(created).toMatchObject({ status: 'pending', total_operations: 601, response_body_url: '' })
    const poll = async () => (await call('GET', `/batches/${idOf(created)}`)).body
    expect(await poll()).toMatchObject({ status: 'started', response_body_url: '' })
    expect(admin.members()).toHaveLength(0)
    const finished = await poll()
    expect(finished).toMatchObject({ status: 'finished', finished_operations: 601, errored_operations: 1 })
    expect(admin.members()).toHaveLength(599)

    const url = z.string().parse(finished['response_body_url'])
    const results = await resultsIn(await (await app.request(url)).arrayBuffer())
    expect(results).toHaveLength(601)
    expect(results[0]).not.toMatchObject({ operation_id: 'op-0' })
    const failed = results.find((result) => result['operation_id'] === 'op-7')
    expect(failed).toMatchObject({ status_code: 400, response: expect.stringContaining('Invalid Resource') })

    expect((await app.request(url, { headers: { authorization: 'Bearer x' } })).status).toBe(400)
    expect((await app.request(url.replace(/=.*/, '=wrong'))).status).toBe(403)
  })

  test('a batch finishes with time too, and only 500 may wait', async () => {
    const { call } = mailchimp()
    const create = () => call('POST', '/batches', { operations: [{ method: 'GET', path: 'ping' }] })
    const { body } = await create()
    for (let i = 1; i < 500; i += 1) await create()
    expect((await create()).status).toBe(429)
    now += 60_000
    expect((await call('GET', `/batches/${idOf(body)}`)).body).toMatchObject({
      status: 'finished',
      errored_operations: 0,
    })
    expect((await create()).status).toBe(200)
  })
})

describe('webhooks', () => {
  const all = { subscribe: true, unsubscribe: true, profile: true, cleaned: true, upemail: true }
  const people = { user: true, admin: true, api: false }

  test('people are told of, API writes only when asked for', async () => {
    const { call, admin, list, at, pendingWebhooks } = mailchimp()
    const hook = { url: 'http://hub.example/hook?secret=1', events: all, sources: people }
    const { body } = await call('POST', `${list}/webhooks`, hook)
    expect(body).toMatchObject({ ...hook, events: { ...all, campaign: false } })
    await call('PUT', at('ann@example.com'), {
      email_address: 'ann@example.com',
      status_if_new: 'subscribed',
    })
    expect(pendingWebhooks).toHaveLength(0)
    admin.editProfile('ann@example.com', { FNAME: 'Ann' })
    expect(pendingWebhooks).toHaveLength(1)
    await call('PATCH', `${list}/webhooks/${idOf(body)}`, { sources: { api: true } })
    await call('PATCH', at('ann@example.com'), { merge_fields: { FNAME: 'Anna' } })
    expect(pendingWebhooks).toHaveLength(2)
    expect((await call('POST', `${list}/webhooks`, hook)).status).toBe(400)
  })

  test('they are forms with bracket keys, a time without zone, and no event id', async () => {
    const { call, admin, list, pendingWebhooks } = mailchimp()
    await call('POST', `${list}/webhooks`, { url: 'http://hub.example/hook', events: all, sources: people })
    admin.subscribe('ann@example.com', { FNAME: 'Ann' })
    admin.changeEmail('ann@example.com', 'anna@example.com')
    admin.unsubscribe('anna@example.com', 'abuse')
    admin.resubscribeByForm('anna@example.com')
    admin.archive('anna@example.com')
    admin.subscribe('bob@example.com')
    admin.clean('bob@example.com')
    const forms = pendingWebhooks.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
    const types = ['subscribe', 'upemail', 'unsubscribe', 'subscribe', 'unsubscribe', 'subscribe', 'cleaned']
    expect(forms.map((form) => form['type'])).toEqual(types)
    expect(forms[0]).toMatchObject({
      fired_at: '2026-03-01 12:00:00',
      'data[email]': 'ann@example.com',
      'data[list_id]': list.slice(7),
      'data[merges][FNAME]': 'Ann',
    })
    expect(forms[1]).toMatchObject({
      'data[old_email]': 'ann@example.com',
      'data[new_email]': 'anna@example.com',
      'data[new_id]': admin.member('anna@example.com')?.uniqueEmailId,
    })
    expect(forms[2]).toMatchObject({ 'data[action]': 'unsub', 'data[reason]': 'abuse' })
    expect(forms[4]).toMatchObject({ 'data[action]': 'delete', 'data[reason]': 'manual' })
    expect(forms[6]).toMatchObject({ 'data[email]': 'bob@example.com', 'data[reason]': 'hard' })
  })

  test('a failed delivery waits for the next flush and is lost in the end; 410 disables the hook', async () => {
    const statuses: number[] = []
    const deliver = async (): Promise<number> => statuses.shift() ?? 200
    const { call, admin, audience, list, pendingWebhooks, flushWebhooks, webhooks } = mailchimp({ deliver })
    await call('POST', `${list}/webhooks`, { url: 'http://hub.example/hook', events: all, sources: people })
    admin.subscribe('a@example.com')
    statuses.push(500)
    await flushWebhooks()
    expect(pendingWebhooks).toHaveLength(1)
    await flushWebhooks()
    expect(pendingWebhooks).toHaveLength(0)

    admin.subscribe('b@example.com')
    statuses.push(500, 500, 500, 500, 500)
    for (let i = 0; i < 5; i += 1) await flushWebhooks()
    expect([pendingWebhooks.length, webhooks.lost]).toEqual([0, 1])

    admin.subscribe('c@example.com')
    statuses.push(410)
    await flushWebhooks()
    expect(audience.webhooks.size).toBe(0)
  })

  test('the address of a hook must answer a GET before it is taken', async () => {
    const { call, list } = mailchimp({ probe: async (url) => url.startsWith('https:') })
    expect((await call('POST', `${list}/webhooks`, { url: 'http://hub.example' })).status).toBe(400)
    expect((await call('POST', `${list}/webhooks`, { url: 'https://hub.example' })).status).toBe(200)
  })

  test('with automatic delivery they leave by themselves', async () => {
    const delivered = Promise.withResolvers<string>()
    const deliver = async (_url: string, body: string): Promise<number> => {
      delivered.resolve(body)
      return 200
    }
    const { call, admin, list } = mailchimp({ deliver, autoDeliver: true })
    await call('POST', `${list}/webhooks`, { url: 'http://hub.example', events: all, sources: people })
    admin.subscribe('ann@example.com')
    expect(await delivered.promise).toContain('type=subscribe')
  })
})
