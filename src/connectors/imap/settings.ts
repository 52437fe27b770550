import { isIP } from 'node:net'
import type { JsonObject } from '../../core/json.ts'
import { VendorError } from '../connector.ts'

/** `tls`: from the first byte; `starttls`: before anything is said; `none`: never, which only goes to this machine. */
export type Security = 'tls' | 'starttls' | 'none'

export type Account = {
  readonly host: string
  readonly port: number
  readonly security: Security
  readonly user: string
  /** Its main address. */
  readonly address: string
  /** Every address its owner sends from. */
  readonly addresses: readonly string[]
  /** Folders that are read, with those below them; null: all. */
  readonly folders: readonly string[] | null
  /** Folders that are not. */
  readonly withoutFolders: readonly string[]
}

const ADDRESS = /^[^\s@]+@[^\s@]+$/
const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.?$/i

/** Throws `rejected` with the setting as its field for one that cannot be meant. */
export function accountOf(settings: JsonObject): Account {
  const user = textSetting(settings, 'user')
  if (user === null) throw badSetting('user', 'Set it to the name to sign in with, such as ann@example.com.')
  const addresses = listSetting(settings, 'addresses').map((text) => {
    if (ADDRESS.test(text)) return text.toLowerCase()
    throw badSetting('addresses', `${JSON.stringify(text)} is not an address. Write ann@example.com.`)
  })
  const own = [...(ADDRESS.test(user) ? [user.toLowerCase()] : []), ...addresses]
  const [address] = own
  if (address === undefined)
    throw badSetting('addresses', `${user} is no address: set the account's addresses, the main one first.`)
  const folders = listSetting(settings, 'folders')
  return {
    ...serverOf(settings),
    user,
    address,
    addresses: [...new Set(own)],
    folders: folders.length === 0 ? null : folders,
    withoutFolders: listSetting(settings, 'withoutFolders'),
  }
}

function serverOf(settings: JsonObject): Pick<Account, 'host' | 'port' | 'security'> {
  const host = textSetting(settings, 'host')
  if (host === null || (!HOST.test(host) && isIP(host) === 0))
    throw badSetting('host', 'Set it to the name of the IMAP server alone, such as imap.example.com.')
  const given: unknown = settings['security'] ?? null
  const port: unknown = settings['port'] ?? (given === 'starttls' ? 143 : 993)
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw badSetting('port', 'Set it to 993 (TLS), to 143 (STARTTLS), or leave it out.')
  const security = given ?? (port === 143 ? 'starttls' : 'tls')
  if (security !== 'tls' && security !== 'starttls' && security !== 'none')
    throw badSetting('security', 'Set it to tls or starttls, or leave it out.')
  if (security === 'none' && !isLoopback(host))
    throw badSetting('security', `Set it to tls or starttls: a password is not sent to ${host} in the clear.`)
  return { host, port, security }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function textSetting(settings: JsonObject, field: string): string | null {
  const value = settings[field]
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string' && value.trim() !== '') return value.trim()
  throw badSetting(field, 'Set it to a text, or leave it out.')
}

function listSetting(settings: JsonObject, field: string): readonly string[] {
  const value: unknown = settings[field] ?? []
  const items: readonly unknown[] = Array.isArray(value) ? value : [null]
  return items.map((item) => {
    if (typeof item === 'string' && item.trim() !== '') return item.trim()
    throw badSetting(field, 'Set it to a list of texts, such as [one, two], or leave it out.')
  })
}

function badSetting(field: string, problem: string): VendorError {
  return new VendorError({ kind: 'rejected', code: 'settings', field, message: `${field}: ${problem}` })
}
