import { getDomain } from 'tldts'
import type { DomainFacts } from '../../core/mail/rules.ts'
import { isFreeMail } from '../../mappings/free-mail.ts'

/** Every Microsoft 365 tenant starts out below it, and the public suffix list does not have it. */
const TENANT = /[^.]+\.onmicrosoft\.com$/

/**
 * What libraries know about domains: free-mail providers, and the public suffix list by way of `tldts` with its private
 * part, so that `acme.myshopify.com` is a company of its own.
 */
export const domainFacts: DomainFacts = {
  isFreeMail,
  registrable: (domain) => TENANT.exec(domain)?.[0] ?? getDomain(domain, { allowPrivateDomains: true }),
}
