import { isList, type Json } from '../../core/json.ts'
import { type Io, VendorError } from '../connector.ts'

export const GRAPH = 'https://graph.microsoft.com'
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Where requests go: Graph, or what `baseUrl` names (a national cloud, a sandbox). An origin without a path. */
export function originOf(io: Io): string {
  const setting = io.settings['baseUrl']
  if (setting === undefined || setting === null || setting === '') return GRAPH
  const url = typeof setting === 'string' && URL.canParse(setting) ? new URL(setting) : null
  if (url === null || url.pathname !== '/' || url.search !== '')
    throw badSetting(
      'baseUrl',
      `baseUrl: Set it to the origin of a server, such as ${GRAPH}, or leave it out.`,
    )
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.has(url.hostname)))
    throw badSetting('baseUrl', 'baseUrl: Set it to an https address: tokens are only sent over https.')
  return url.origin
}

/**
 * The addresses of `mailboxes`, in small letters: then the application reads them by itself (`/users/...`). Null: the
 * connection is one person's (`/me`).
 */
export function mailboxesOf(io: Io): readonly string[] | null {
  const setting = io.settings['mailboxes']
  if (setting === undefined || setting === null) return null
  const list = isList(setting) ? setting.map(addressOf) : []
  const addresses = list.flatMap((address) => (address === null ? [] : [address]))
  if (addresses.length === 0 || addresses.length !== list.length)
    throw badSetting(
      'mailboxes',
      'mailboxes: Set it to a list of addresses, as in [anna@example.com], or leave it out for one person.',
    )
  return [...new Set(addresses)]
}

function addressOf(value: Json): string | null {
  return typeof value === 'string' && /^[^\s@/?#]+@[^\s@/?#]+$/.test(value.trim())
    ? value.trim().toLowerCase()
    : null
}

/** Under which path the contacts lie: of the person, of `contactMailbox`, or of the first mailbox. */
export function contactsHome(io: Io): string {
  const mailboxes = mailboxesOf(io)
  const setting = io.settings['contactMailbox']
  if (setting === undefined || setting === null)
    return mailboxes === null ? '/me' : homeOf(mailboxes[0] ?? '')
  const address = addressOf(setting)
  if (address === null || mailboxes?.includes(address) !== true)
    throw badSetting('contactMailbox', 'contactMailbox: Set it to one of the addresses of `mailboxes`.')
  return homeOf(address)
}

/** The id of a contact folder; null: the default one. */
export function contactFolderOf(io: Io): string | null {
  const setting = io.settings['contactFolder']
  if (setting === undefined || setting === null || setting === '') return null
  if (typeof setting === 'string') return setting
  throw badSetting('contactFolder', 'contactFolder: Set it to the id of a folder, or leave it out.')
}

export const homeOf = (user: string): string => `/users/${encodeURIComponent(user)}`

export function badSetting(field: string, message: string): VendorError {
  return new VendorError({ kind: 'rejected', code: 'settings', field, message })
}
