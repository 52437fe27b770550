import type { Fields } from '../model.ts'
import { splitName } from '../name.ts'
import { domainOf, isAddress } from './address.ts'
import { isMachine } from './machines.ts'
import type { Participant } from './people.ts'
import type { DomainFacts, MailRules } from './rules.ts'

export type Newcomer =
  | { readonly kind: 'contact'; readonly fields: Fields; readonly companyDomain: string | null }
  | { readonly kind: 'none'; readonly why: string }

/**
 * The contact that an unknown participant becomes, or why none. Only for messages that `sift` lets pass with
 * `makesContacts`: mail of machines, of lists and with a From of ours that nobody vouches for makes none. Sent mail makes contacts of those it went to, received
 * mail (where the rules say so) of who wrote it, not of strangers in copy. `companyDomain` is the registrable domain to
 * look the company up by, null for free-mail.
 */
export function newcomer(
  person: Participant,
  direction: 'sent' | 'received',
  rules: MailRules,
  domains: DomainFacts,
): Newcomer {
  const why = objection(person, direction, rules)
  if (why !== null) return { kind: 'none', why }
  const domain = domainOf(person.address)
  const registrable = domains.registrable(domain)
  const isFree = domains.isFreeMail(domain) || (registrable !== null && domains.isFreeMail(registrable))
  return {
    kind: 'contact',
    fields: { ...nameFields(person), emails: [person.address] },
    companyDomain: isFree ? null : registrable,
  }
}

function objection(person: Participant, direction: 'sent' | 'received', rules: MailRules): string | null {
  if (person.side === 'us') return 'one of our own addresses'
  if (rules.newContacts === 'never') return 'the rule newContacts is never'
  if (direction === 'received' && rules.newContacts === 'sent')
    return 'the mail was received, and the rule newContacts is sent'
  if (direction === 'received' && person.role !== 'from') return 'only in copy of mail that a stranger sent'
  if (direction === 'sent' && person.role === 'from') return 'the sender of mail that we sent'
  if (!isAddress(person.address)) return 'not an address that mail can be sent to'
  return isMachine(person.address) ? 'an address nobody reads' : null
}

/** Names of the header as people write them: "Lee, Ann (Acme)", "'Ann Lee'", "Ann Lee via Docs", the address itself. */
function nameFields(person: Participant): Fields {
  const shown = (person.name ?? '')
    .slice(0, 300)
    .replace(/\([^()]*\)|\[[^[\]]*\]|["“”„«»]/g, ' ')
    .replace(/\s+via\s.*$/i, ' ')
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
    .replace(/^'(.*)'$/, '$1')
    .replace(/^[,;|\s]+|[,;|\s]+$/g, '')
  if (shown === '' || shown.includes('@') || !/\p{L}/u.test(shown)) return {}
  const { givenName, familyName } = splitName(shown)
  return {
    ...(givenName === null ? {} : { givenName }),
    ...(familyName === null ? {} : { familyName }),
  }
}
