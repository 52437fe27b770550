import type { JsonObject } from '../../core/json.ts'
import { VendorError } from '../connector.ts'

/** Which mailboxes a connection reads: that of the authorised user, those named, or those the directory lists. */
export type Reach =
  | { readonly kind: 'own' }
  | { readonly kind: 'named'; readonly addresses: readonly string[] }
  | { readonly kind: 'directory'; readonly admin: string }

/** Throws `rejected` with the setting as its field for one that cannot be meant. */
export function reachOf(settings: JsonObject): Reach {
  const admin = textSetting(settings, 'directoryAdmin')
  const named: unknown = settings['mailboxes'] ?? null
  if (named === null) return admin === null ? { kind: 'own' } : { kind: 'directory', admin: addressOf(admin) }
  if (admin !== null)
    throw badSetting(
      'mailboxes',
      'Name the mailboxes, or set directoryAdmin to find them: not both. To leave some out, use mail.mailboxes.',
    )
  if (!Array.isArray(named) || named.length === 0)
    throw badSetting('mailboxes', 'Set it to a list of addresses, such as [ann@acme.com], or leave it out.')
  const addresses = named.map((item: unknown) => {
    if (typeof item === 'string' && ADDRESS.test(item.trim())) return addressOf(item)
    throw badSetting('mailboxes', `${JSON.stringify(item)} is not an address. Write ann@acme.com.`)
  })
  return { kind: 'named', addresses: [...new Set(addresses)] }
}

const ADDRESS = /^[^\s@]+@[^\s@]+$/

export function addressOf(text: string): string {
  return text.trim().toLowerCase()
}

/** The text of a setting, null where it is not set. */
export function textSetting(settings: JsonObject, field: string): string | null {
  const value = settings[field]
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string' && value.trim() !== '') return value.trim()
  throw badSetting(field, 'Set it to a text, or leave it out.')
}

/** The origin of another server, for sandboxes; null for Google's own. A token only goes over TLS or stays here. */
export function baseUrlOf(settings: JsonObject): string | null {
  const text = textSetting(settings, 'baseUrl')
  if (text === null) return null
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || url.pathname !== '/' || url.search !== '' || url.username !== '')
    throw badSetting(
      'baseUrl',
      'Set it to the origin of a server, such as http://localhost:4001, or leave it out.',
    )
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    throw badSetting(
      'baseUrl',
      'Set it to an https address: a token is only sent over https, or to this machine.',
    )
  return url.origin
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

export function badSetting(field: string, problem: string): VendorError {
  return new VendorError({ kind: 'rejected', code: 'settings', field, message: `${field}: ${problem}` })
}
