import { isCompanyDomain } from 'company-email-validator'

/** Kept for documentation (RFC 2606), and in the library's list all the same. */
const DOCUMENTATION = /^example\.(?:com|net|org)$/

/** Whether a domain's addresses say nothing about an employer, by the list of `company-email-validator`. */
export const isNobodys = (domain: string): boolean => !isCompanyDomain(domain)

/** Whether a domain gives mailboxes to anybody: gmail.com, web.de. */
export const isFreeMail = (domain: string): boolean => !DOCUMENTATION.test(domain) && isNobodys(domain)
