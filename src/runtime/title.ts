import { isList, textOf } from '../core/json.ts'
import type { HubRecord } from '../core/model.ts'

type Named = Pick<HubRecord, 'id' | 'kind' | 'fields'>

/**
 * What a person calls a record: `Ada Lovelace <ada@example.com>`, `Acme Corp (acme.com)`. With `firm`, as people who
 * resemble each other are told apart by it: `Ada Lovelace at Acme Corp <ada@example.com>`.
 */
export function titleOf({ id, kind, fields }: Named, firm: 'firm' | null = null): string {
  const first = (field: string) => {
    const value = fields[field]
    return isList(value) ? textOf(value[0]) : textOf(value)
  }
  const joined = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' ')
  /** A name with an address behind it; the address alone where there is no name. */
  const called = (name: string, where: string, address: string, [open, close]: readonly [string, string]) =>
    name === '' || address === ''
      ? joined(name || address || first('phones'), where)
      : joined(name, where, `${open}${address}${close}`)
  const at = firm === null || first('companyName') === '' ? '' : `at ${first('companyName')}`
  const title = {
    contact: () => called(joined(first('givenName'), first('familyName')), at, first('emails'), ['<', '>']),
    company: () => called(first('name'), '', first('domains'), ['(', ')']),
    deal: () => first('name'),
    activity: () => first('subject') || first('type'),
    invoice: () => joined(first('number'), first('item')),
  }[kind]()
  return title === '' || title === at ? joined(`${kind} ${id}`, at) : title
}
