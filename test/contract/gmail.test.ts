import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gmail } from '../../src/connectors/gmail/index.ts'
import type { Mail, MailPage } from '../../src/connectors/mail.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'
import { openClient } from '../../src/runtime/client/client.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGmailSandbox } from '../../src/sandbox/gmail/index.ts'
import { letter, person } from '../../src/sandbox/mail/letter.ts'
import { newsletter } from '../../src/sandbox/mail/makers.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { type Description, descriptionFile, find, readDescription } from './description.ts'
import type { Sent } from './record.ts'
import { serveDescription } from './steady.ts'
import { problemsOf, problemsOfReply } from './validate.ts'

const FILE = descriptionFile('gmail.json')
const ANN = 'ann@us.example'
const BO = 'bo@us.example'
const DAY = 86_400_000
const START = Date.UTC(2026, 10, 22, 9)
const TOPIC = 'projects/sandbox/topics/mail'

type Exchange = Sent & { readonly reply: { readonly status: number; readonly body: unknown } }

/** Tokens and the directory are other APIs of Google's. */
const isGmail = ({ path }: Sent) => path.startsWith('/gmail/')

const mail: Mail = part(gmail.mail)

describe.skipIf(FILE === null)('what is sent to Gmail (needs ../shared/specs/gmail.json)', () => {
  let description: Description = { paths: {} }
  let sent: readonly Exchange[] = []
  beforeAll(async () => {
    description = readDescription(FILE ?? '')
    sent = (await everything()).filter(isGmail)
  })

  it('covers every operation the connector knows', () => {
    expect([...new Set(sent.map((one) => named(description, one)))].toSorted()).toEqual([
      'GET /gmail/v1/users/{userId}/history',
      'GET /gmail/v1/users/{userId}/labels',
      'GET /gmail/v1/users/{userId}/messages',
      'GET /gmail/v1/users/{userId}/messages/{id}',
      'GET /gmail/v1/users/{userId}/profile',
      'GET /gmail/v1/users/{userId}/settings/sendAs',
      'POST /gmail/v1/users/{userId}/watch',
    ])
  })

  it('covers the ways a listing and the history are asked', () => {
    const parameters = (path: string) =>
      new Set(
        sent
          .filter((one) => one.path.endsWith(path))
          .flatMap(({ query }) => [...new URLSearchParams(query).keys()]),
      )
    expect(parameters('/messages')).toEqual(
      new Set(['q', 'maxResults', 'pageToken', 'labelIds', 'includeSpamTrash']),
    )
    expect(parameters('/history')).toEqual(
      new Set(['startHistoryId', 'historyTypes', 'maxResults', 'pageToken']),
    )
  })

  it('is what Google describes', () => {
    expect(new Set(sent.flatMap((one) => problemsOf(description, one)))).toEqual(new Set())
  })

  it('is answered by the sandbox as Google describes', () => {
    const answered = sent.filter(({ reply }) => reply.status === 200)
    const problems = answered.flatMap((one) =>
      problemsOfReply(description, one, one.reply.status, one.reply.body),
    )
    expect(new Set(problems)).toEqual(new Set())
    expect(new Set(sent.map(({ reply }) => reply.status))).toEqual(new Set([200, 404]))
  })

  it.each(['full', 'metadata', 'minimal', 'raw'])(
    'is shown by the sandbox as Google describes: %s',
    async (format) => {
      const { app, people, signIn } = createGmailSandbox({
        now: () => START,
        random: seeded(1),
        mailboxes: [{ address: ANN }],
      })
      const attachments = [{ name: 'a.pdf', type: 'application/pdf', content: 'PDF' }]
      const [placed] = await people.deliver(ANN, { ...letterOf(1), html: '<p>Hello</p>', attachments })
      for (const what of ['messages', 'threads']) {
        const path = `/gmail/v1/users/me/${what}/${placed?.id}`
        const response = await app.request(`${path}?format=${format}`, {
          headers: { authorization: `Bearer ${signIn(ANN).accessToken}` },
        })
        const problems = problemsOfReply(
          description,
          { method: 'GET', path },
          response.status,
          await response.json(),
        )
        expect(problems).toEqual([])
      }
    },
  )

  it('changes nothing in a mailbox', () => {
    const writes = sent.filter(({ method }) => method !== 'GET').map((one) => named(description, one))
    expect(new Set(writes)).toEqual(new Set(['POST /gmail/v1/users/{userId}/watch']))
  })

  describe('to a server made of the description', () => {
    let server: Awaited<ReturnType<typeof serveDescription>>
    beforeAll(async () => {
      server = await serveDescription(FILE ?? '', 'as described')
    })
    afterAll(() => server.close())

    it('gives no reason for a 400', { timeout: 60_000 }, async () => {
      const refusals: string[] = []
      for (const one of oneOfEach(description, sent)) {
        const refusal = await server.refusal(one)
        if (refusal !== null) refusals.push(refusal)
      }
      expect(refusals).toEqual([])
    })

    it('does for a request that is wrong', async () => {
      const [reading] = sent.filter(({ query }) => query.includes('format=raw'))
      expect(await server.refusal({ ...part(reading), query: 'format=mime' })).toContain('400')
    })
  })

  it.each<readonly [Partial<Sent>, RegExp]>([
    [{ path: '/gmail/v1/users/me/mails' }, /no such path/],
    [{ path: '/gmail/v1/me/history' }, /no such path/],
    [{ method: 'DELETE' }, /no such method/],
    [{ query: 'historyTypes=messagesAdded' }, /query historyTypes.*allowed values/],
    [{ query: 'maxResults=many' }, /query maxResults.*integer/],
    [{ query: 'since=2026-01-01' }, /query since: not described/],
  ])('would be found wrong: %j', (wrong, problem) => {
    const [history] = sent.filter(({ path }) => path.endsWith('/history'))
    expect(problemsOf(description, { ...part(history), ...wrong }).join('\n')).toMatch(problem)
  })

  it.each<readonly [object, RegExp]>([
    [{ topic: TOPIC }, /body.topic: not described/],
    [{ topicName: TOPIC, labelIds: 'INBOX' }, /body.labelIds: must be array/],
    [{ topicName: TOPIC, labelFilterBehavior: 'only' }, /body.labelFilterBehavior.*allowed values/],
  ])('would be found wrong in the body of a watch: %j', (wrong, problem) => {
    const [watch] = sent.filter(({ path }) => path.endsWith('/watch'))
    expect(problemsOf(description, { ...part(watch), body: JSON.stringify(wrong) }).join('\n')).toMatch(
      problem,
    )
  })
})

