import { authorsOf, domainOf, isAddress, MOST_RECIPIENTS, ourAddresses, plainAddress } from './address.ts'
import type { Envelope, MailAddress, Mailbox } from './message.ts'
import type { DomainFacts, MailRules } from './rules.ts'

export type Role = 'from' | 'to' | 'cc' | 'bcc'
export type Participant = {
  readonly address: string
  readonly name: string | null
  readonly role: Role
  readonly side: 'us' | 'them'
}

/**
 * Who takes part in a message: one entry an address, in its strongest role, in the order from, to, cc, bcc. What is no
 * address is passed over. Reply-To is not a part: who writes for somebody else is still the one who writes.
 */
export function participantsOf(
  envelope: Envelope,
  mailbox: Mailbox,
  rules: MailRules,
  domains: DomainFacts,
): readonly Participant[] {
  const isOurs = ourAddresses(mailbox, rules, domains)
  const found = new Map<string, Participant>()
  const add = (role: Role, addresses: readonly MailAddress[]) => {
    for (const { address: raw, name } of addresses) {
      const address = plainAddress(raw)
      const seen = found.get(address)
      if (seen === undefined && (!isAddress(address) || found.size > MOST_RECIPIENTS)) continue
      if (seen === undefined)
        found.set(address, { address, name, role, side: isOurs(address) ? 'us' : 'them' })
      else if (seen.name === null && name !== null) found.set(address, { ...seen, name })
    }
  }
  add('from', authorsOf(envelope))
  add('to', envelope.to)
  add('cc', envelope.cc)
  add('bcc', envelope.bcc)
  return [...found.values()]
}

/** One mailbox under two names: https://support.google.com/mail/answer/10313 */
const GMAIL = new Set(['gmail.com', 'googlemail.com'])
/** Yahoo's disposable addresses are `name-word@`, and `+` is no tag there: https://help.yahoo.com/kb/SLN28815.html */
const NO_PLUS = /^(?:yahoo|ymail|rocketmail|aol)\./

/**
 * The keys to look an address up by, the exact one first. With plus tags and dots counted out by the rules, further
 * forms follow, and the last is the canonical one: two addresses are one mailbox where their last forms are equal.
 *
 * Tags are counted out everywhere but where the provider is known not to have them (Google, Microsoft, Apple, Fastmail,
 * Proton and Zoho do); dots, and googlemail.com, at Gmail only, as nobody else delivers them alike.
 */
export function addressForms(address: string, rules: MailRules): readonly string[] {
  const exact = plainAddress(address)
  const at = exact.lastIndexOf('@')
  if (at < 1) return [exact]
  const domain = domainOf(exact)
  const local = exact.slice(0, at)
  const tag = local.indexOf('+')
  const bare = rules.plusTags && tag > 0 && !NO_PLUS.test(domain) ? local.slice(0, tag) : local
  const forms = [exact, `${bare}@${domain}`]
  if (rules.dots && GMAIL.has(domain)) {
    const keyword = bare.indexOf('+')
    const name = keyword === -1 ? bare : bare.slice(0, keyword)
    forms.push(`${name.replaceAll('.', '')}${bare.slice(name.length)}@gmail.com`)
  }
  return [...new Set(forms)]
}
