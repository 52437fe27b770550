import { z } from 'zod'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { codecFrom, invalid, isList, readAs, shown, SILENT, type Codec } from '../codec.ts'
import { cleanText } from './text.ts'

export type LinesOptions = {
  /** The remote's names for the parts of a line; the hub's own where nothing is said. */
  readonly description?: string | undefined
  readonly quantity?: string | undefined
  readonly unitAmount?: string | undefined
  /** The total of a line, read where a line has no unit amount. */
  readonly amount?: string | undefined
  /** The remote answers an object and this property of it holds the lines: `data` in a page of a list. */
  readonly list?: string | undefined
  /** The remote keeps the lines as JSON text, as in a CSV column. */
  readonly as?: 'json' | 'text' | undefined
}

/** Lines of a deal or invoice as JSON objects; unit amounts in minor units of the currency. */
export function lines(options: LinesOptions = {}): Codec {
  const { as = 'json', list } = options
  const names = {
    description: options.description ?? 'description',
    quantity: options.quantity ?? 'quantity',
    unitAmount: options.unitAmount ?? 'unitAmount',
    amount: options.amount,
  }
  return codecFrom({
    name: 'lines',
    samples: [[{ description: 'Widget', quantity: 2, unitAmount: 1_000 }]],
    empty: as === 'text' ? '' : [],
    read(raw) {
      const said = as === 'text' && typeof raw === 'string' ? parsed(raw) : raw
      // A page of a longer list says nothing about the whole.
      if (isObject(said) && said['has_more'] === true) return SILENT
      const found = isObject(said) && list !== undefined ? said[list] : said
      if (!isList(found)) return invalid(raw, `${shown(raw)} is not a list of lines. Write ${EXAMPLE}.`)
      const read: Json[] = []
      for (const line of found) {
        const value = isObject(line) ? readLine(line, names) : undefined
        if (value === undefined)
          return invalid(
            line,
            `${shown(line)} is not a line. Write it as in ${EXAMPLE}, with amounts in minor units.`,
          )
        read.push(value)
      }
      return readAs(read.length === 0 ? null : read)
    },
    write(value) {
      const written = isList(value) ? value.filter(isObject).map((line) => writeLine(line, names)) : []
      return as === 'text' ? JSON.stringify(written) : written
    },
  })
}

const EXAMPLE = '[{"description": "Widget", "quantity": 2, "unitAmount": 1000}]'

type Names = {
  readonly description: string
  readonly quantity: string
  readonly unitAmount: string
  readonly amount: string | undefined
}

function parsed(raw: string): Json {
  try {
    return z.json().parse(JSON.parse(raw))
  } catch {
    return raw
  }
}

function readLine(line: JsonObject, names: Names): Json | undefined {
  const description = line[names.description] ?? ''
  const quantity = line[names.quantity] ?? 1
  const unit = line[names.unitAmount]
  const total = names.amount === undefined ? undefined : line[names.amount]
  if (typeof description !== 'string' || description.length > 10_000) return undefined
  if (typeof quantity !== 'number' || !(quantity > 0) || quantity > 1e9) return undefined
  const said = cleanText(description)
  if (typeof unit === 'number') {
    return Number.isSafeInteger(unit) ? { description: said, quantity, unitAmount: unit } : undefined
  }
  if (typeof total !== 'number' || !Number.isSafeInteger(total)) return undefined
  return Number.isInteger(total / quantity)
    ? { description: said, quantity, unitAmount: total / quantity }
    : { description: said, quantity: 1, unitAmount: total }
}

function writeLine(line: JsonObject, names: Names): JsonObject {
  return {
    [names.description]: line['description'] ?? '',
    [names.quantity]: line['quantity'] ?? 1,
    [names.unitAmount]: line['unitAmount'] ?? 0,
  }
}
