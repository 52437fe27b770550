import { decodeJwt } from 'jose'
import { type Connector, failureOf, VendorError, type Webhooks } from '../../../src/connectors/connector.ts'
import { pigeons } from './mail-connector.ts'
import { mail, notices, sending, withMail } from './wreck-mail.ts'
import { part, type Sabotages, tick } from './wreck.ts'

const subscribe = part(mail.subscribe)
const withNotices = (over: Partial<Webhooks>): Connector => ({
  ...pigeons,
  webhooks: { ...notices, ...over },
})
const MISSING = new VendorError({ kind: 'missing', message: 'No such letter.' })

export const WRECKED_MAIL_MANNERS: Sabotages = [
  [
    'an account id that changes',
    'check names the account of the mail, the same each time',
    () => ({ ...pigeons, check: async (io) => ({ ...(await pigeons.check(io)), accountId: tick() }) }),
  ],
  [
    'a refusal without a word on what to do',
    'bad credentials of mail fail check as auth, with a message that says what to do',
    () => ({
      ...pigeons,
      classify: (reply, now) => ({ ...pigeons.classify(reply, now), message: 'Unauthorized (code 40113)' }),
    }),
  ],
  [
    'a bad setting that is blamed on nobody',
    'bad settings of mail are refused by the name of the setting',
    () => ({
      ...pigeons,
      check: async () => {
        throw new VendorError({
          kind: 'rejected',
          code: 'x',
          field: null,
          message: 'Correct the settings, please.',
        })
      },
    }),
  ],
  [
    'reading that shows to the owner',
    'nothing is written to a mailbox',
    () =>
      sending((io) => async (input, init) => {
        const reply = await io.fetch(input, init)
        const { origin, pathname } = new URL(new Request(input).url)
        if (/\/letters\/[^/]+$/.test(pathname))
          await io.fetch(`${origin}${pathname}/seen`, { ...init, method: 'POST' })
        return reply
      }),
  ],
  [
    'a backfill that is as urgent as everything',
    'a backfill asks with low priority, and what is live does not',
    () => sending((io) => (input, init) => io.fetch(input, { ...init, priority: 'auto' })),
  ],
  [
    'new mail with no hurry',
    'a backfill asks with low priority, and what is live does not',
    () => sending((io) => (input, init) => io.fetch(input, { ...init, priority: 'low' })),
  ],
  [
    'a meter that counts nothing',
    'the meter gives every request a key of its mailbox and units that a limit can count',
    () => ({ ...pigeons, meter: ({ url }) => ({ key: url.pathname.split('/')[2] ?? '', units: 0 }) }),
  ],
  [
    'one limit for all mailboxes',
    'the meter gives every request a key of its mailbox and units that a limit can count',
    () => ({ ...pigeons, meter: () => ({ key: 'all', units: 1 }) }),
  ],
  [
    'a meter that a path can stop',
    'the meter gives every request a key of its mailbox and units that a limit can count',
    () => ({
      ...pigeons,
      meter: ({ url }) => ({ key: decodeURIComponent(url.pathname.split('/')[2] ?? ''), units: 1 }),
    }),
  ],
  [
    'too many requests taken for no such message',
    'being throttled in mid-page loses nothing',
    () => ({
      ...pigeons,
      classify: (reply, now) =>
        reply.status === 429 ? { kind: 'missing', message: 'Gone.' } : pigeons.classify(reply, now),
    }),
  ],
  [
    'an outage taken for no such message',
    'a page that breaks off fails as a failure, and is read again without loss',
    () =>
      sending((io) => async (input, init) => {
        try {
          return await io.fetch(input, init)
        } catch (error) {
          throw failureOf(error)?.kind === 'unavailable' ? MISSING : error
        }
      }),
  ],
  [
    'a mailbox of somebody else that is empty',
    'a mailbox that cannot be reached fails, and does not look empty',
    () =>
      withMail({
        async fetch(io, mailbox, ids) {
          try {
            return await mail.fetch(io, mailbox, ids)
          } catch {
            return { sightings: ids.map((id) => ({ kind: 'gone', id })), bad: [] }
          }
        },
      }),
  ],
  [
    'a subscription that is always too late',
    'a subscription is to be renewed in the future, and renewing keeps it working',
    () =>
      withMail({
        subscribe: async (io, mailbox, kept, to) => {
          const made = await subscribe(io, mailbox, kept, to)
          return made === null ? null : { ...made, renewBefore: io.now() - 1 }
        },
      }),
  ],
  [
    'a subscription that is never renewed',
    'a subscription is to be renewed in the future, and renewing keeps it working',
    () =>
      withMail({
        subscribe: async (io, mailbox, kept, to) =>
          kept === null
            ? {
                ...(await subscribe(io, mailbox, kept, to)),
                kept: 'made',
                renewBefore: io.now() + 7 * 86_400_000,
              }
            : { kept, renewBefore: io.now() + 7 * 86_400_000 },
      }),
  ],
  [
    'one more subscription each time',
    'a subscription whose `kept` is lost or of no use is made anew, and told once',
    () =>
      withMail({
        subscribe: (io, mailbox, kept, { url, secret }) =>
          subscribe(io, mailbox, kept, { url: `${url}#${tick()}`, secret }),
      }),
  ],
  [
    'a hint at something else',
    'a notice is a hint at its mailbox',
    () =>
      withNotices({
        async receive(raw, secret, now, context) {
          const receipt = await notices.receive(raw, secret, now, context)
          return receipt.kind === 'hints'
            ? { ...receipt, hints: [{ resource: 'mail', id: 'someone' }] }
            : receipt
        },
      }),
  ],
  [
    'an event of its own for each delivery',
    'a notice repeated is the same event, another notice another',
    () =>
      withNotices({
        async receive(raw, secret, now, context) {
          const receipt = await notices.receive(raw, secret, now, context)
          return receipt.kind === 'hints' ? { ...receipt, eventId: tick() } : receipt
        },
      }),
  ],
  [
    'one event for all deliveries',
    'a notice repeated is the same event, another notice another',
    () =>
      withNotices({
        async receive(raw, secret, now, context) {
          const receipt = await notices.receive(raw, secret, now, context)
          return receipt.kind === 'hints' ? { ...receipt, eventId: 'changed' } : receipt
        },
      }),
  ],
  [
    'a token that is read and not verified',
    'a forged notice is refused',
    () => withNotices({ receive: ({ body }) => believed(body) }),
  ],
  [
    'a notice for any hub',
    'a forged notice is refused',
    () =>
      withNotices({
        receive: (raw, secret, now, context) => {
          const { aud } = decodeJwtOr(raw.body)
          return notices.receive(raw, secret, now, { ...context, settings: { webhookUrl: String(aud) } })
        },
      }),
  ],
  [
    'no keys, no questions',
    'a notice is verified against the keys that the vendor publishes, and no others',
    () =>
      withNotices({
        receive: (raw, secret, now, context) =>
          context.keys === null ? believed(raw.body) : notices.receive(raw, secret, now, context),
      }),
  ],
  [
    'a notice for ever',
    'a notice that was recorded and is sent again much later is refused',
    () =>
      withNotices({
        receive: (raw, secret, _now, context) =>
          notices.receive(raw, secret, (decodeJwtOr(raw.body).iat ?? 0) * 1000, context),
      }),
  ],
  [
    'nonsense that throws',
    'a notice of nonsense never throws, and never hints',
    () =>
      withNotices({
        receive: (raw, secret, now, context) => {
          decodeJwt(new TextDecoder().decode(raw.body))
          return notices.receive(raw, secret, now, context)
        },
      }),
  ],
  [
    'the end of a subscription as nothing',
    'a subscription that the vendor gives up is hinted at, and can be made again',
    () =>
      withNotices({
        async receive(raw, secret, now, context) {
          const receipt = await notices.receive(raw, secret, now, context)
          if (receipt.kind !== 'hints') return receipt
          return { ...receipt, hints: receipt.hints.filter(({ resource }) => resource === 'mail') }
        },
      }),
  ],
  [
    'a connection that hears nothing',
    'listening tells of mail that arrives, and ends when it is stopped',
    () =>
      withMail({
        listen: (_io, _mailbox, _changed, stop) =>
          new Promise((resolve) => stop.addEventListener('abort', () => resolve())),
      }),
  ],
  [
    'a connection that never ends',
    'listening tells of mail that arrives, and ends when it is stopped',
    () =>
      withMail({
        listen: async (_io, _mailbox, changed) => {
          changed()
          await new Promise(() => {})
        },
      }),
  ],
]

function decodeJwtOr(body: Uint8Array): ReturnType<typeof decodeJwt> {
  try {
    return decodeJwt(new TextDecoder().decode(body))
  } catch {
    return {}
  }
}

function believed(body: Uint8Array) {
  const { event, box } = decodeJwtOr(body)
  const hints = [{ resource: 'mail', id: String(box) }]
  return { kind: 'hints', eventId: String(event), hints, status: 200 } as const
}
