import { ALARM_KINDS, isAlarmKind, type AlarmKind } from '../core/alarms/kinds.ts'
import {
  ALERT_EVENTS,
  DEFAULT_ALERTS,
  type AlertChannel,
  type Alerts,
  type Interest,
  type Smtp,
} from '../core/alerts.ts'
import type { Quiet } from '../core/stream.ts'
import { alertsFile, type AlertsEntry } from './alerts-schema.ts'
import { addressFault } from './codecs/email.ts'
import type { Parsed } from './document.ts'
import { durationMs } from './duration.ts'
import { choose } from './nearest.ts'
import { within, type Report } from './problem.ts'
import { validate } from './validate.ts'

/** The file `alerts:`; what is wrong is reported. */
export function loadAlerts(document: Parsed | undefined): Alerts {
  const entry = document === undefined ? undefined : validate(alertsFile, document.root, document, [])?.alerts
  return document === undefined || entry === undefined
    ? DEFAULT_ALERTS
    : compileAlerts(entry, within(document.report, 'alerts'))
}

function compileAlerts(entry: AlertsEntry, report: Report): Alerts {
  const { webhooks = [], email = [], smtp, remindAfter, writesWaiting, inboxWaiting } = entry
  const channels: AlertChannel[] = [
    ...webhooks.map(({ url, allowPrivate = false, ...rest }, i): AlertChannel => {
      const at = within(report, 'webhooks', i)
      checkUrl(url, allowPrivate, within(at, 'url'))
      return { kind: 'webhook', name: rest.name, url, allowPrivate, ...interest(rest, at) }
    }),
    ...email.map(({ to, ...rest }, i): AlertChannel => {
      const at = within(report, 'email', i)
      for (const [j, address] of to.entries()) checkAddress(address, within(at, 'to', j))
      return { kind: 'email', name: rest.name, to, ...interest(rest, at) }
    }),
  ]
  const names = channels.map(({ name }) => name)
  for (const [i, name] of names.entries()) {
    const place = i < webhooks.length ? ['webhooks', i] : ['email', i - webhooks.length]
    if (names.indexOf(name) < i)
      report([...place, 'name'], `there are two channels "${name}"`, 'Give one another name.')
    if (name === 'smtp')
      report(
        [...place, 'name'],
        '"smtp" is what the password of the mail server is called',
        'Give it another name.',
      )
  }
  if (email.length > 0 && smtp === undefined)
    report(['smtp'], '"smtp" is missing', 'Say which server sends the mail: smtp: { host, from }.')
  return {
    channels,
    smtp: smtp === undefined ? null : compileSmtp(smtp, within(report, 'smtp')),
    remindMs: lengthOf(remindAfter, within(report, 'remindAfter')) ?? null,
    writesMs: lengthOf(writesWaiting, within(report, 'writesWaiting')) ?? DEFAULT_ALERTS.writesMs,
    inboxMs: lengthOf(inboxWaiting, within(report, 'inboxWaiting')) ?? null,
  }
}

function interest(
  {
    events,
    kinds,
  }: { readonly events?: Interest['events'] | undefined; readonly kinds?: readonly string[] | undefined },
  report: Report,
): Interest {
  return {
    events: events ?? ALERT_EVENTS,
    kinds:
      kinds?.flatMap((kind, i): AlarmKind[] => {
        if (isAlarmKind(kind)) return [kind]
        report(['kinds', i], `there is no kind of alarm "${kind}"`, choose(kind, Object.keys(ALARM_KINDS)))
        return []
      }) ?? null,
  }
}

function checkUrl(text: string, allowPrivate: boolean, report: Report): void {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    report([], `"${text}" is not a web address`, 'Write one such as https://hooks.example.com/concord.')
  else if (url.username !== '' || url.password !== '')
    report(
      [],
      'an address with a password in it',
      'Leave it out: the signature shows that a message is ours.',
    )
  else if (url.protocol === 'http:' && !allowPrivate)
    report(
      [],
      `"${text}" is not encrypted`,
      'Use https://, or say allowPrivate: true for one in your own network.',
    )
}

function checkAddress(text: string, report: Report): void {
  const fault = addressFault(text)
  if (fault !== null)
    report([], `"${text}" is not an email address: ${fault}`, 'Write one such as ops@example.com.')
}

const PORTS = { tls: 465, starttls: 587, none: 25 } as const

function compileSmtp(entry: NonNullable<AlertsEntry['smtp']>, report: Report): Smtp {
  const { host, security = 'starttls', port = PORTS[security], user = null, from } = entry
  if (!/^[\w.:-]+$/.test(host))
    report(['host'], `"${host}" is not a host`, 'Write one such as smtp.example.com.')
  if (security === 'none' && user !== null)
    report(['security'], 'a password would travel in the clear', 'Use starttls or tls, or leave out user:.')
  checkAddress(from, within(report, 'from'))
  return { host, port, security, user, from }
}

/** `quiet:` of a stream. */
export function compileQuiet(said: string | undefined, report: Report): Quiet {
  if (said === undefined) return { kind: 'learned' }
  if (said.trim() === 'never') return { kind: 'never' }
  const ms = lengthOf(said, report)
  return ms === undefined ? { kind: 'learned' } : { kind: 'after', ms }
}

const LENGTHS = { from: '60m', to: '365d', such: '24h' } as const

const lengthOf = (said: string | undefined, report: Report): number | undefined =>
  said === undefined ? undefined : durationMs(said, LENGTHS, report)
