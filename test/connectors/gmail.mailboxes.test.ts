import { describe, expect, it } from 'vitest'
import { failureOf } from '../../src/connectors/connector.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import { SCOPES } from '../../src/sandbox/gmail/access.ts'
import { DAY, mail, mailboxAt, T0 } from './gmail.support.ts'
import { ANN, BOB, world } from './gmail.world.ts'

const failing = async (act: Promise<unknown>) =>
  failureOf(
    await act.then(
      () => null,
      (error: unknown) => error,
    ),
  )
const DIRECTORY = [SCOPES.readonly, SCOPES.directory]

describe('mailboxes', () => {
  it('are the one of the authorised user, with every address it sends from', async () => {
    const { io, sent } = world()
    const all = await mail.mailboxes(io())
    expect(all).toEqual([{ id: ANN, address: ANN, addresses: [ANN, 'sales@acme.example'] }])
    expect(sent.map(({ units }) => units)).toEqual([1, 1])
    expect(await gmail.check(io())).toEqual({ accountId: ANN, label: ANN })
  })

  it('leave out addresses that wait to be confirmed, which may be anybody else’s', async () => {
    const it_ = world()
    it_.intercept = (request) =>
      request.url.endsWith('/sendAs')
        ? Response.json({
            sendAs: [
              { sendAsEmail: 'Ann@ACME.example', isPrimary: true },
              { sendAsEmail: 'jo@customer.example', verificationStatus: 'pending' },
              { sendAsEmail: 'Team@acme.example', verificationStatus: 'accepted' },
            ],
          })
        : null
    expect((await mail.mailboxes(it_.io()))[0]?.addresses).toEqual([ANN, 'team@acme.example'])
  })

  it('are those that are named, each asked as its own user', async () => {
    const { io, sent } = world()
    const named = io({ mailboxes: [' Bob@acme.example', ANN, ANN] })
    expect((await mail.mailboxes(named)).map(({ address }) => address)).toEqual([BOB, ANN])
    expect(sent.map(({ user, key }) => [user, key])).toEqual([
      [BOB, BOB],
      [ANN, ANN],
    ])
    expect(await gmail.check(named)).toEqual({
      accountId: 'acme.example',
      label: 'acme.example (2 mailboxes)',
    })
  })

  it('keep one that is refused, so that it is seen to fail by itself', async () => {
    const it_ = world()
    it_.google.people.suspend(BOB)
    const named = await mail.mailboxes(it_.io({ mailboxes: [ANN, BOB] }))
    expect(named.map(({ addresses }) => addresses)).toEqual([[ANN, 'sales@acme.example'], [BOB]])
  })

  it('are not told wrongly because Google is down for a moment', async () => {
    const it_ = world()
    it_.intercept = (request) =>
      request.url.includes('/sendAs') ? new Response(null, { status: 503 }) : null
    expect(await failing(mail.mailboxes(it_.io({ mailboxes: [ANN, BOB] })))).toMatchObject({
      kind: 'unavailable',
    })
    expect(await failing(mail.mailboxes(it_.io()))).toMatchObject({ kind: 'unavailable' })
  })

  it('are found in the directory, page by page, without those that cannot be read', async () => {
    const it_ = world()
    for (let n = 0; n < 510; n++) it_.google.people.addMailbox({ address: `user${n}@acme.example` })
    it_.google.people.addMailbox({ address: 'left@acme.example', suspended: true })
    it_.google.people.addMailbox({ address: 'chatonly@acme.example', hasMail: false })
    const found = await mail.mailboxes(it_.io({ directoryAdmin: 'Ann@acme.example' }, DIRECTORY))
    expect(found).toHaveLength(512)
    const addresses = found.map(({ address }) => address)
    expect(addresses).toContain(BOB)
    expect(addresses).not.toContain('left@acme.example')
    expect(addresses).not.toContain('chatonly@acme.example')
    const directory = it_.sent.filter(({ key }) => key === 'directory')
    expect(directory.map(({ user, units }) => [user, units])).toEqual([
      [ANN, 3],
      [ANN, 3],
    ])
  })

  it('leave out a user whose mail turns out not to be switched on', async () => {
    const it_ = world()
    const off = { code: 400, message: 'Mail service not enabled', errors: [{ reason: 'failedPrecondition' }] }
    it_.intercept = (request, user) =>
      user === BOB && request.url.endsWith('/sendAs') ? Response.json({ error: off }, { status: 400 }) : null
    const found = await mail.mailboxes(it_.io({ directoryAdmin: ANN }, DIRECTORY))
    expect(found.map(({ address }) => address)).toEqual([ANN])
  })

  it('need the scope of the directory, and an administrator', async () => {
    const { io } = world()
    const withoutScope = await failing(mail.mailboxes(io({ directoryAdmin: ANN })))
    expect(withoutScope).toMatchObject({ kind: 'auth', message: expect.stringContaining('Allow the scopes') })
    const noAdmin = await failing(mail.mailboxes(io({ directoryAdmin: BOB }, DIRECTORY)))
    expect(noAdmin).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('Google Admin console'),
    })
  })

  it.each([
    [{ mailboxes: 'ann@acme.example' }, 'mailboxes'],
    [{ mailboxes: [] }, 'mailboxes'],
    [{ mailboxes: ['ann'] }, 'mailboxes'],
    [{ mailboxes: [ANN], directoryAdmin: ANN }, 'mailboxes'],
    [{ directoryAdmin: 5 }, 'directoryAdmin'],
    [{ baseUrl: 'http://gmail.example' }, 'baseUrl'],
    [{ baseUrl: 'https://gmail.example/path' }, 'baseUrl'],
  ])('name the setting that is wrong: %j', async (settings, field) => {
    const { io, sent } = world()
    expect(await failing(mail.mailboxes(io(settings)))).toMatchObject({
      kind: 'rejected',
      code: 'settings',
      field,
    })
    expect(sent).toEqual([])
  })
})

describe('watch', () => {
  const to = { url: 'https://hub.example/webhooks/1', secret: 's' }

  it('asks Gmail to publish, and is renewed daily', async () => {
    const it_ = world()
    it_.google.createTopic('projects/p/topics/gmail', { endpoint: to.url })
    const io = it_.io({ topic: 'projects/p/topics/gmail' })
    const made = await mail.subscribe?.(io, mailboxAt(BOB), null, to)
    expect(made).toEqual({
      kept: { topicName: 'projects/p/topics/gmail', expiration: T0 + 7 * DAY },
      renewBefore: T0 + 2 * DAY,
    })
    expect(it_.sent.map(({ method, path, user, units }) => [method, path, user, units])).toEqual([
      ['POST', `/gmail/v1/users/${BOB}/watch`, BOB, 100],
    ])
    expect(it_.google.state.mailboxes.get(BOB)?.watch?.topic).toBe('projects/p/topics/gmail')
  })

  it('is not asked for without a topic, and says which topic is wrong', async () => {
    const it_ = world()
    expect(await mail.subscribe?.(it_.io(), mailboxAt(ANN), null, to)).toBeNull()
    const odd = mail.subscribe?.(it_.io({ topic: 'gmail' }), mailboxAt(ANN), null, to)
    expect(await failing(odd ?? Promise.resolve())).toMatchObject({ kind: 'rejected', field: 'topic' })
    expect(it_.sent).toEqual([])
    const unknown = mail.subscribe?.(it_.io({ topic: 'projects/p/topics/none' }), mailboxAt(ANN), null, to)
    expect(await failing(unknown ?? Promise.resolve())).toMatchObject({
      kind: expect.stringMatching(/missing|rejected/),
    })
  })
})
