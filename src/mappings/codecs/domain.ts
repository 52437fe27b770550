import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'

/** A company's domain in lower case; a web address is reduced to it, without `www.`. */
export function domain(empty: EmptyForm = ''): Codec {
  return codecFrom({
    name: 'domain',
    samples: ['example.com', 'mail.example.co.uk'],
    empty,
    read(raw) {
      if (typeof raw !== 'string') return invalid(raw, `${shown(raw)} is not a domain: it is not text.`)
      const name = bare(raw)
      if (name.includes('@'))
        return invalid(raw, `${shown(raw)} is not a domain: it is an address. Write what follows the "@".`)
      const fault = domainFault(name)
      return fault === null
        ? readAs(name)
        : invalid(raw, `${shown(raw)} is not a domain: ${fault} Write it as example.com.`)
    },
    write: (value) => value,
  })
}

function bare(raw: string): string {
  const host = raw
    .slice(0, 3_000)
    .toWellFormed()
    .trim()
    .toLowerCase()
    .normalize('NFC')
    .replace(/^[a-z][a-z0-9+.-]*:\/\//, '')
    .replace(/[/?#].*$/s, '')
    .replace(/:\d+$/, '')
    .replace(/\.$/, '')
  return host.replace(/^(?:www\.)+(?=[^.]+\.)/, '')
}

const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u

/** What keeps `name` from being a public domain; null where it is one. */
export function domainFault(name: string): string | null {
  const labels = name.split('.')
  if (name.length > 253) return 'the domain is longer than 253 characters.'
  if (labels.length < 2) return `${shown(name)} has no dot.`
  const wrong = labels.find((label) => label.length > 63 || !LABEL.test(label))
  if (wrong === '') return 'two dots stand together, or one stands at an end.'
  if (wrong !== undefined) return `${shown(wrong)} cannot be part of a domain.`
  const top = labels.at(-1) ?? ''
  return top.length < 2 || /^\p{N}+$/u.test(top) ? `there is no top-level domain ".${top}".` : null
}
