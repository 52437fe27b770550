import { z } from 'zod'
import type { Instant } from '../../core/json.ts'
import { type Failure, VendorError } from '../connector.ts'
import { quoted } from '../vendor-words.ts'
import type { Account } from './settings.ts'

/** Where a server that is busy does not say until when. */
const PAUSE_MS = 60_000

/** What imapflow puts on its errors. */
type Told = {
  readonly code: string
  readonly status: string
  readonly words: string
  readonly isLogin: boolean
  readonly isTls: boolean
  readonly waitMs: number | null
}

/**
 * An error of the session as a `VendorError`, in words for an admin; anything else, a bug, as it is. Response codes:
 * RFC 5530. Nothing was ever changed, so nothing is uncertain.
 */
export function explained(error: unknown, account: Account, byToken: boolean, now: Instant): unknown {
  if (error instanceof VendorError || !(error instanceof Error)) return error
  const failure = failureFor(told(error), account, byToken, now)
  return failure === null ? error : new VendorError(failure, { cause: plain(error) })
}

/** imapflow's errors carry the command and the answer, with names and addresses in them. */
const plain = (error: Error): Error => new Error(error.message)

/** Whether the connection broke, and not the request. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && BROKEN.test(told(error).code)
}

function failureFor(at: Told, account: Account, byToken: boolean, now: Instant): Failure | null {
  const server = `${account.host}:${account.port}`
  const says = at.words === '' ? '' : ` It says: ${at.words}`
  if (at.waitMs !== null || BUSY.has(at.code) || (at.isLogin && TOO_MANY.test(at.words)))
    return {
      kind: 'throttled',
      retryAt: now + (at.waitMs ?? PAUSE_MS),
      message: `${server} is asked too often, or by too many at once.${says}`,
    }
  if (DOWN.has(at.code)) return down(`${server} cannot serve the mailbox now.${says}`)
  if (at.isLogin) return { kind: 'auth', message: loginWords(server, account, byToken, at) }
  if (at.code === 'ENOTFOUND')
    return setting('host', `host: there is no server ${account.host}. Correct its name.`)
  if (/WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH/.test(at.code))
    return setting(
      'port',
      `port: ${server} does not begin with TLS. Set security: starttls, or another port.`,
    )
  if (CERTIFICATE.test(at.code))
    return setting(
      'host',
      `host: the certificate of ${server} is not to be trusted (${at.code}). Name the server as its certificate does, have it renewed, or give this hub your own authority in NODE_EXTRA_CA_CERTS.`,
    )
  if (at.isTls || NO_STARTTLS.test(at.words))
    return setting('security', `security: ${server} offers no STARTTLS. Set security: tls and port: 993.`)
  if (BROKEN.test(at.code) || CONNECTING.test(at.code))
    return down(`The connection to ${server} failed (${at.code}).`)
  if (at.status !== '' && DENIED.has(at.code))
    return { kind: 'rejected', code: at.code, field: null, message: `${server} does not allow it.${says}` }
  if (at.status !== '')
    return { kind: 'malformed', committed: 'no', message: `${server} refused a command.${says}` }
  return null
}

const BUSY = new Set(['LIMIT', 'INUSE', 'ETHROTTLE', 'THROTTLED'])
const TOO_MANY = /too many|rate.?limit|try again later|temporarily/i
const DOWN = new Set(['UNAVAILABLE', 'SERVERBUG', 'OVERQUOTA', 'EAI_AGAIN'])
const DENIED = new Set(['NOPERM', 'NONEXISTENT', 'CONTACTADMIN', 'ACL'])
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ALTNAME|HOSTNAME_MISMATCH/
const NO_STARTTLS = /does not support STARTTLS/i
const BROKEN =
  /^(?:NoConnection|EConnectionClosed|ENotFinished|StateLogout|ClosedAfterConnect\w+|ECONNRESET|EPIPE|ETIMEOUT|ETIMEDOUT|ERR_STREAM\w*)$/
const CONNECTING =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|CONNECT_TIMEOUT|GREETING_TIMEOUT|UPGRADE_TIMEOUT|ERR_SSL\w*|EPROTO)$/

const down = (message: string): Failure => ({ kind: 'unavailable', committed: 'no', message })
const setting = (field: string, message: string): Failure => ({
  kind: 'rejected',
  code: 'settings',
  field,
  message,
})

function loginWords(server: string, { user }: Account, byToken: boolean, { words }: Told): string {
  const said = words === '' ? '' : ` It says: ${words}`
  const fix = byToken
    ? 'Authorise the connection again, with the scope that the host wants for IMAP.'
    : "Check `user` and the password. Most hosts take an app password here, made in the account's security settings, and not the one of their web page; some want IMAP turned on first."
  return `${server} does not let ${user} in.${said} ${fix}`
}

function told(error: Error): Told {
  const text = (name: string): string => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' ? value : ''
  }
  const waits: unknown = Reflect.get(error, 'throttleReset')
  const isLogin = Reflect.get(error, 'authenticationFailed') === true
  const words = text('responseText') === '' && isLogin ? text('response') : text('responseText')
  const status = text('responseStatus')
  return {
    code: text('serverResponseCode') || text('code') || responseCode(error),
    status,
    words: quoted(words || (status === '' ? error.message : '')).replace(/\.?$/, '.'),
    // Said by imapflow itself where there is nothing to sign in with that the server takes.
    isLogin: isLogin || /authentication (?:method|mechanism)|Login is disabled/i.test(error.message),
    isTls: Reflect.get(error, 'tlsFailed') === true && text('code') === '',
    waitMs: typeof waits === 'number' ? waits : null,
  }
}

const withCode = z.object({
  attributes: z.tuple(
    [z.object({ section: z.tuple([z.object({ value: z.string() })], z.unknown()) })],
    z.unknown(),
  ),
})

/** Of `NO [LIMIT] ...`: imapflow reads it out for some commands only. */
function responseCode(error: Error): string {
  const read = withCode.safeParse(Reflect.get(error, 'response'))
  return read.success ? read.data.attributes[0].section[0].value.toUpperCase() : ''
}

/** Whether the server refuses what was asked for, and not because it is busy or down. */
export function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, status } = told(error)
  return /^(?:NO|BAD)$/.test(status) && !BUSY.has(code) && (!DOWN.has(code) || code === 'SERVERBUG')
}
