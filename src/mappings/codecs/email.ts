import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'
import { domainFault } from './domain.ts'

/** One address in lower case. Stricter than RFC 5321: no quoted local parts, no comments, no address literals. */
export function email(empty: EmptyForm = ''): Codec {
  return codecFrom({
    name: 'email',
    samples: ['ann@example.com', 'b.o+tag@mail.example.org'],
    empty,
    read(raw) {
      if (typeof raw !== 'string')
        return invalid(raw, `${shown(raw)} is not an email address: it is not text.`)
      const address = tidy(raw)
      const fault = addressFault(address)
      return fault === null
        ? readAs(address)
        : invalid(raw, `${shown(raw)} is not an email address: ${fault}`)
    },
    write: (value) => value,
  })
}

const INVISIBLE = /[\u00ad\u200b-\u200d\u2060\ufeff]/g
const PLAIN = /^[a-z0-9][a-z0-9._+@-]*$/
const FORBIDDEN = /[\s"(),:;<>[\]\\]/
const CONTROL = /\p{Cc}/u

function tidy(raw: string): string {
  if (raw.length < 300 && PLAIN.test(raw)) return raw
  const bare = raw.slice(0, 1_000).toWellFormed().replace(INVISIBLE, '').trim()
  return (/^mailto:/i.test(bare) ? bare.slice(7).trim() : bare).toLowerCase().normalize('NFC')
}

/** What keeps `address` from being one, and how to write it instead; null where it is fine. */
export function addressFault(address: string): string | null {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  const domain = address.slice(at + 1)
  if (address.length > 254) return 'it has more than 254 characters. Correct it there.'
  const inner = /<([^<>\s]+@[^<>\s]+)>$/.exec(address)?.[1]
  if (inner !== undefined) return `it has a name around it. Write only "${inner}".`
  if (/[,;]/.test(address)) return 'it holds several addresses. Use the codec list, or keep one.'
  if (at === -1) return 'it has no "@". Write it as name@example.com.'
  if (FORBIDDEN.test(address) || CONTROL.test(address))
    return 'it holds a space or a character that addresses cannot have. Remove it.'
  if (local.includes('@')) return 'it has more than one "@". Keep one.'
  if (local === '') return 'nothing stands before the "@". Write it as name@example.com.'
  if (local.length > 64) return 'more than 64 characters stand before the "@". Correct it there.'
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..'))
    return 'a dot before the "@" must stand between other characters. Remove it.'
  if (domain.endsWith('.')) return `it ends with a dot. Write "${address.replace(/\.+$/, '')}".`
  const fault = domainFault(domain)
  return fault === null ? null : `${fault} Correct what follows the "@".`
}
