import { isList, textOf } from '../core/json.ts'
import type { HubRecord } from '../core/model.ts'

/** What a person calls a record: `Ada Lovelace <ada@example.com>`. */
export function titleOf({ id, kind, fields }: HubRecord): string {
  const first = (field: string) => {
    const value = fields[field]
    return isList(value) ? textOf(value[0]) : textOf(value)
  }
  const joined = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' ')
  const within = (open: string, text: string, close: string) => (text === '' ? '' : `${open}${text}${close}`)
  const title = {
    contact: () => joined(first('givenName'), first('familyName'), within('<', first('emails'), '>')),
    company: () => joined(first('name'), within('(', first('domains'), ')')),
    deal: () => first('name'),
    activity: () => first('subject') || first('type'),
    invoice: () => joined(first('number'), first('item')),
  }[kind]()
  return title === '' ? `${kind} ${id}` : title
}
