import type { MatchedKind } from '../../core/duplicates.ts'
import type { Fields } from '../../core/model.ts'

const text = (fields: Fields, field: string): string => {
  const value = fields[field]
  return typeof value === 'string' ? value : ''
}
const first = (fields: Fields, field: string): string => {
  const value = fields[field]
  return Array.isArray(value) ? (value.find((item) => typeof item === 'string') ?? '') : ''
}

/** Who a record is, in a few words: `Jane Smith at Acme Corp <jane@acme.com>`, `Acme Corp (acme.com)`. */
export function titleOf(kind: MatchedKind, fields: Fields): string {
  if (kind === 'company') {
    const domain = first(fields, 'domains')
    const name = text(fields, 'name')
    if (name === '') return domain === '' ? first(fields, 'phones') || 'a company without a name' : domain
    return domain === '' ? name : `${name} (${domain})`
  }
  const name = [text(fields, 'givenName'), text(fields, 'familyName')].filter((part) => part !== '').join(' ')
  const email = first(fields, 'emails')
  const company = text(fields, 'companyName')
  const who = name || email || first(fields, 'phones') || 'somebody without a name'
  const where = company === '' ? '' : ` at ${company}`
  return name === '' || email === '' ? `${who}${where}` : `${who}${where} <${email}>`
}
