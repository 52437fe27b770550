import { DEFAULT_RULES, type MailConfig, type MailRules } from '../core/mail/rules.ts'
import { dayExists } from './codecs/calendar.ts'
import { domainFault } from './codecs/domain.ts'
import { addressFault } from './codecs/email.ts'
import { durationMs } from './duration.ts'
import { isFreeMail } from './free-mail.ts'
import type { MailEntry, RulesEntry } from './mail-schema.ts'
import { nearest } from './nearest.ts'
import { within, type Report } from './problem.ts'
import { checkCron } from './stream.ts'

const EVERY_TWO_MINUTES = '*/2 * * * *'
const ALARMS = { from: '10m', to: '30d', such: '2h' } as const
const DEFAULT_ALARM_MS = 2 * 3_600_000

/** Compiles a `mail:` section. What is wrong is reported, and the nearest sound value stands in for it. */
export function compileMail(entry: MailEntry, report: Report): MailConfig {
  const { schedule = EVERY_TWO_MINUTES, mailboxes, alarmAfter, owners = {}, ...own } = entry
  checkCron(schedule, within(report, 'schedule'))
  const rules = { ...DEFAULT_RULES, ...compileRules(own, report) }
  const read = mailboxes === undefined ? null : addresses(mailboxes, 'mailbox', within(report, 'mailboxes'))
  return {
    schedule,
    rules,
    owners: compileOwners(owners, rules, read, within(report, 'owners')),
    mailboxes: read,
    alarmMs:
      (alarmAfter === undefined ? undefined : durationMs(alarmAfter, ALARMS, within(report, 'alarmAfter'))) ??
      DEFAULT_ALARM_MS,
  }
}

function compileOwners(
  owners: NonNullable<MailEntry['owners']>,
  rules: MailRules,
  mailboxes: readonly string[] | null,
  report: Report,
): MailConfig['owners'] {
  const compiled = new Map<string, MailRules | null>()
  for (const [said, entry] of Object.entries(owners)) {
    const address = readAddress(said)
    const own = entry === 'off' ? {} : compileRules(entry, within(report, said))
    if (address === null) report([said], ...notAnAddress(said))
    else if (compiled.has(address))
      report([said], `there are two owners "${address}"`, 'Put their rules together.')
    else {
      if (mailboxes !== null && !mailboxes.includes(address)) reportUnread(address, said, mailboxes, report)
      compiled.set(address, entry === 'off' ? null : joined(rules, own))
    }
  }
  return Object.fromEntries(compiled)
}

function reportUnread(address: string, said: string, mailboxes: readonly string[], report: Report): void {
  const meant = nearest(address, mailboxes)
  const fix = meant === undefined ? 'Name it in mailboxes:, or remove it here.' : `Did you mean "${meant}"?`
  report([said], `"${address}" is not among the mailboxes: that are read`, fix)
}

/**
 * An owner's lists are added to the connection's: what the company keeps out stays out, whatever one mailbox adds.
 * Everything else an owner sets stands in place of it.
 */
function joined(rules: MailRules, own: Partial<MailRules>): MailRules {
  const both = (name: 'internalDomains' | 'blocked' | 'privateLabels') => [
    ...new Set([...rules[name], ...(own[name] ?? [])]),
  ]
  return {
    ...rules,
    ...own,
    internalDomains: both('internalDomains'),
    blocked: both('blocked'),
    privateLabels: both('privateLabels'),
  }
}

