import type { Context } from 'hono'
import { failedPrecondition, forbidden, notFound, scopeInsufficient, unauthenticated } from './errors.ts'
import type { Method, Meter } from './quota.ts'
import { type AccessToken, type GmailMailbox, type GmailState, mailboxOf } from './state.ts'

export const SCOPES = {
  all: 'https://mail.google.com/',
  modify: 'https://www.googleapis.com/auth/gmail.modify',
  readonly: 'https://www.googleapis.com/auth/gmail.readonly',
  metadata: 'https://www.googleapis.com/auth/gmail.metadata',
  labels: 'https://www.googleapis.com/auth/gmail.labels',
  settings: 'https://www.googleapis.com/auth/gmail.settings.basic',
  directory: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
} as const

const READS = [SCOPES.all, SCOPES.modify, SCOPES.readonly]
const READS_METADATA = [...READS, SCOPES.metadata]

/** Any one of them is enough. */
const SCOPES_OF: Readonly<Record<Method, readonly string[]>> = {
  getProfile: READS_METADATA,
  'history.list': READS_METADATA,
  'labels.get': [...READS_METADATA, SCOPES.labels],
  'labels.list': [...READS_METADATA, SCOPES.labels],
  'messages.attachments.get': READS,
  'messages.get': READS_METADATA,
  'messages.list': READS_METADATA,
  'settings.sendAs.list': [SCOPES.modify, SCOPES.readonly, SCOPES.settings],
  stop: READS_METADATA,
  'threads.get': READS_METADATA,
  watch: READS_METADATA,
}

/** The live token of a request. Throws 401. */
export function tokenOf(state: GmailState, c: Context): AccessToken {
  const [scheme = '', value = ''] = (c.req.header('authorization') ?? '').split(' ')
  const token = scheme.toLowerCase() === 'bearer' ? state.accessTokens.get(value) : undefined
  if (token === undefined || token.expiresAt <= state.now()) throw unauthenticated()
  return token
}

export type Admitted = { readonly mailbox: GmailMailbox; readonly seesContent: boolean }

/** Token, scope, whose mailbox, and what is left of the quota. Throws as the vendor answers. */
export function admit(state: GmailState, meter: Meter, c: Context, method: Method): Admitted {
  const token = tokenOf(state, c)
  if (!SCOPES_OF[method].some((scope) => token.scopes.has(scope))) throw scopeInsufficient()
  const mailbox = wanted(state, token, c.req.param('userId') ?? 'me')
  if (!mailbox.hasMail || mailbox.suspended) throw failedPrecondition('Mail service not enabled')
  const payer = token.actor !== null && state.switches.serviceAccountIsOneUser ? token.actor : mailbox.address
  const refusal = meter.charge(payer, method, state.switches.quotaRefusal)
  if (refusal !== null) throw refusal
  return { mailbox, seesContent: READS.some((scope) => token.scopes.has(scope)) }
}

function wanted(state: GmailState, token: AccessToken, userId: string): GmailMailbox {
  const mailbox = state.mailboxes.get(token.mailbox)
  if (mailbox === undefined) throw notFound()
  if (userId !== 'me' && mailboxOf(state, userId) !== mailbox)
    throw forbidden(`Delegation denied for ${token.mailbox}`)
  return mailbox
}
