import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Mail } from '../../src/connectors/mail.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { createGraphSandbox } from '../../src/sandbox/graph/index.ts'
import { person } from '../../src/sandbox/mail/letter.ts'
import { calendarReply, invitation } from '../../src/sandbox/mail/makers.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { outlookBench } from '../conformance/outlook.bench.ts'
import { type Description, descriptionFile, named, readDescription } from './description.ts'
import { DAY, type Exchange, ioTo, offerTo, reader, stamp, START } from './mail.ts'
import { part, record, type Sent } from './record.ts'
import { everything as everythingOf } from './scenario.ts'
import { oneOfEach, queryFields, refusals, serveDescription } from './steady.ts'
import { problemsOf, problemsOfReply } from './validate.ts'

const FILE = descriptionFile('graph-mail.json')
const ANN = 'ann@contoso.example'
const BEN = 'ben@contoso.example'
const HOOK = 'https://hub.example/webhooks/outlook'

/**
 * What Graph takes and the description leaves out. Tokens stand in links that Graph itself makes:
 * https://learn.microsoft.com/en-us/graph/delta-query-overview#state-tokens
 */
const UNDESCRIBED = /: query \$(?:delta|skip)token: not described$/

/** What OData itself puts into a reply: https://learn.microsoft.com/en-us/graph/delta-query-overview */
const ODATA = /\.(?:@odata\.context|@odata\.etag|@removed): not described$/

const mail: Mail = part(outlook.mail)

