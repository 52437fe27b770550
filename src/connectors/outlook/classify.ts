import { parsedJson, type Instant } from '../../core/json.ts'
import type { Failure, HttpReply } from '../connector.ts'
import { retryAfter } from '../retry-after.ts'
import { quoted } from '../vendor-words.ts'
import { errorBody } from './wire.ts'

/** Where Graph does not say when to come back: it counts over ten minutes, so a short pause frees little. */
const THROTTLED_MS = 10_000

/** A token of delta that Graph has forgotten, under any of the statuses it uses for that. */
const EXPIRED =
  /^(syncstatenotfound|syncstateinvalid|errorinvalidsyncstatedata|resyncrequired|resyncchanges\w+|fullsyncrequired)$/i
/** An id that cannot be one names nothing. */
const NO_SUCH_ID = /^(errorinvalididmalformed\w*|errorinvalidid|errorinvalididempty)$/i
/** The mailbox itself is not to be had: what it holds is not gone on that account. */
const NO_MAILBOX =
  /^(mailboxnotenabledforrestapi|mailboxnotsupportedforrestapi|errornonexistentmailbox|errorinvaliduser|resourcenotfound|errormailboxmoveinprogress)$/i

/** https://learn.microsoft.com/en-us/graph/errors, https://learn.microsoft.com/en-us/graph/throttling */
export function classify(reply: HttpReply, now: Instant): Failure {
  const { status, method } = reply
  const { code, message } = errorOf(reply)
  const named = code ?? ''
  const told = retryAfter(reply.headers, now)
  const isThrottled = status === 429 || status === 509 || named === 'ApplicationThrottled'
  if (isThrottled || (status === 503 && told !== null))
    return { kind: 'throttled', retryAt: told ?? now + THROTTLED_MS, message }
  if (status === 401) return { kind: 'auth', message: `${message} ${SIGN_IN}` }
  if (status === 410 || EXPIRED.test(named)) return { kind: 'cursor-expired', message }
  if (status === 403) return refusal(reply.url, named, message)
  if (NO_MAILBOX.test(named) && !reply.url.includes('/subscriptions'))
    return { kind: 'rejected', code: named, field: null, message: `${message} ${NO_BOX}` }
  if (status === 404 || NO_SUCH_ID.test(named)) return { kind: 'missing', message }
  if (status === 412 || status === 409 || named === 'ErrorIrresolvableConflict')
    return { kind: 'stale', message }
  if (status >= 500 || status === 408)
    return {
      kind: 'unavailable',
      committed: method === 'GET' || method === 'HEAD' ? 'no' : 'unknown',
      message,
    }
  if (/delegated authentication flow/i.test(message))
    return { kind: 'rejected', code: 'settings', field: 'mailboxes', message: `${message} ${WHOSE}` }
  const field = fieldOf(message)
  const fix = field === null ? 'Correct the record.' : `Correct ${field} in the record.`
  return { kind: 'rejected', code: code ?? `HTTP ${status}`, field, message: `${message} ${fix}` }
}

/** Of several mailboxes one may lie outside of what the application may read: the others go on. */
function refusal(url: string, code: string, message: string): Failure {
  const isOneOfMany = /\/users\//i.test(url) && !/\/contact/i.test(url)
  return isOneOfMany && code === 'ErrorAccessDenied'
    ? { kind: 'rejected', code, field: 'mailboxes', message: `${message} ${OUT_OF_SCOPE}` }
    : { kind: 'auth', message: `${message} ${RIGHTS}` }
}

/** For credentials that no longer work. */
const SIGN_IN =
  'Authorise the connection again; of an application, copy a current client secret from Microsoft Entra (App registrations > Certificates & secrets).'
const RIGHTS =
  'Grant the permissions that docs/connect-outlook.md lists in Microsoft Entra (App registrations > API permissions), with admin consent.'
const OUT_OF_SCOPE =
  'Add the mailbox to the group or management scope the application is limited to in Exchange, or take it out of `mailboxes`.'
const WHOSE = 'Name the mailboxes that the application reads in `mailboxes`, or sign in as a person.'
const NO_BOX = 'Give the account an Exchange Online mailbox, or take it out of the connection.'

function errorOf(reply: HttpReply): { readonly code: string | null; readonly message: string } {
  const read = errorBody.safeParse(parsedJson(reply.body))
  const code = read.success ? quoted(read.data.error.code ?? '').slice(0, 100) : ''
  const words = read.success ? quoted(read.data.error.message ?? '') : ''
  const said = [code, words].filter((part) => part !== '').join(': ')
  const message = said === '' ? `Outlook answered ${reply.status}.` : `Outlook: ${said.replace(/\.?$/, '.')}`
  return { code: code === '' ? null : code, message }
}

/** Graph names a bad property only in its prose. */
function fieldOf(message: string): string | null {
  const named = /(?:property|field|parameter) (?:named )?['"]?([a-z]\w*(?:[./]\w+)*)['"]/i.exec(message)
  return named?.[1]?.replace(/.*\//, '') ?? null
}
