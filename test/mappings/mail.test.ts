import { describe, expect, it } from 'vitest'
import { DEFAULT_RULES, rulesFor, type MailConfig } from '../../src/core/mail/rules.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'

const CATALOG = { connectors: { gmail: ['people'], imap: [], csv: ['contacts'] }, mail: ['gmail', 'imap'] }
const HEAD = 'connection: sales\nconnector: gmail\nmail:\n'

/** A connection whose mail: section has these lines, from line 4 on. */
const mail = (lines: string) => HEAD + lines.replace(/^/gm, '  ')

function load(text: string) {
  return loadConfiguration([{ name: 'a.yaml', text }], CATALOG)
}

function compiled(lines: string): MailConfig {
  const loaded = load(mail(lines))
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  const config = loaded.configuration.connections[0]?.mail
  if (config === undefined || config === null) throw new Error('no mail')
  return config
}

function problems(text: string): readonly string[] {
  const loaded = load(text)
  return loaded.kind === 'ok' ? [] : loaded.problems.map(formatProblem)
}

describe('a mail section that is right', () => {
  it('reads by the careful rules where it says nothing, and needs no streams', () => {
    const loaded = load(`${HEAD.trimEnd()} {}`)
    expect(loaded).toMatchObject({
      kind: 'ok',
      configuration: {
        connections: [
          {
            name: 'sales',
            streams: [],
            mail: {
              schedule: '*/2 * * * *',
              rules: DEFAULT_RULES,
              owners: {},
              mailboxes: null,
              alarmMs: 7_200_000,
            },
          },
        ],
      },
    })
  })

  it('may stand beside streams', () => {
    const fields = 'fields: [{ hub: emails, remote: e }]'
    const text = `${mail('since: 2025-01-31')}\nstreams: { contacts: { record: contact, resource: contacts, ${fields} } }`
    expect(problems(text.replace('gmail', 'imap'))).toEqual([
      expect.stringContaining('the connector has no resource "contacts"'),
    ])
    const able = { connectors: { gmail: ['contacts'] }, mail: ['gmail'] }
    const loaded = loadConfiguration([{ name: 'a.yaml', text }], able)
    expect(loaded).toMatchObject({
      kind: 'ok',
      configuration: { connections: [{ streams: [{ name: 'contacts' }], mail: { alarmMs: 7_200_000 } }] },
    })
  })

  it('sets every rule, in the form mail is compared by', () => {
    const config = compiled(`schedule: "*/10 * * * *"
since: 2025-01-31
content: subject
internalDomains: [Example.COM, "bücher.example"]
blocked: [Rival.com, Boss@Rival.org, " lawyers.example "]
privateLabels: [" Privat ", Familie]
bulk: log
automatic: log
strangers: log
newContacts: never
plusTags: true
dots: true
deleted: remove
mailboxes: [Ann@Example.com, bo@bücher.example]
alarmAfter: 90m`)
    expect(config).toEqual({
      schedule: '*/10 * * * *',
      rules: {
        since: Date.UTC(2025, 0, 31),
        content: 'subject',
        internalDomains: ['example.com', 'xn--bcher-kva.example'],
        blocked: ['rival.com', 'boss@rival.org', 'lawyers.example'],
        privateLabels: ['Privat', 'Familie'],
        bulk: 'log',
        automatic: 'log',
        strangers: 'log',
        newContacts: 'never',
        plusTags: true,
        dots: true,
        deleted: 'remove',
      },
      owners: {},
      mailboxes: ['ann@example.com', 'bo@xn--bcher-kva.example'],
      alarmMs: 5_400_000,
    })
  })

  it('gives an owner rules of their own over those of the connection, and keeps out what the company keeps out', () => {
    const config = compiled(`since: 2025-01-31
content: full
blocked: [rival.com]
owners:
  Ann@Example.com: { since: null, content: none, blocked: [bank.example], privateLabels: [Kids] }
  ceo@example.com: off
  bo@example.com: {}`)
    expect(rulesFor(config, 'ann@example.com')).toEqual({
      ...DEFAULT_RULES,
      since: null,
      content: 'none',
      blocked: ['rival.com', 'bank.example'],
      privateLabels: ['private', 'personal', 'confidential', 'Kids'],
    })
    expect(rulesFor(config, 'ceo@example.com')).toBeNull()
    expect(rulesFor(config, 'bo@example.com')).toEqual(config.rules)
    expect(rulesFor(config, 'cy@example.com')).toEqual(config.rules)
    expect(config.rules.blocked).toEqual(['rival.com'])
  })

  it('lets an owner loosen what is not a list', () => {
    const config = compiled(
      'strangers: filter\nplusTags: true\nowners: { a@x.example: { strangers: log, plusTags: false } }',
    )
    expect(rulesFor(config, 'a@x.example')).toMatchObject({ strangers: 'log', plusTags: false })
  })

  it('takes the same rules for the same rules, whatever the order of the lines', () => {
    const one = compiled('content: none\nbulk: log\nowners: { a@x.example: { dots: true, bulk: filter } }')
    const other = compiled('owners: { a@x.example: { bulk: filter, dots: true } }\nbulk: log\ncontent: none')
    expect(other).toEqual(one)
  })
})