describe.skipIf(FILE === null)('what is sent to Graph (needs ../shared/specs/graph-mail.json)', () => {
  let description: Description = { paths: {} }
  let sent: readonly Exchange[] = []
  let contacts: readonly Sent[] = []
  beforeAll(async () => {
    description = readable(readDescription(FILE ?? ''))
    sent = (await everything()).map(ownPath)
    const recording = await record(outlookBench)
    await everythingOf(recording.rig('contacts'))
    await recording.close()
    contacts = recording.sent.map(ownPath)
  }, 60_000)

  it('covers every operation the connector knows', () => {
    const all = [...sent, ...contacts].map((one) => named(description, one))
    expect([...new Set(all)].toSorted()).toEqual([
      'DELETE /v1.0/me/contacts/{contact-id}',
      'DELETE /v1.0/subscriptions/{subscription-id}',
      'GET /v1.0/me',
      'GET /v1.0/me/contacts',
      'GET /v1.0/me/contacts/delta',
      'GET /v1.0/me/contacts/{contact-id}',
      'GET /v1.0/me/mailFolders/delta',
      'GET /v1.0/me/mailFolders/{mailFolder-id}',
      'GET /v1.0/me/mailFolders/{mailFolder-id}/messages/delta',
      'GET /v1.0/me/messages',
      'GET /v1.0/me/messages/{message-id}',
      'GET /v1.0/me/messages/{message-id}/$value',
      'GET /v1.0/me/messages/{message-id}/attachments',
      'GET /v1.0/subscriptions',
      'PATCH /v1.0/me/contacts/{contact-id}',
      'PATCH /v1.0/subscriptions/{subscription-id}',
      'POST /v1.0/me/contacts',
      'POST /v1.0/subscriptions',
    ])
  })

  it('is what Microsoft describes', () => {
    const problems = [...sent, ...contacts].flatMap((one) => problemsOf(description, one))
    expect([...new Set(problems)].filter((one) => !UNDESCRIBED.test(one))).toEqual([])
  })

  it('is answered by the sandbox as Microsoft describes', () => {
    const answered = sent.filter(({ reply }) => reply.status < 300 && reply.body !== null)
    const problems = answered.flatMap((one) =>
      problemsOfReply(description, one, one.reply.status, one.reply.body),
    )
    expect([...new Set(problems)].filter((one) => !ODATA.test(one))).toEqual([])
    expect(new Set(sent.map(({ reply }) => reply.status))).toEqual(new Set([200, 201, 204, 404, 410]))
  })

  it('is shown by the sandbox as Microsoft describes, where nothing is selected', async () => {
    const { app, people, token } = createGraphSandbox({ now: () => START, random: seeded(1), users: [ANN] })
    const [message] = people.deliver(ANN, letterOf(0))
    const contact = people.addContact(ANN, { givenName: 'Eve', businessAddress: { city: 'Berlin' } })
    people.createContactFolder(ANN, 'Friends')
    const paths = [
      '/me',
      '/me/mailFolders',
      '/me/mailFolders/inbox',
      '/me/mailFolders/delta',
      '/me/mailFolders/inbox/messages',
      '/me/mailFolders/inbox/messages/delta',
      '/me/messages',
      `/me/messages/${message?.ids.immutable}`,
      '/me/contactFolders',
      '/me/contactFolders/delta',
      '/me/contacts',
      '/me/contacts/delta',
      `/me/contacts/${contact.ids.immutable}`,
      '/subscriptions',
    ].map((path) => `/v1.0${path}`)
    for (const path of paths) {
      const response = await app.request(path, { headers: { authorization: `Bearer ${token(ANN)}` } })
      const body: unknown = await response.json()
      const problems = problemsOfReply(description, { method: 'GET', path }, response.status, body)
      expect(problems.filter((one) => !ODATA.test(one))).toEqual([])
    }
    const lost = await app.request('/v1.0/me/messages/lost', {
      headers: { authorization: `Bearer ${token(ANN)}` },
    })
    const problem = { method: 'GET', path: '/v1.0/me/messages/lost' }
    // Its errors have `innerError`, as https://learn.microsoft.com/en-us/graph/errors says, not `innererror`.
    expect(problemsOfReply(description, problem, lost.status, await lost.json())).toEqual([
      'GET /v1.0/me/messages/{message-id}: reply.error.innerError: not described',
    ])
  })

  it('changes nothing in a mailbox but contacts', () => {
    const writes = sent.filter(({ method }) => method !== 'GET').map((one) => named(description, one))
    expect(new Set(writes)).toEqual(
      new Set([
        'POST /v1.0/subscriptions',
        'PATCH /v1.0/subscriptions/{subscription-id}',
        'DELETE /v1.0/subscriptions/{subscription-id}',
      ]),
    )
  })

  describe('to a server made of the description', () => {
    let server: Awaited<ReturnType<typeof serveDescription>>
    beforeAll(async () => {
      server = await serveDescription(FILE ?? '', 'as described')
    })
    afterAll(() => server.close())

    it('gives no reason for a 400', { timeout: 60_000 }, async () => {
      const each = oneOfEach(description, [...sent, ...contacts], queryFields)
      expect(await refusals(server, each)).toEqual([])
    })

    it('does for a request that is wrong', async () => {
      const [creation] = contacts.filter(({ method }) => method === 'POST')
      const wrong = { ...part(creation), body: JSON.stringify({ businessPhones: 'one' }) }
      expect(await server.refusal(wrong)).toContain('400')
    })
  })

  it.each<readonly [string, Partial<Sent>, RegExp]>([
    ['/messages/delta', { path: '/v1.0/me/mailFolders/inbox/mails/delta' }, /no such path/],
    ['/messages/delta', { method: 'DELETE' }, /no such method/],
    ['/messages/delta', { query: '$select=subject,labels' }, /query \$select.*allowed values/],
    ['/messages/delta', { query: '$orderby=receivedAt desc' }, /query \$orderby.*allowed values/],
    ['/messages/delta', { query: '$top=many' }, /query \$top.*integer/],
    ['/messages/delta', { query: 'since=2026-01-01' }, /query since: not described/],
    ['/messages', { query: '$select=id&pageToken=2' }, /query pageToken: not described/],
  ])('would be found wrong: %s with %j', (path, wrong, problem) => {
    const like = part(sent.find((one) => one.path.endsWith(path)))
    expect(problemsOf(description, { ...like, ...wrong }).join('\n')).toMatch(problem)
  })

  it.each<readonly [string, object, RegExp]>([
    ['/contacts', { phones: ['1'] }, /body.phones: not described/],
    ['/contacts', { emailAddresses: [{ address: 'a@b.example', type: 'home' }] }, /0.type: not described/],
    ['/contacts', { businessAddress: { zip: '10115' } }, /businessAddress.zip: not described/],
    ['/contacts', { businessPhones: 'one' }, /body.businessPhones: must be array/],
    ['/subscriptions', { notificationUrl: HOOK, secret: 'x' }, /body.secret: not described/],
    ['/subscriptions', { expirationDateTime: 7_000, changeTypes: [] }, /body.changeTypes: not described/],
  ])('would be found wrong in a body: %s with %j', (path, wrong, problem) => {
    const all = [...sent, ...contacts].filter(({ method }) => method === 'POST')
    const like = part(all.find((one) => one.path.endsWith(path)))
    expect(problemsOf(description, { ...like, body: JSON.stringify(wrong) }).join('\n')).toMatch(problem)
  })
})