/** Everything the runtime ever asks of the connector, for one user and for a domain. */
async function everything(): Promise<readonly Exchange[]> {
  const clock = { now: START }
  const sandbox = createGmailSandbox({
    now: () => clock.now,
    random: seeded(11),
    mailboxes: [{ address: ANN, isAdmin: true, aliases: ['sales@us.example'] }, { address: BO }],
  })
  const { people, switches } = sandbox
  switches.accessTokenLifeMs = 30 * DAY
  sandbox.createTopic(TOPIC, { endpoint: 'https://hub.example/webhooks/gmail' })
  const sent: Exchange[] = []
  const reach = sandboxFetch(sandbox.app)
  const open = (secrets: Readonly<Record<string, string>>, settings: JsonObject) =>
    openClient({
      connector: gmail,
      connection: 'gmail',
      secrets,
      settings,
      transport: async (input, init) => {
        const request = new Request(input, init)
        const one = await sentOf(request)
        const response = await reach(request)
        const body: unknown = await response.clone().json()
        sent.push({ ...one, reply: { status: response.status, body } })
        return response
      },
      clock: { now: () => clock.now, sleep: async (ms) => void (clock.now += Math.ceil(ms)) },
      random: () => 0.5,
      log: () => undefined,
      pauseUntil: async () => {},
    }).io

  const own = open({ accessToken: sandbox.signIn(ANN).accessToken }, { topic: TOPIC })
  await gmail.check(own)
  const [mailbox] = await mail.mailboxes(own)
  people.createLabel(ANN, 'Private')
  for (let i = 0; i < 230; i += 1)
    await people.deliver(ANN, letterOf(i), {
      at: START - i * 1000,
      ...(i === 3 ? { labels: ['Private'] } : {}),
    })
  const hub = reader(part(mailbox))
  await mail.subscribe?.(own, part(mailbox), null, { url: null, secret: null })
  await hub.read(own, 'live', null)
  await hub.read(own, 'backfill', START - DAY)
  if (hub.known.size !== 230) throw new Error(`The backfill found ${hub.known.size} of 230`)
  people.label(ANN, [...hub.known][0] ?? '', 'Private')
  people.trash(ANN, [...hub.known][1] ?? '')
  people.deleteForever(ANN, [...hub.known][2] ?? '')
  const [late] = await people.deliver(
    ANN,
    newsletter(person('news@shop.example'), person(ANN), 'Spring', stamp(999)),
  )
  switches.emptyHistoryPages = true
  await hub.read(own, 'live', START - DAY)
  if (!hub.known.has(late?.id ?? '')) throw new Error('Live reading missed what came')
  people.renameLabel(ANN, 'Private', 'Work')
  await hub.read(own, 'live', START - DAY)
  await hub.read(own, 'backfill', START - DAY)
  people.expireHistory(ANN)
  clock.now += DAY
  await people.deliver(ANN, letterOf(1000))
  await hub.read(own, 'live', START - DAY)
  await hub.read(own, 'backfill', START - DAY)
  await mail.fetch(own, part(mailbox), [late?.id ?? '', 'unknown'])

  const domain = open(
    { serviceAccountKey: JSON.stringify(sandbox.serviceAccount()) },
    { directoryAdmin: ANN, topic: TOPIC },
  )
  await gmail.check(domain)
  const all = await mail.mailboxes(domain)
  if (all.length !== 2) throw new Error(`${all.length} mailboxes of 2 were found`)
  const [placed] = await people.deliver(BO, letterOf(2000))
  const other = reader(part(all.find(({ address }) => address === BO)))
  await mail.subscribe?.(domain, other.mailbox, null, { url: null, secret: null })
  await other.read(domain, 'live', null)
  await other.read(domain, 'backfill', null)
  if (!other.known.has(placed?.id ?? '')) throw new Error('The service account read nothing')
  return sent
}

