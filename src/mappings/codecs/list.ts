import { isObject, type Json } from '../../core/json.ts'
import {
  codecFrom,
  invalid,
  isList,
  readAs,
  scalarText,
  shown,
  type Codec,
  type EmptyForm,
} from '../codec.ts'

/** A set in the hub is kept in one row; more members than this are an accident. */
const MAX_MEMBERS = 1_000

export type ListOptions = {
  /** The remote writes one text, with this between the members; without it, a JSON list. */
  readonly separator?: string | undefined
  /** Members are objects, and this property holds the value: `name` in [{"name": "vip"}]. */
  readonly property?: string | undefined
}

/** Several values ↔ a set. Doubles are dropped; one member that cannot be read makes the whole list unreadable. */
export function list(item: Codec, options: ListOptions = {}, empty?: EmptyForm): Codec {
  const { separator, property } = options
  return codecFrom({
    name: 'list',
    samples: [item.samples.slice(0, 1), item.samples],
    empty: empty ?? (separator === undefined ? [] : ''),
    read(raw) {
      const said = members(raw, separator)
      if (said === undefined)
        return invalid(raw, `${shown(raw)} is not a list. Name the separator, or map one value.`)
      if (said.length > MAX_MEMBERS)
        return invalid(null, `the list has ${said.length} members; at most 1,000 are read.`)
      const values: Json[] = []
      for (const member of said) {
        const value = property !== undefined && isObject(member) ? (member[property] ?? null) : member
        const reading = item.get(value)
        if (reading.kind === 'invalid') return reading
        if (reading.kind === 'value' && reading.value !== null && !values.includes(reading.value))
          values.push(reading.value)
      }
      return readAs(values.length === 0 ? null : values)
    },
    write(value) {
      const written = isList(value) ? value.map((member) => item.put(member)) : []
      if (separator !== undefined)
        return written.map((member) => scalarText(member) ?? '').join(glue(separator))
      return property === undefined ? written : written.map((member) => ({ [property]: member }))
    },
  })
}

/** No member holds the separator, also where the remote answers a list after all. */
function members(raw: Json, separator: string | undefined): readonly Json[] | undefined {
  if (isList(raw)) {
    return raw.flatMap((member) =>
      separator !== undefined && typeof member === 'string' ? member.split(separator) : [member],
    )
  }
  const said = scalarText(raw)
  if (said === undefined || said.length > 100_000) return undefined
  return separator === undefined ? [said] : said.split(separator)
}

/** A comma reads better with a space behind it; the space is trimmed again on reading. */
const glue = (separator: string): string =>
  separator === ',' || separator === ';' ? `${separator} ` : separator
