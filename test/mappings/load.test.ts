import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'

const CATALOG = { connectors: { mailchimp: ['members'], stripe: ['customers', 'invoices'] }, mail: [] }

function problems(...texts: readonly string[]): readonly string[] {
  const files = texts.map((text, i) => ({ name: i === 0 ? 'a.yaml' : `${i}.yaml`, text }))
  const loaded = loadConfiguration(files, CATALOG)
  return loaded.kind === 'ok' ? [] : loaded.problems.map(formatProblem)
}

/** A connection around some lines of a stream. */
const stream = (lines: string) =>
  `connection: mc\nconnector: mailchimp\nstreams:\n  members:\n    record: contact\n${lines.replace(/^/gm, '    ')}`
/** A connection with one entry, which stands in line 7 and begins in column 9. */
const field = (entry: string, more = '') => stream(`fields:\n  - ${entry}${more}`)

describe('a configuration that is right', () => {
  it('is compiled', () => {
    expect(problems(field('{ hub: emails, remote: email_address }'))).toEqual([])
  })

  it('follows YAML 1.2: NO is Norway, yes is a word, dates are text', () => {
    const norway = 'hub: { defaultCountry: NO, defaultCurrency: NOK }'
    const words = field(
      '{ hub: owner, remote: o, codec: { name: picklist, values: { yes: on, 2026-01-01: no } } }',
    )
    const loaded = loadConfiguration(
      [
        { name: 'hub.yaml', text: norway },
        { name: 'a.yaml', text: words },
      ],
      CATALOG,
    )
    expect(loaded).toMatchObject({
      kind: 'ok',
      configuration: { defaultCountry: 'NO', defaultCurrency: 'NOK' },
    })
  })

  it('may send what the hub computes', () => {
    const entries = [
      '{ hub: lastRepliedAt, remote: last_replied_at, direction: out }',
      '{ hub: firstResponseMinutes, remote: minutes, direction: out }',
      '{ hub: nextStepOverdueSince, remote: overdue, direction: out }',
      '{ hub: bouncingEmails, remote: bouncing, codec: { name: list, separator: "," }, direction: out }',
    ]
    expect(problems(stream(`fields:\n  - ${entries.join('\n  - ')}`))).toEqual([])
    expect(problems(field('{ hub: lastRepliedAt, remote: r }'))).toEqual([
      expect.stringContaining(
        'computed by the hub and cannot be read from a remote. Fix: Add direction: out.',
      ),
    ])
  })

  it('does not mind Windows line ends and a byte order mark', () => {
    expect(
      problems(`\ufeff${field('{ hub: emails, remote: email_address }')}`.replace(/\n/g, '\r\n')),
    ).toEqual([])
  })
})

