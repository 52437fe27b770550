import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALARM_KINDS } from '../../src/core/alarms/kinds.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'

const CATALOG = { connectors: { csv: ['contacts'] }, mail: [] }

function load(alerts: string, stream = '') {
  const files = [
    { name: 'alerts.yaml', text: alerts },
    {
      name: 'csv.yaml',
      text: `connection: csv\nconnector: csv\nstreams:\n  contacts:\n    record: contact\n    direction: in\n${stream}    fields:\n      - { hub: jobTitle, remote: title }\n`,
    },
  ]
  return loadConfiguration(files, CATALOG)
}

function problems(alerts: string, stream = ''): string {
  const loaded = load(alerts, stream)
  return loaded.kind === 'ok' ? 'none' : loaded.problems.map(formatProblem).join('\n')
}

describe('alerts:', () => {
  it('names channels, whom to tell of what, and from when on', () => {
    const loaded = load(`alerts:
  webhooks:
    - { name: ops, url: https://hooks.example.com/concord, kinds: [held], events: [raised] }
  email:
    - { name: admins, to: [ops@example.com] }
  smtp: { host: smtp.example.com, user: hub, from: hub@example.com }
  remindAfter: 24h
  inboxWaiting: 7d`)
    expect(loaded).toMatchObject({
      kind: 'ok',
      configuration: {
        alerts: {
          channels: [
            { kind: 'webhook', name: 'ops', allowPrivate: false, events: ['raised'], kinds: ['held'] },
            { kind: 'email', name: 'admins', events: ['raised', 'recovered', 'reminder'], kinds: null },
          ],
          smtp: { port: 587, security: 'starttls' },
          remindMs: 86_400_000,
          writesMs: 21_600_000,
          inboxMs: 604_800_000,
        },
      },
    })
  })

  it.each([
    ['{ name: ops, url: "http://hooks.example.com" }', 'not encrypted'],
    ['{ name: ops, url: "ftp://hooks.example.com" }', 'not a web address'],
    ['{ name: ops, url: "https://me:pw@hooks.example.com" }', 'a password in it'],
    ['{ name: ops, url: "https://a.example", kinds: [helt] }', 'Did you mean "held"?'],
    ['{ name: ops, url: "https://a.example", events: [closed] }', 'alerts.webhooks[0].events[0]'],
    ['{ name: ops, url: "https://a.example", secret: whsec_x }', 'unknown key "secret"'],
    ['{ name: smtp, url: "https://a.example" }', 'Give it another name'],
  ])('refuses a webhook %s', (webhook, said) => {
    const told = problems(`alerts:\n  webhooks:\n    - ${webhook}`)
    expect(told).toContain(said)
    expect(told).toMatch(/alerts\.yaml:3:/)
  })

  it.each([
    ['email: [{ name: a, to: [ops@example.com] }]', '"smtp" is missing'],
    ['email: [{ name: a, to: [ops] }]\n  smtp: { host: h, from: a@example.com }', 'not an email address'],
    ['smtp: { host: "h/x", from: a@example.com }', 'not a host'],
    ['smtp: { host: h, from: a@example.com, security: none, user: me }', 'in the clear'],
    ['remindAfter: soon', 'not a length of time'],
    ['writesWaiting: 10m', 'too short'],
    [
      'webhooks: [{ name: a, url: "https://a.example" }, { name: a, url: "https://b.example" }]',
      'two channels "a"',
    ],
  ])('refuses %s', (text, said) => {
    expect(problems(`alerts:\n  ${text}`)).toContain(said)
  })

  it('may be said once only', () => {
    const files = ['a.yaml', 'b.yaml'].map((name) => ({ name, text: 'alerts: {}' }))
    expect(loadConfiguration(files, CATALOG)).toMatchObject({ kind: 'problems' })
  })

  it('is explained by the file that ships: its example loads', () => {
    const text = readFileSync(path.join(import.meta.dirname, '..', '..', 'config', 'alerts.yaml'), 'utf8')
    const example = text.split('\n').filter((line) => /^# {3,}\S/.test(line) && !/^# {3}\w+ {2}/.test(line))
    const uncommented = example.map((line) => line.slice(2)).join('\n')
    expect(uncommented).toContain('webhooks:')
    expect(problems(`alerts:\n${uncommented}`)).toBe('none')
  })
})

describe('quiet: of a stream', () => {
  it.each([
    ['', { kind: 'learned' }],
    ['    quiet: never\n', { kind: 'never' }],
    ['    quiet: 3d\n', { kind: 'after', ms: 259_200_000 }],
  ])('reads %j', (stream, quiet) => {
    const loaded = load('alerts: {}', stream)
    expect(loaded).toMatchObject({ kind: 'ok', configuration: { connections: [{ streams: [{ quiet }] }] } })
  })

  it('refuses what is no length of time', () => {
    expect(problems('alerts: {}', '    quiet: often\n')).toContain('streams.contacts.quiet')
  })
})

it('is documented: every kind of alarm, and an example that loads', () => {
  const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'alerts.md'), 'utf8')
  const missing = Object.keys(ALARM_KINDS).filter((kind) => !page.includes(`| \`${kind}\` |`))
  expect(missing).toEqual([])
  const [, example = ''] = /```yaml\n(alerts:[^`]*)```/.exec(page) ?? []
  expect(problems(example)).toBe('none')
})
