import { isCompanyDomain } from 'company-email-validator'

/** Kept for documentation (RFC 2606), and in the library's list all the same. */
const DOCUMENTATION = /^example\.(?:com|net|org)$/

/** Whether a domain gives mailboxes to anybody (gmail.com, web.de), by the list of `company-email-validator`. */
export const isFreeMail = (domain: string): boolean => !DOCUMENTATION.test(domain) && !isCompanyDomain(domain)