describe('a mistake is told with its place and what to do', () => {
  it.each([
    [
      'an unknown key',
      field('{ hub: emails, remot: e }'),
      'a.yaml:7:24  streams.members.fields[0].remot: unknown key "remot". Fix: Did you mean "remote"?',
    ],
    [
      'an unknown key of a codec',
      field('{ hub: tags, remote: t, codec: { name: list, seperator: "," } }'),
      'a.yaml:7:54  streams.members.fields[0].codec.seperator: unknown key "seperator". Fix: Did you mean "separator"?',
    ],
    [
      'a probability above 1',
      stream('duplicates: { ask: 80 }\nfields:\n  - { hub: emails, remote: e }'),
      'a.yaml:6:24  streams.members.duplicates.ask: 80 is no probability. Fix: Write a probability above 0 and at most 1, such as 0.999, or never.',
    ],
    [
      'a word that is no probability',
      stream('duplicates: { link: sometimes }\nfields:\n  - { hub: emails, remote: e }'),
      'a.yaml:6:25  streams.members.duplicates.link: "sometimes" is no probability. Fix: Write a probability above 0 and at most 1, such as 0.999, or never.',
    ],
    [
      'merging what is not even asked about',
      stream('duplicates: { link: 0.7 }\nfields:\n  - { hub: emails, remote: e }'),
      'a.yaml:6:25  streams.members.duplicates.link: link (0.7) is not above ask (0.8): nobody would ever be asked. Fix: Raise link, lower ask, or write ask: never.',
    ],
    [
      'duplicates of what is not compared',
      stream('duplicates: { ask: 0.9 }\nfields:\n  - { hub: name, remote: n }').replace('contact', 'deal'),
      'a.yaml:6:17  streams.members.duplicates: records of the kind "deal" are not compared. Fix: Remove it; contacts and companies are.',
    ],
    [
      'a threshold of the whole hub',
      'hub: { defaultCountry: DE, defaultCurrency: EUR, duplicates: { ask: 0 } }',
      'a.yaml:1:69  hub.duplicates.ask: 0 is no probability. Fix: Write a probability above 0 and at most 1, such as 0.999, or never.',
    ],
    [
      'a field that does not exist',
      field('{ hub: emial, remote: e }'),
      'a.yaml:7:16  streams.members.fields[0].hub: a contact has no field "emial". Fix: Did you mean "emails"? A field of your own is named custom.<name>.',
    ],
    [
      'a custom field with a bad name',
      field('{ hub: custom.a-b, remote: e }'),
      'a.yaml:7:16  streams.members.fields[0].hub: a contact has no field "custom.a-b". Fix: After "custom." stand letters, digits and "_", at most 63, a letter first.',
    ],
    [
      'a wrong type',
      field('{ hub: emails, remote: 5 }'),
      'a.yaml:7:32  streams.members.fields[0].remote: 5 is not text or a list or keys with values. Fix: Write it in one of these forms.',
    ],
    [
      'a number for a text',
      'pipelines: [{ name: 2026, stages: [{ name: a, outcome: won }] }]',
      'a.yaml:1:21  pipelines[0].name: 2026 is not text. Fix: Put it in quotes: "2026".',
    ],
    [
      'an unknown codec',
      field('{ hub: emails, remote: e, codec: emial }'),
      'a.yaml:7:42  streams.members.fields[0].codec: "emial" is not allowed here. Fix: Did you mean "email"?',
    ],
    [
      'an unknown codec with options',
      field('{ hub: emails, remote: e, codec: { name: emial } }'),
      /a\.yaml:7:50 {2}streams\.members\.fields\[0\]\.codec\.name: "emial" is not one of .*Did you mean "email"\?/,
    ],
    [
      'a codec that does not fit',
      field('{ hub: jobTitle, remote: j, codec: phone }'),
      'a.yaml:7:44  streams.members.fields[0].codec: the codec "phone" does not fit jobTitle (text). Fix: Use text or picklist.',
    ],
    [
      'a bad expression',
      field('{ hub: language, cel: "remote.a +" }'),
      'a.yaml:7:42  streams.members.fields[0].cel: the expression is wrong: Unexpected token: EOF. Fix: Write CEL over "remote", such as remote.status == "de".',
    ],
    [
      'an unknown variable',
      field("{ hub: language, cel: 'member.a' }"),
      /a\.yaml:7:32 .*Unknown variable: member/,
    ],
    [
      'a filter over a field that does not exist',
      stream('create: { where: record.emailConsentt == "in" }\nfields:\n  - { hub: emails, remote: e }'),
      'a.yaml:6:22  streams.members.create.where: a contact has no field "emailConsentt". Fix: Did you mean "emailConsent"? A field of your own is named custom.<name>.',
    ],
    [
      'a filter that answers no yes or no',
      stream('only: remote.a + "x"\nfields:\n  - { hub: emails, remote: e }'),
      /a\.yaml:6:11 .*answers string, not yes or no/,
    ],
    [
      'a schedule out of range',
      stream("schedule: '61 * * * *'\nfields:\n  - { hub: emails, remote: e }"),
      /a\.yaml:6:15 {2}streams\.members\.schedule: "61 \* \* \* \*" is not a schedule/,
    ],
    [
      'a schedule in words',
      stream('sweep: daily\nfields:\n  - { hub: emails, remote: e }'),
      /a\.yaml:6:12 .*it has 1 fields, not five/,
    ],
    [
      'a key that finds nobody',
      stream('match: [domain]\nfields:\n  - { hub: emails, remote: e }'),
      /a\.yaml:6:13 .*a contact is not found by domain\. Fix: Use email or phone\./,
    ],
    [
      'an unknown connector',
      'connection: mc\nconnector: mailchip\nstreams: {}',
      'a.yaml:2:12  connector: there is no connector "mailchip". Fix: Did you mean "mailchimp"?',
    ],
    [
      'an unknown resource',
      field('{ hub: emails, remote: e }').replace('members:', 'people:'),
      /a\.yaml:5:5 {2}streams\.people: the connector has no resource "people"\. Fix: Choose one of members\. Name it in resource:\./,
    ],
    [
      'a missing key',
      'connection: mc\nstreams: {}',
      /a\.yaml:1:1 {2}connector: "connector" is missing\. Fix: Add connector: <text>\./,
    ],
    [
      'a tab',
      'hub:\n\tdefaultCountry: DE',
      'a.yaml:2:1  this is not YAML: a tab is used to indent. Fix: Use spaces.',
    ],
    ['a bracket left open', 'hub: { defaultCountry: DE', /a\.yaml:\d+:\d+ {2}this is not YAML: /],
    [
      'a key that stands twice',
      'hub:\n  defaultCountry: DE\n  defaultCurrency: EUR\n  defaultCountry: US',
      'a.yaml:4:3  this is not YAML: the same key stands twice. Fix: Remove one of them.',
    ],
    [
      'a tag',
      'hub: { defaultCountry: !!js DE, defaultCurrency: EUR }',
      /this is not YAML: tags such as !!js are not read/,
    ],
    ['an alias to nothing', 'hub: *nowhere', /a\.yaml:1:\d/],
    [
      'a file about nothing',
      '# empty',
      'a.yaml:1:1  it is not clear what this file is about. Fix: Begin it with one of connection, policies, pipelines, picklists, quality, invoicing, alerts, retention, hub.',
    ],
    [
      'a file about something else',
      'piplines: []',
      'a.yaml:1:1  it is not clear what this file is about. Fix: Did you mean "pipelines"?',
    ],
    [
      'a bad connection name',
      'connection: My Shop\nconnector: stripe\nstreams: {}',
      /a\.yaml:1:13 {2}connection: "My Shop" must be small letters/,
    ],
    [
      'a country that does not exist',
      'hub: { defaultCountry: ZZ, defaultCurrency: EUR }',
      /a\.yaml:1:24 .*"ZZ" is not an ISO 3166-1 country code/,
    ],
    [
      'a currency that does not exist',
      'hub: { defaultCountry: DE, defaultCurrency: EURO }',
      /a\.yaml:1:45 .*Did you mean "EUR"\?/,
    ],
    [
      'a derived field that is read',
      field('{ hub: emailConsent, remote: c }'),
      /a\.yaml:7:16 .*computed by the hub.*Fix: Add direction: out\./,
    ],
    [
      'two entries for one field',
      field('{ hub: owner, remote: a }', '\n  - { hub: owner, remote: b, key: other }'),
      /a\.yaml:8:16 .*owner is read by two entries/,
    ],
    [
      'two writers of one place',
      field('{ hub: owner, remote: a }', '\n  - { hub: jobTitle, remote: a.b }'),
      /a\.yaml:8:34 .*"a\.b" is written twice/,
    ],
    [
      'a direction the stream does not go',
      stream('direction: in\nfields:\n  - { hub: owner, remote: a, direction: both }'),
      /a\.yaml:8:45 .*written both ways, but the stream only goes in/,
    ],
    [
      'a union of one value',
      field('{ hub: owner, remote: a, policy: union }'),
      /a\.yaml:7:42 .*nothing to unite/,
    ],
    [
      'a source that does not exist',
      field('{ hub: owner, remote: a, policy: { owner: md } }'),
      /a\.yaml:7:51 .*there is no source "md"\. Fix: Did you mean "mc"\?/,
    ],
    [
      'a reference without a way',
      field('{ hub: company, remote: c }'),
      /Add codec: \{name: ref, by: domain\}/,
    ],
    [
      'a reference by a stream that is not there',
      field('{ hub: company, remote: c, codec: { name: ref, by: { stream: companies } } }'),
      /has no stream "companies"/,
    ],
    [
      'a reference by the wrong key',
      field('{ hub: company, remote: c, codec: { name: ref, by: email } }'),
      /a company is not known by email/,
    ],
    ['an address in one piece', field('{ hub: address, remote: a }'), /mapped by its parts/],
    [
      'an address that would lose a part on the way',
      field('{ hub: address, remote: { line1: a, city: c } }'),
      /the two sides would never agree: .*"line2".* comes back as/,
    ],
    [
      'date formats that contradict each other',
      field('{ hub: custom.since, remote: a, codec: { name: date, formats: [mm/dd/yyyy, dd/mm/yyyy] } }'),
      /two different days/,
    ],
    [
      'a mapping that breaks the laws',
      field('{ hub: emails, remote: a, codec: { name: list, separator: "@" } }'),
      /a\.yaml:7:9 .*the two sides would never agree/,
    ],
    ['a path that is none', field("{ hub: owner, remote: 'a..b' }"), /"a\.\.b" is not a path/],
    [
      'an expression both ways',
      field('{ hub: owner, remote: a, cel: remote.a }'),
      /an expression goes one way/,
    ],
    ['an entry without a place', field('{ hub: owner }'), /"remote" is missing/],
    [
      'an opt-in the remote cannot say',
      stream(
        'consent: { channel: email, audience: a, address: e, state: { path: s, values: { no: out } }, sends: [in] }\nfields:\n  - { hub: emails, remote: e }',
      ),
      /no value at the remote means "in"/,
    ],
    [
      'a lens over the state of consent',
      stream(
        'consent: { channel: email, audience: a, address: e, state: { path: s, values: { no: out } }, sends: [out] }\nfields:\n  - { hub: owner, remote: s }',
      ),
      /"s" is written twice.*consent is written by consent: alone/,
    ],
    [
      'a policy for a field that does not exist',
      'policies: { contact: { emial: newest } }',
      /a\.yaml:1:24 {2}policies\.contact\.emial: a contact has no field "emial"\. Fix: Did you mean "emails"/,
    ],
    [
      'two stages of one name',
      'pipelines: [{ name: a, stages: [{ name: b, outcome: won }, { name: b, outcome: lost }] }]',
      /a\.yaml:1:68 .*two stages "b"/,
    ],
    [
      'an outcome that does not exist',
      'pipelines: [{ name: a, stages: [{ name: b, outcome: wont }] }]',
      /"wont" is not allowed here\. Fix: Did you mean "won"\?/,
    ],
  ])('%s', (_, text, expected) => {
    const found = problems(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(
      typeof expected === 'string' ? new RegExp(`^${RegExp.escape(expected)}$`) : expected,
    )
  })

  it('invoices that nobody could issue, in shares that are not a whole', () => {
    const invoicing = 'invoicing: { connection: stripe, dueDays: 30, schedule: [{ item: a, share: 0.5 }] }'
    expect(problems(invoicing)).toEqual([
      expect.stringContaining('no connection "stripe" has a stream of invoices'),
      expect.stringContaining('the shares add up to 0.5, not to 1'),
    ])
  })

  it('two files about the same thing', () => {
    const hub = 'hub: { defaultCountry: DE, defaultCurrency: EUR }'
    expect(problems(hub, hub)).toEqual([expect.stringMatching(/^1\.yaml:1:1 {2}a\.yaml says this already/)])
    const mail = field('{ hub: emails, remote: e }')
    expect(problems(mail, mail)).toEqual([expect.stringContaining('there are two connections "mc"')])
  })

  it('a file of many megabytes', () => {
    expect(problems(`hub: {}\n#${'x'.repeat(2_000_000)}`)[0]).toContain('longer than 1 MB')
  })

  it('aliases that would explode', () => {
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefghij'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]},`.repeat(9)}]`),
    ]
    expect(problems(`hub: {}\n${bomb.join('\n')}`).join()).toContain('alias')
  })
})

describe('all mistakes are told at once', () => {
  it('of one file and of several, in the order of the text', () => {
    const text = stream(
      `schedule: '61 * * * *'
only: remote.a +
fields:
  - { hub: emial, remote: e }
  - { hub: owner, remot: e }
  - { hub: jobTitle, remote: j, codec: phone }`,
    )
    const lines = problems(text, 'hub: { defaultCountry: ZZ, defaultCurrency: EURO }').map(
      (line) => line.split('  ')[0],
    )
    expect(lines.map((line) => line?.split(':').slice(0, 2).join(':'))).toEqual([
      '1.yaml:1',
      '1.yaml:1',
      'a.yaml:6',
      'a.yaml:7',
      'a.yaml:9',
      'a.yaml:10',
      'a.yaml:11',
    ])
  })
})