/** The rules an entry sets, and no others. */
function compileRules(entry: RulesEntry, report: Report): Partial<MailRules> {
  const { since, internalDomains, blocked, privateLabels, ...plain } = entry
  return {
    ...defined(plain),
    ...(since === undefined
      ? {}
      : { since: since === null ? null : midnight(since, within(report, 'since')) }),
    ...(internalDomains === undefined
      ? {}
      : { internalDomains: ownDomains(internalDomains, within(report, 'internalDomains')) }),
    ...(blocked === undefined ? {} : { blocked: blockedOnes(blocked, within(report, 'blocked')) }),
    ...(privateLabels === undefined
      ? {}
      : { privateLabels: labels(privateLabels, within(report, 'privateLabels')) }),
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
function defined<T extends object>(entry: T): Defined<T> {
  const kept: Defined<T> = { ...entry }
  for (const key in kept) if (kept[key] === undefined) delete kept[key]
  return kept
}

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/

/** The first instant of a day, in UTC. */
function midnight(said: string, report: Report): number | null {
  const [, year, month, day] = DAY.exec(said) ?? []
  if (year !== undefined && dayExists(Number(year), Number(month), Number(day))) return Date.parse(said)
  report([], `"${said}" is not a day`, 'Write it as 2025-01-31; leave since: out to read everything.')
  return null
}

function addresses(said: readonly string[], what: string, report: Report): readonly string[] {
  return eachOnce(said, what, report, (text, at) => {
    const address = readAddress(text)
    if (address === null) at([], ...notAnAddress(text))
    return address
  })
}

function blockedOnes(said: readonly string[], report: Report): readonly string[] {
  return eachOnce(said, 'entry', report, (text, at) => {
    const whole = /^@(.+)/.exec(text.trim())?.[1]
    if (whole === undefined && text.includes('@')) {
      const address = readAddress(text)
      if (address === null) at([], ...notAnAddress(text))
      return address
    }
    const domain = whole === undefined ? readDomain(text) : null
    if (domain === null) {
      const form =
        whole === undefined
          ? 'Write a domain as example.com, an address as ann@example.com'
          : `Write ${whole}`
      at([], `"${text}" is neither an address nor a domain`, `${form}; a domain stands for all below it too.`)
    }
    return domain
  })
}

function ownDomains(said: readonly string[], report: Report): readonly string[] {
  return eachOnce(said, 'domain', report, (text, at) => {
    const domain = readDomain(text)
    if (domain === null) {
      const behind = text.slice(text.lastIndexOf('@') + 1)
      at([], `"${text}" is not a domain`, `Write it as ${readDomain(behind) ?? 'example.com'}.`)
    } else if (isFreeMail(domain)) {
      const fix = 'Remove it: customers write from there too, and their mail would not be logged.'
      at([], `"${domain}" gives mailboxes to anybody, so it is not your company's`, fix)
    }
    return domain
  })
}

function labels(said: readonly string[], report: Report): readonly string[] {
  return eachOnce(said, 'label', report, (text, at) => {
    const label = text.normalize('NFC').trim()
    if (label === '') at([], 'a label needs a name', 'Write it as it stands in the mailbox.')
    return label === '' ? null : label
  })
}

/** What `read` makes of each text; a null is reported there already, a repeated one here. */
function eachOnce(
  said: readonly string[],
  what: string,
  report: Report,
  read: (text: string, report: Report) => string | null,
): readonly string[] {
  const kept = new Set<string>()
  for (const [i, text] of said.entries()) {
    const value = read(text, within(report, i))
    if (value !== null && kept.has(value))
      report([i], `the ${what} "${value}" stands twice`, 'Remove one of them.')
    if (value !== null) kept.add(value)
  }
  return [...kept]
}

const notAnAddress = (said: string): readonly [message: string, fix: string] => [
  `"${said}" is not an email address`,
  'Write it as ann@example.com, without a name around it.',
]

/** In small letters with an ASCII domain, as mailboxes and participants are known; null where it is none. */
function readAddress(said: string): string | null {
  const address = said.trim().toLowerCase().normalize('NFC')
  if (addressFault(address) !== null) return null
  const at = address.lastIndexOf('@')
  const domain = ascii(address.slice(at + 1))
  return domain === null ? null : `${address.slice(0, at)}@${domain}`
}

function readDomain(said: string): string | null {
  const domain = said.trim().toLowerCase().normalize('NFC').replace(/\.$/, '')
  return domainFault(domain) === null ? ascii(domain) : null
}

function ascii(domain: string): string | null {
  return URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`).hostname : null
}