describe('a mistake in a mail section is told with its place and what to do', () => {
  it.each([
    [
      'an unknown rule',
      mail('contnt: full'),
      'a.yaml:4:3  mail.contnt: unknown key "contnt". Fix: Did you mean "content"?',
    ],
    [
      'an unknown choice',
      mail('content: subjct'),
      'a.yaml:4:12  mail.content: "subjct" is not allowed here. Fix: Did you mean "subject"?',
    ],
    [
      'a yes for a choice',
      mail('bulk: true'),
      /a\.yaml:4:9 {2}mail\.bulk: true is not allowed here\. Fix: Choose one of filter, log\./,
    ],
    [
      'a word for yes',
      mail('plusTags: yes'),
      'a.yaml:4:13  mail.plusTags: "yes" is not true or false. Fix: Write true or false.',
    ],
    [
      'a schedule in words',
      mail('schedule: hourly'),
      /a\.yaml:4:13 {2}mail\.schedule: "hourly" is not a schedule: it has 1 fields, not five/,
    ],
    [
      'a day that does not exist',
      mail('since: 2025-02-30'),
      'a.yaml:4:10  mail.since: "2025-02-30" is not a day. Fix: Write it as 2025-01-31; leave since: out to read everything.',
    ],
    ['a day in another order', mail('since: 31.01.2025'), /mail\.since: "31\.01\.2025" is not a day/],
    [
      'a length without a unit',
      mail('alarmAfter: "120"'),
      'a.yaml:4:15  mail.alarmAfter: "120" is not a length of time. Fix: Write minutes, hours or days, from 10m to 30d: "2h".',
    ],
    ['an alarm that would always ring', mail('alarmAfter: 2m'), /"2m" is too short/],
    ['an alarm that would never ring', mail('alarmAfter: 9999d'), /"9999d" is too long/],
    [
      'a domain that is an address',
      mail('internalDomains: [ann@example.com]'),
      'a.yaml:4:21  mail.internalDomains[0]: "ann@example.com" is not a domain. Fix: Write it as example.com.',
    ],
    [
      'a web address',
      mail('internalDomains: ["https://example.com"]'),
      /"https:\/\/example\.com" is not a domain/,
    ],
    [
      "a free-mail domain as one's own",
      mail('internalDomains: [example.com, Gmail.com]'),
      'a.yaml:4:34  mail.internalDomains[1]: "gmail.com" gives mailboxes to anybody, so it is not your company\'s. Fix: Remove it: customers write from there too, and their mail would not be logged.',
    ],
    [
      'a whole top-level domain',
      mail('blocked: [com]'),
      'a.yaml:4:13  mail.blocked[0]: "com" is neither an address nor a domain. Fix: Write a domain as example.com, an address as ann@example.com; a domain stands for all below it too.',
    ],
    [
      'a domain with its @',
      mail('blocked: ["@rival.com"]'),
      /"@rival\.com" is neither an address nor a domain\. Fix: Write rival\.com; a domain/,
    ],
    ['a pattern', mail('blocked: ["*.rival.com"]'), /"\*\.rival\.com" is neither an address nor a domain/],
    [
      'half an address',
      mail('blocked: ["ann@"]'),
      'a.yaml:4:13  mail.blocked[0]: "ann@" is not an email address. Fix: Write it as ann@example.com, without a name around it.',
    ],
    [
      'the same twice',
      mail('blocked: [rival.com, RIVAL.com]'),
      'a.yaml:4:24  mail.blocked[1]: the entry "rival.com" stands twice. Fix: Remove one of them.',
    ],
    [
      'a label without a name',
      mail('privateLabels: [" "]'),
      /mail\.privateLabels\[0\]: a label needs a name/,
    ],
    [
      'one label where a list belongs',
      mail('privateLabels: Private'),
      /mail\.privateLabels: "Private" is not a list/,
    ],
    [
      'a mailbox that is a name',
      mail('mailboxes: [ann]'),
      /mail\.mailboxes\[0\]: "ann" is not an email address/,
    ],
    ['no mailbox at all', mail('mailboxes: []'), /mail\.mailboxes: \[\] is too small/],
    [
      'an owner that is none',
      mail('owners: { ann: off }'),
      /a\.yaml:4:\d+ {2}mail\.owners\.ann: "ann" is not an email address/,
    ],
    [
      'an unknown rule of an owner',
      mail('owners:\n  ann@x.example: { contnt: none }'),
      'a.yaml:5:22  mail.owners.ann@x.example.contnt: unknown key "contnt". Fix: Did you mean "content"?',
    ],
    [
      'a rule only a connection has',
      mail('owners:\n  ann@x.example: { schedule: "* * * * *" }'),
      /mail\.owners\.ann@x\.example\.schedule: unknown key "schedule"/,
    ],
    [
      'an owner switched off in another word',
      mail('owners:\n  ann@x.example: of'),
      /a\.yaml:5:20 {2}mail\.owners\.ann@x\.example: "of" is not allowed here\. Fix: Did you mean "off"\?/,
    ],
    [
      'a wrong value of an owner',
      mail('owners:\n  ann@x.example: { since: soon }'),
      /a\.yaml:5:29 {2}mail\.owners\.ann@x\.example\.since: "soon" is not a day/,
    ],
    [
      'an owner twice, in other letters',
      mail('owners:\n  ann@x.example: off\n  Ann@X.example: off'),
      'a.yaml:6:20  mail.owners.Ann@X.example: there are two owners "ann@x.example". Fix: Put their rules together.',
    ],
    [
      'an owner whose mailbox is not read',
      mail('mailboxes: [ann@x.example, bo@x.example]\nowners:\n  anne@x.example: off'),
      'a.yaml:6:21  mail.owners.anne@x.example: "anne@x.example" is not among the mailboxes: that are read. Fix: Did you mean "ann@x.example"?',
    ],
    [
      'mail that the connector does not have',
      mail('{}').replace('gmail', 'csv'),
      'a.yaml:4:3  mail: the connector "csv" has no mail. Fix: Remove it; gmail, imap have mail.',
    ],
    [
      'a stream under the name of a mailbox',
      `${mail('{}')}\nstreams: { mail/a@x.example: { record: contact, resource: people, fields: [{ hub: emails, remote: e }] } }`,
      /streams\.mail\/a@x\.example: a stream cannot be called "mail\/…"/,
    ],
    [
      'nothing to do',
      'connection: sales\nconnector: gmail',
      'a.yaml:1:1  streams: "streams" is missing. Fix: Add streams: or mail:.',
    ],
    [
      'nothing to do, where there is no mail',
      'connection: sales\nconnector: csv',
      /"streams" is missing\. Fix: Add streams: <keys with values>\./,
    ],
  ])('%s', (_, text, expected) => {
    const found = problems(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(
      typeof expected === 'string' ? new RegExp(`^${RegExp.escape(expected)}$`) : expected,
    )
  })

  it('all at once, also beside what is wrong elsewhere in the file', () => {
    const text = `${mail('since: never\nblocked: [x]\nalarmAfter: 1s')}\nstreams: { contacts: { record: contakt } }`
    expect(problems(text).map((line) => line.split('  ')[1]?.split(': ')[0])).toEqual([
      'mail.since',
      'mail.blocked[0]',
      'mail.alarmAfter',
      expect.stringContaining('streams.contacts'),
      expect.stringContaining('streams.contacts'),
    ])
  })
})
