import type { Instant } from '../json.ts'

/** What is kept of a logged message: who, when and in which thread only; its subject too; its text too. */
export type ContentLevel = 'none' | 'subject' | 'full'

/** The rules of one mailbox, as plain data: two that are `same` decide alike. */
export type MailRules = {
  /** Mail from before is not read; null: everything. */
  readonly since: Instant | null
  readonly content: ContentLevel
  /** The company's own domains; the mailbox's own domain counts in any case, unless it is a free-mail one. */
  readonly internalDomains: readonly string[]
  /** Addresses, and domains with everything below them. */
  readonly blocked: readonly string[]
  /** Labels or folders that keep a message out, in any case of letters, with everything nested below them. */
  readonly privateLabels: readonly string[]
  readonly bulk: 'filter' | 'log'
  readonly automatic: 'filter' | 'log'
  /** Mail with nobody who is a contact. */
  readonly strangers: 'filter' | 'log'
  /** Which mail makes contacts of unknown participants. */
  readonly newContacts: 'sent' | 'sent-and-received' | 'never'
  /** Whether `jo+shop@x` is `jo@x`, and `j.o@gmail.com` `jo@gmail.com`, where the provider delivers them alike. */
  readonly plusTags: boolean
  readonly dots: boolean
  /** What a message deleted for good in every mailbox comes to. */
  readonly deleted: 'keep' | 'remove'
}

/** Mail of one connection. */
export type MailConfig = {
  /** Cron, in UTC. */
  readonly schedule: string
  readonly rules: MailRules
  /** By the mailbox's main address; null: it is not read. */
  readonly owners: Readonly<Record<string, MailRules | null>>
  /** Mailboxes that are read, where the connection finds more; null: all. */
  readonly mailboxes: readonly string[] | null
  /** A mailbox that could not be read for this long raises an alarm. */
  readonly alarmMs: number
}

export const DEFAULT_RULES: MailRules = {
  since: null,
  content: 'full',
  internalDomains: [],
  blocked: [],
  privateLabels: ['private', 'personal', 'confidential'],
  bulk: 'filter',
  automatic: 'filter',
  strangers: 'filter',
  newContacts: 'sent',
  plusTags: false,
  dots: false,
  deleted: 'keep',
}

/** The rules a mailbox is read by; null where it is not read. */
export function rulesFor(config: MailConfig, address: string): MailRules | null {
  if (config.mailboxes !== null && !config.mailboxes.includes(address)) return null
  const own = config.owners[address]
  return own === undefined ? config.rules : own
}

/** Knowledge about domains that comes from libraries' lists. */
export type DomainFacts = {
  /** gmail.com, web.de: says nothing about the company of who writes from there. */
  isFreeMail(domain: string): boolean
  /** `mail.acme.co.uk` gives `acme.co.uk` (public suffix list); null where it is no registrable name. */
  registrable(domain: string): string | null
}

/** Why a message is not logged; stored in place of it. */
export type FilterReason =
  | 'draft'
  | 'chat'
  | 'spam'
  | 'trash'
  | 'calendar'
  | 'bounce'
  | 'bulk'
  | 'automatic'
  | 'internal'
  | 'blocked'
  | 'private'
  | 'stranger'
  | 'too-old'
  /** A rule could not be evaluated: no sender, unreadable labels. */
  | 'unclear'
  /** A person made it private or removed it. */
  | 'withdrawn'
