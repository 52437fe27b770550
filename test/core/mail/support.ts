import fc from 'fast-check'
import {
  MARK_HEADERS,
  type Envelope,
  type MailAddress,
  type Mailbox,
  type MailFlag,
  type MailMessage,
} from '../../../src/core/mail/message.ts'
import { DEFAULT_RULES, type DomainFacts, type MailRules } from '../../../src/core/mail/rules.ts'
import { sift, type Seen, type Verdict } from '../../../src/core/mail/sift.ts'

export const NOON = Date.UTC(2026, 0, 5, 12)

export const facts: DomainFacts = {
  isFreeMail: (domain) => ['gmail.com', 'web.de'].includes(domain),
  registrable: (domain) => (domain.includes('.') ? domain.split('.').slice(-2).join('.') : null),
}

export const mailbox: Mailbox = {
  id: 'box',
  address: 'ann@ours.com',
  addresses: ['ann@ours.com', 'ann@alias.net'],
}

export const people = (...addresses: readonly string[]): readonly MailAddress[] =>
  addresses.map((address) => ({ address, name: null }))

export function envelope(change: Partial<Envelope> = {}): Envelope {
  return {
    messageId: 'one@acme.com',
    inReplyTo: [],
    references: [],
    at: NOON,
    sentAt: NOON - 5_000,
    from: people('jo@acme.com'),
    sender: null,
    replyTo: [],
    to: people('ann@ours.com'),
    cc: [],
    bcc: [],
    headers: {},
    calendar: null,
    bounce: null,
    ...change,
  }
}

export function message(change: Partial<Envelope> = {}, content: Partial<MailMessage> = {}): MailMessage {
  return {
    envelope: envelope(change),
    subject: 'Offer',
    text: 'Hello',
    quoted: null,
    signature: null,
    html: null,
    attachments: [],
    ...content,
  }
}

export const rules = (change: Partial<MailRules> = {}): MailRules => ({ ...DEFAULT_RULES, ...change })

export const seen = (change: Partial<Envelope> = {}, rest: Partial<Seen> = {}): Seen => ({
  envelope: envelope(change),
  flags: [],
  labels: ['INBOX'],
  ...rest,
})

export const judged = (
  change: Partial<Envelope> = {},
  rest: Partial<Seen> = {},
  by: Partial<MailRules> = {},
): Verdict => sift(seen(change, rest), mailbox, rules(by), facts)

/** `bulk: a List-Id header`, or the direction of what passes. */
export function shown(verdict: Verdict): string {
  return verdict.kind === 'filter' ? verdict.reason : verdict.direction
}

const DOMAINS = ['ours.com', 'eu.ours.com', 'alias.net', 'acme.com', 'mail.acme.com', 'gmail.com', 'x']
const LOCALS = ['ann', 'jo', 'j.o', 'jo+shop', 'noreply', 'mailer-daemon', 'bounce+1', '']
const anyAddress = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.tuple(fc.constantFrom(...LOCALS), fc.constantFrom(...DOMAINS)).map((at) => at.join('@')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
)
const anyPerson: fc.Arbitrary<MailAddress> = fc.record({
  address: anyAddress,
  name: fc.option(fc.string({ unit: 'binary', maxLength: 20 })),
})
const anyPeople = fc.array(anyPerson, { maxLength: 4 })
const anyValue = fc.oneof(
  fc.constantFrom(
    '',
    'no',
    'NO ',
    'auto-generated',
    'bulk',
    'list',
    '<>',
    'None',
    'multipart/report; report-type=delivery-status',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const anyTime = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 4e12 }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1) },
)
const anyHeaders = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...MARK_HEADERS), anyValue, { maxKeys: 3 }) },
)

const seldom = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })

export const anyEnvelope: fc.Arbitrary<Envelope> = fc.record({
  messageId: fc.option(fc.string({ maxLength: 30 })),
  inReplyTo: fc.array(fc.string({ maxLength: 10 }), { maxLength: 4 }),
  references: fc.array(fc.string({ maxLength: 10 }), { maxLength: 300 }),
  at: anyTime,
  sentAt: fc.option(anyTime),
  from: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(people('jo@acme.com'), people('ann@ours.com'), people('bo@eu.ours.com')),
    },
    { weight: 1, arbitrary: fc.array(anyPerson, { maxLength: 2 }) },
  ),
  sender: seldom(anyPerson),
  replyTo: fc.array(anyPerson, { maxLength: 2 }),
  to: anyPeople,
  cc: anyPeople,
  bcc: anyPeople,
  headers: anyHeaders,
  calendar: seldom(fc.constantFrom('REQUEST', 'reply', 'CANCEL', '', 'X')),
  bounce: seldom(fc.constant({ recipients: [] })),
})

const anyFlags: fc.Arbitrary<readonly MailFlag[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom([], ['sent'] as const) },
  { weight: 1, arbitrary: fc.subarray(['draft', 'chat', 'sent', 'spam', 'trash'] as const) },
)

export const anySeen: fc.Arbitrary<Seen> = fc.record({
  envelope: anyEnvelope,
  flags: anyFlags,
  labels: fc.oneof(
    { weight: 9, arbitrary: fc.subarray(['INBOX', 'Private/Kids', 'Work', 'a.b.Secret']) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
})

const mostly = <Value, Other>(usual: Value, other: fc.Arbitrary<Other>): fc.Arbitrary<Value | Other> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

export const anyRules: fc.Arbitrary<MailRules> = fc.record({
  since: mostly(null, fc.constantFrom(1e12, 2e12)),
  content: fc.constantFrom('none', 'subject', 'full'),
  internalDomains: mostly([], fc.subarray(['ours.com', 'acme.com', 'alias.net'])),
  blocked: mostly([], fc.subarray(['acme.com', 'jo@gmail.com', '@x', 'ours.com'])),
  privateLabels: mostly([], fc.subarray(['private', 'Secret', 'work'])),
  bulk: fc.constantFrom('filter', 'log'),
  automatic: fc.constantFrom('filter', 'log'),
  strangers: fc.constantFrom('filter', 'log'),
  newContacts: fc.constantFrom('sent', 'sent-and-received', 'never'),
  plusTags: fc.boolean(),
  dots: fc.boolean(),
  deleted: fc.constantFrom('keep', 'remove'),
})