/** Reads as the hub does: page by page, cursors as JSON. */
function reader(mailbox: Mailbox) {
  const known = new Set<string>()
  let cursor: JsonObject | null = null
  return {
    mailbox,
    known,
    async read(
      io: Parameters<Mail['pull']>[0],
      want: 'live' | 'backfill',
      since: number | null,
    ): Promise<void> {
      for (let pages = 0; pages < 200; pages += 1) {
        const page: MailPage = await mail.pull(io, mailbox, cursor, {
          want,
          since,
          known: async (ids) => new Set(ids.filter((id) => known.has(id))),
        })
        if (page.bad.length > 0) throw new Error(`Unreadable: ${JSON.stringify(page.bad)}`)
        for (const { id } of page.sightings) known.add(id)
        cursor = JSON.parse(JSON.stringify(page.cursor)) as JsonObject
        if (!page.more) return
      }
      throw new Error(`${want} does not come to an end`)
    },
  }
}

const stamp = (i: number) => ({ date: START - i * 1000, messageId: `m${i}@client.example` })

const letterOf = (i: number) =>
  letter({
    ...stamp(i),
    from: person('eve@client.example', 'Eve'),
    to: [person(ANN)],
    subject: `Offer ${i}`,
    text: 'Hello',
  })

async function sentOf(request: Request): Promise<Sent> {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    contentType: request.headers.get('content-type'),
    body: await request.clone().text(),
  }
}

function named(description: Description, { method, path }: Sent): string {
  return `${method} ${find(description, method, path)?.template ?? path}`
}

function oneOfEach(description: Description, all: readonly Sent[]): readonly Sent[] {
  const kind = (one: Sent) =>
    `${named(description, one)} ${[...new URLSearchParams(one.query).keys()].join()}`
  return [...new Map(all.map((one) => [kind(one), one])).values()]
}

function part<T>(given: T | undefined): T {
  if (given === undefined) throw new Error('The scenario lacks it')
  return given
}
