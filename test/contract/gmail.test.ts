import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gmail } from '../../src/connectors/gmail/index.ts'
import type { Mail } from '../../src/connectors/mail.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { createGmailSandbox } from '../../src/sandbox/gmail/index.ts'
import { person } from '../../src/sandbox/mail/letter.ts'
import { newsletter } from '../../src/sandbox/mail/makers.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { type Description, descriptionFile, named, readDescription } from './description.ts'
import { DAY, type Exchange, ioTo, offerTo, reader, stamp, START } from './mail.ts'
import { part, type Sent } from './record.ts'
import { oneOfEach, queryFields, refusals, serveDescription } from './steady.ts'
import { problemsOf, problemsOfReply } from './validate.ts'

const FILE = descriptionFile('gmail.json')
const ANN = 'ann@us.example'
const BO = 'bo@us.example'
const TOPIC = 'projects/sandbox/topics/mail'

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
      expect(await refusals(server, oneOfEach(description, sent, queryFields))).toEqual([])
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
  const open = (secrets: Readonly<Record<string, string>>, settings: JsonObject) =>
    ioTo(sandbox.app, { connector: gmail, secrets, settings }, clock, sent)

  const own = open({ accessToken: sandbox.signIn(ANN).accessToken }, { topic: TOPIC })
  await gmail.check(own)
  const [mailbox] = await mail.mailboxes(own)
  people.createLabel(ANN, 'Private')
  for (let i = 0; i < 230; i += 1)
    await people.deliver(ANN, letterOf(i), {
      at: START - i * 1000,
      ...(i === 3 ? { labels: ['Private'] } : {}),
    })
  const hub = reader(mail, part(mailbox))
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
  const other = reader(mail, part(all.find(({ address }) => address === BO)))
  await mail.subscribe?.(domain, other.mailbox, null, { url: null, secret: null })
  await other.read(domain, 'live', null)
  await other.read(domain, 'backfill', null)
  if (!other.known.has(placed?.id ?? '')) throw new Error('The service account read nothing')
  return sent
}

const letterOf = (i: number) => offerTo(ANN, i)
