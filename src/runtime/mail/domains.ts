import freeMail from 'free-email-domains'
import { getDomain } from 'tldts'
import type { DomainFacts } from '../../core/mail/rules.ts'

const FREE = new Set(freeMail)

/** What libraries' lists know: https://github.com/Kikobeats/free-email-domains and https://publicsuffix.org */
export const DOMAINS: DomainFacts = {
  isFreeMail: (domain) => FREE.has(domain),
  registrable: (domain) => getDomain(domain, { allowPrivateDomains: true }),
}
