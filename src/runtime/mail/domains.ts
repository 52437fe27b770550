import freeEmailDomains from 'free-email-domains'
import { getDomain } from 'tldts'
import type { DomainFacts } from '../../core/mail/rules.ts'

const free = new Set(freeEmailDomains)

/**
 * What libraries know about domains: HubSpot's list of free-mail providers by way of `free-email-domains`, and the
 * public suffix list by way of `tldts`, with its private part, so that `acme.onmicrosoft.com` and `acme.myshopify.com`
 * are companies of their own.
 */
export const domainFacts: DomainFacts = {
  isFreeMail: (domain) => free.has(domain.toLowerCase()),
  registrable: (domain) => getDomain(domain, { allowPrivateDomains: true }),
}
