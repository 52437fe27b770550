import { z } from 'zod'
import { parsedJson, type Instant } from '../../core/json.ts'
import type { Failure, HttpReply } from '../connector.ts'
import { retryAfter } from '../retry-after.ts'
import { quoted } from '../vendor-words.ts'

const errorBody = z.object({
  error: z.object({
    message: z.string().nullish(),
    errors: z.array(z.object({ reason: z.string().nullish() })).nullish(),
    details: z.array(z.object({ reason: z.string().nullish() })).nullish(),
  }),
})

/** Limits are counted by the minute, and Google asks for waits that begin at a second. */
const PAUSE_MS = 5_000
/** A daily limit does not come back within minutes. */
const LONG_PAUSE_MS = 3_600_000

/**
 * What a reply that is not 2xx means: by `reason`, because 403 stands for limits as well as for missing permissions.
 * https://developers.google.com/workspace/gmail/api/guides/handle-errors
 */
export function classify(reply: HttpReply, now: Instant): Failure {
  const { status } = reply
  const error = readError(reply)
  const { reasons, message } = error
  if (status === 401) return { kind: 'auth', message: `${message}. Authorise the connection again.` }
  if (status === 429 || reasons.some((reason) => BUSY.has(reason)))
    return { kind: 'throttled', retryAt: retryAt(reply, message, now, PAUSE_MS), message }
  if (reasons.some((reason) => SPENT.has(reason)))
    return { kind: 'throttled', retryAt: retryAt(reply, message, now, LONG_PAUSE_MS), message }
  if (status === 403) return forbidden(reasons, message)
  // A 404 without Google's own words comes from a proxy or a wrong base URL, and says nothing about a message.
  if (status === 404 && error.isGoogle) return { kind: 'missing', message }
  if (status >= 500 || status === 408)
    return { kind: 'unavailable', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
  if (status >= 400 && error.isGoogle) {
    const code = reasons[0] ?? String(status)
    return { kind: 'rejected', code, field: null, message: withFix(message, REJECTED[code]) }
  }
  return { kind: 'malformed', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
}

const BUSY = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED'])
const SPENT = new Set(['dailyLimitExceeded', 'quotaExceeded'])

/** What an administrator can do; each concerns the whole connection or mailbox, not one message. */
const DENIED: Readonly<Record<string, string>> = {
  insufficientPermissions:
    'Allow the scopes named in docs/connect-gmail.md, then authorise the connection again',
  ACCESS_TOKEN_SCOPE_INSUFFICIENT:
    'Allow the scopes named in docs/connect-gmail.md, then authorise the connection again',
  accessNotConfigured: 'Enable this API in the Google Cloud project, under APIs & Services > Library',
  SERVICE_DISABLED: 'Enable this API in the Google Cloud project, under APIs & Services > Library',
  domainPolicy:
    "Allow the app in the domain's Admin console, under Security > API controls > App access control",
  delegationDenied:
    'The token is for another user: authorise as this mailbox, or delegate domain-wide authority to the service account',
}
const REJECTED: Readonly<Record<string, string>> = {
  failedPrecondition:
    'Google says this of users without Gmail: give the user a licence, or leave the mailbox out. A service account has no mailbox either: set mailboxes or directoryAdmin',
}

function forbidden(reasons: readonly string[], message: string): Failure {
  // Its reason is the same `forbidden` as that of everything else.
  const known = message.startsWith('Delegation denied') ? ['delegationDenied'] : reasons
  const denied = known.find((reason) => Object.hasOwn(DENIED, reason))
  if (denied !== undefined) return { kind: 'auth', message: withFix(message, DENIED[denied]) }
  const fix = 'Check what the user and the app may do in the Google Admin console'
  return { kind: 'rejected', code: reasons[0] ?? '403', field: null, message: withFix(message, fix) }
}

function withFix(message: string, fix: string | undefined): string {
  return fix === undefined ? message : `${message}. ${fix}.`
}

/** A header, or Gmail's own words: "User-rate limit exceeded. Retry after 2026-03-01T09:00:30.123Z". */
function retryAt(reply: HttpReply, message: string, now: Instant, pause: number): Instant {
  const told = retryAfter(reply.headers, now)
  if (told !== null) return told
  const at = Date.parse(/Retry after (\d{4}-\d\d-\d\dT[\d:.]+Z)/i.exec(message)?.[1] ?? '')
  return Number.isNaN(at) ? now + pause : Math.max(now, at)
}

function readError(reply: HttpReply): {
  readonly reasons: readonly string[]
  readonly message: string
  readonly isGoogle: boolean
} {
  const read = errorBody.safeParse(parsedJson(reply.body))
  const error = read.success ? read.data.error : {}
  const reasons = [...(error.errors ?? []), ...(error.details ?? [])].flatMap(({ reason }) => reason ?? [])
  const said = quoted(error.message ?? `Google answered ${reply.status}`).replace(/\.$/, '')
  return { reasons, message: said, isGoogle: read.success }
}
