import { type Io, VendorError } from '../connector.ts'

/** Where requests go and how they are signed. */
export type Account = { readonly baseUrl: string; readonly authorization: string }
export type Target = Account & { readonly list: string }

const DATACENTRE = /-([a-z]{2,4}\d{1,4})$/i

/** Throws `auth` for a key that cannot work, `rejected` with the setting as its field for a bad setting. */
export function accountOf(io: Io): Account {
  const key = io.secrets['apiKey']?.trim() ?? ''
  if (key === '')
    throw new VendorError({ kind: 'auth', message: 'There is no Mailchimp API key. Set apiKey to one.' })
  return {
    baseUrl: baseUrlOf(io.settings['baseUrl'], key),
    authorization: `Basic ${Buffer.from(`concord:${key}`).toString('base64')}`,
  }
}

export function targetOf(io: Io): Target {
  const account = accountOf(io)
  const list = listOf(io)
  if (list === null) throw badSetting('list', 'Which audience? Set `list` to the id of one.')
  return { ...account, list }
}

export function listOf(io: Io): string | null {
  const list = io.settings['list']
  return typeof list === 'string' && list.trim() !== '' ? list.trim() : null
}

export function noSuchList(target: Target): VendorError {
  return badSetting(
    'list',
    `There is no audience ${target.list} in this Mailchimp account (any more). Set \`list\` to the id of one.`,
  )
}

export function badSetting(field: string, message: string): VendorError {
  return new VendorError({ kind: 'rejected', code: 'settings', field, message })
}

/** The key travels with every request, so it only ever goes over TLS or stays on this machine. */
function baseUrlOf(setting: unknown, key: string): string {
  if (setting === undefined || setting === null || setting === '') {
    const datacentre = DATACENTRE.exec(key)?.[1]
    if (datacentre !== undefined) return `https://${datacentre.toLowerCase()}.api.mailchimp.com`
    const message =
      'The Mailchimp API key does not end with its data centre, as in `…-us21`. Copy the whole key.'
    throw new VendorError({ kind: 'auth', message })
  }
  if (typeof setting !== 'string' || !URL.canParse(setting))
    throw badSetting('baseUrl', 'This is not a URL. Correct it, or leave it out.')
  const url = new URL(setting)
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
  if (!safe)
    throw badSetting('baseUrl', 'Set a base URL that begins with https://, unless it is on this machine.')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