/** Everything the runtime ever asks of the connector, for one person and for an application. */
async function everything(): Promise<readonly Exchange[]> {
  const clock = { now: START }
  const sandbox = createGraphSandbox({
    now: () => clock.now,
    random: seeded(11),
    users: [ANN, BEN],
    tokenSeconds: 30 * 86_400,
    deliver: proves,
  })
  const { people, vendor } = sandbox
  const sent: Exchange[] = []
  const open = (secrets: Readonly<Record<string, string>>, settings: JsonObject) =>
    ioTo(
      sandbox.app,
      {
        connector: outlook,
        secrets: { clientId: sandbox.application.id, ...secrets },
        settings: { tenant: sandbox.state.tenant.domain, ...settings },
      },
      clock,
      sent,
    )

  const own = open({ accessToken: sandbox.token(ANN) }, {})
  await outlook.check(own)
  const [mailbox] = await mail.mailboxes(own)
  const hub = reader(mail, part(mailbox))
  people.createFolder(ANN, 'Private')
  for (let i = 0; i < 230; i += 1)
    people.deliver(ANN, letterOf(i), { at: START - i * 1000, ...(i === 3 ? { folder: 'Private' } : {}) })
  const first = await mail.subscribe?.(own, hub.mailbox, null, { url: HOOK, secret: 'secret' })
  await mail.subscribe?.(own, hub.mailbox, part(first).kept, { url: HOOK, secret: 'secret' })
  await mail.subscribe?.(own, hub.mailbox, part(first).kept, { url: HOOK, secret: 'another' })
  await hub.read(own, 'live', null)
  await hub.read(own, 'backfill', START - DAY)
  if (hub.known.size !== 230) throw new Error(`The backfill found ${hub.known.size} of 230`)
  const [moved = '', binned = '', gone = ''] = [...hub.known]
  people.move(ANN, moved, 'Private')
  people.softDelete(ANN, binned)
  people.hardDelete(ANN, gone)
  const invited = invitation(person(ANN), person('eve@client.example', 'Eve'), 'Lunch', stamp(900))
  const own1 = people.send(ANN, invited)
  const [late] = people.deliver(ANN, calendarReply(invited, person('eve@client.example', 'Eve'), stamp(901)))
  clock.now += DAY
  await hub.read(own, 'live', START - DAY)
  for (const one of [own1, late])
    if (!hub.known.has(one?.ids.immutable ?? '')) throw new Error('Live reading missed what came')
  people.renameFolder(ANN, 'Private', 'Work')
  await hub.read(own, 'live', START - DAY)
  vendor.expireDelta(ANN)
  clock.now += DAY
  people.deliver(ANN, letterOf(1000))
  await hub.read(own, 'live', START - DAY)
  await hub.read(own, 'backfill', START - DAY)
  await mail.fetch(own, hub.mailbox, [moved, gone, 'unknown'])

  const app = open(
    { accessToken: sandbox.token(), clientSecret: sandbox.application.secret },
    { mailboxes: [ANN, BEN] },
  )
  await outlook.check(app)
  const all = await mail.mailboxes(app)
  if (all.length !== 2) throw new Error(`${all.length} mailboxes of 2 were found`)
  const [placed] = people.deliver(BEN, letterOf(2000))
  const other = reader(mail, part(all.find(({ address }) => address === BEN)))
  await mail.subscribe?.(app, other.mailbox, null, { url: HOOK, secret: 'secret' })
  await other.read(app, 'live', null)
  await other.read(app, 'backfill', null)
  if (!other.known.has(placed?.ids.immutable ?? '')) throw new Error('The application read nothing')
  return sent.filter(({ path }) => path.startsWith('/v1.0/'))
}

/**
 * As the validator can read it: `nullable` means nothing beside a reference, and that something may also be null is
 * written as any object, which would take whatever else is wrong.
 */
function readable(description: Description): Description {
  const tidy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(tidy)
    if (typeof value !== 'object' || value === null) return value
    const isAnything = 'type' in value && value.type === 'object' && Object.keys(value).length === 2
    if (isAnything && 'nullable' in value) return { type: 'null' }
    const kept = Object.entries(value).filter(([key]) => key !== 'nullable' || 'type' in value)
    return Object.fromEntries(kept.map(([key, child]) => [key, tidy(child)]))
  }
  return tidy(description) as Description
}

/** A receiver that answers as Graph wants it. */
const proves: typeof fetch = async (input) =>
  new Response(new URL(new Request(input).url).searchParams.get('validationToken'), {
    headers: { 'content-type': 'text/plain' },
  })

/** The description has one's own mailbox only; those of others have the same paths below `/users/{id}`. */
function ownPath<T extends Sent>(one: T): T {
  return { ...one, path: one.path.replace(/^\/v1\.0\/users\/[^/]+/, '/v1.0/me') }
}

const letterOf = (i: number) =>
  offerTo(ANN, i, {
    attachments: i % 50 === 0 ? [{ name: 'a.pdf', type: 'application/pdf', content: 'PDF' }] : [],
  })
