import type { Failure, HttpReply } from '../connector.ts'
import { retryAfter } from '../retry-after.ts'
import { quoted } from '../vendor-words.ts'
import { parsedJson, type Instant } from '../../core/json.ts'
import { committed } from './api.ts'
import { problem as problemSchema, type Problem } from './wire.ts'

/** Where the vendor does not say when to come back: it frees a connection within seconds, an overload lasts. */
const THROTTLED_MS = 5_000
const OVERLOADED_MS = 30_000

/** https://mailchimp.com/developer/marketing/docs/errors/ */
export function classify(reply: HttpReply, now: Instant): Failure {
  const problem = problemOf(reply.body)
  const message = problem === null ? `Mailchimp answered ${reply.status}.` : messageOf(problem)
  switch (reply.status) {
    case 401:
      return { kind: 'auth', message: `${message} ${KEY_FIX}` }
    case 403:
      // Under extreme load the vendor's edge refuses without JSON; only JSON means "you may not".
      return problem === null
        ? { kind: 'throttled', retryAt: retryAfter(reply.headers, now) ?? now + OVERLOADED_MS, message }
        : { kind: 'auth', message: `${message} ${RIGHTS_FIX}` }
    case 404:
      return { kind: 'missing', message }
    case 429:
      return { kind: 'throttled', retryAt: retryAfter(reply.headers, now) ?? now + THROTTLED_MS, message }
  }
  if (reply.status >= 500 || reply.status === 408) {
    return { kind: 'unavailable', committed: committed(reply.method), message }
  }
  const code = problem === null ? `HTTP ${reply.status}` : quoted(problem.title)
  return { kind: 'rejected', code, field: problem === null ? null : fieldOf(problem), message }
}

function problemOf(body: string): Problem | null {
  return problemSchema.safeParse(parsedJson(body)).data ?? null
}

/** As `discover` names it. Merge fields are told by their bare tag. */
function fieldOf(problem: Problem): string | null {
  const field = problem.errors?.find((error) => error.field)?.field
  if (field !== undefined) return /^[A-Z0-9_]+$/.test(field) ? `merge_fields.${field}` : field
  return ADDRESS_TITLES.has(problem.title) || refusesAddress(problem) ? 'email_address' : null
}

/** The vendor refuses an address in prose alone, with the title that every bad field has. */
function refusesAddress({ title, detail, errors }: Problem): boolean {
  const unnamed = title === 'Invalid Resource' && (errors ?? []).length === 0
  return unnamed && /email address|fake or invalid/i.test(detail ?? '')
}

const ADDRESS_TITLES: ReadonlySet<string> = new Set(['Forgotten Email Not Subscribed', 'Member Exists'])

function messageOf(problem: Problem): string {
  const details = (problem.errors ?? []).map(({ field, message }) =>
    [field, message].filter(Boolean).join(': '),
  )
  const said = [`Mailchimp: ${problem.title}.`, problem.detail, ...details].filter(Boolean)
  const fix = refusesAddress(problem) ? ADDRESS_FIX : FIXES.get(problem.title)
  return [quoted(said.join(' ')), ...(fix === undefined ? [] : [fix])].join(' ')
}

const KEY_FIX =
  'Copy a current API key from Profile > Extras > API keys in Mailchimp, whole, with its data centre.'
const RIGHTS_FIX = 'Use the API key of a user who may manage this audience.'
const ADDRESS_FIX = "Correct the record's email address."

/** What to do about it, by the title the vendor gives. */
const FIXES: ReadonlyMap<string, string> = new Map([
  [
    'Member In Compliance State',
    'The contact unsubscribed, bounced or is under review. Only the person can come back, through a Mailchimp ' +
      'sign-up form; a bounced address needs another address.',
  ],
  [
    'Forgotten Email Not Subscribed',
    'The contact was permanently deleted in Mailchimp. Only the person can come back, through a sign-up form.',
  ],
  [
    'Member Exists',
    'Another contact of the audience has this address. Merge the two records, or archive one contact in Mailchimp.',
  ],
  [
    'Invalid Resource',
    'Correct the named field in the record, or change the field in the audience settings.',
  ],
  ['Method Not Allowed', 'Mailchimp does not archive contacts that bounced or have yet to confirm.'],
])
