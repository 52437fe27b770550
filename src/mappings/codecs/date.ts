import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'
import { dayExists, padded } from './calendar.ts'

export const DATE_FORMATS = [
  'yyyy-mm-dd',
  'dd.mm.yyyy',
  'mm/dd/yyyy',
  'dd/mm/yyyy',
  'mm-dd-yyyy',
  'dd-mm-yyyy',
  'yyyy/mm/dd',
  'yyyymmdd',
] as const
export type DateFormat = (typeof DATE_FORMATS)[number]

type Compiled = { readonly pattern: RegExp; readonly format: DateFormat }

/**
 * YYYY-MM-DD. ISO dates are always read (of an ISO time the date, as written, in its own zone); others need one of
 * `formats`, of which the first is the one that is written.
 */
export function date(formats: readonly DateFormat[] = [], empty: EmptyForm = ''): Codec {
  const compiled = formats.map(compile)
  const written = formats[0] ?? 'yyyy-mm-dd'
  return codecFrom({
    name: 'date',
    samples: ['2026-11-22', '2024-02-29', '2025-03-04'],
    empty,
    read(raw) {
      if (typeof raw !== 'string') return invalid(raw, `${shown(raw)} is not a date. Write it as 2026-11-22.`)
      const said = raw.trim()
      const parts = readIso(said) ?? readConfigured(said, compiled)
      if (parts === undefined)
        return invalid(
          raw,
          `${shown(raw)} is not a date in ISO form. Write it as 2026-11-22, or name its form in formats.`,
        )
      const [year, month, day] = parts
      return dayExists(year, month, day)
        ? readAs(`${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`)
        : invalid(raw, `${shown(raw)} is a day that does not exist. Correct it there.`)
    },
    write: (value) => (typeof value === 'string' ? print(value, written) : value),
  })
}

type YearMonthDay = readonly [year: number, month: number, day: number]

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

function readIso(said: string): YearMonthDay | undefined {
  const found = ISO.exec(said)
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])]
}

function readConfigured(said: string, compiled: readonly Compiled[]): YearMonthDay | undefined {
  for (const { pattern } of compiled) {
    const found = pattern.exec(said)?.groups
    if (found !== undefined) return [Number(found['yyyy']), Number(found['mm']), Number(found['dd'])]
  }
  return undefined
}

function compile(format: DateFormat): Compiled {
  const loose = format === 'yyyymmdd' ? '{2}' : '{1,2}'
  const source = format
    .replace(/\./g, '\\.')
    .replace('yyyy', '(?<yyyy>\\d{4})')
    .replace(/(?<!<)mm/, `(?<mm>\\d${loose})`)
    .replace(/(?<!<)dd/, `(?<dd>\\d${loose})`)
  return { pattern: new RegExp(`^${source}$`), format }
}

function print(canonical: string, format: DateFormat): string {
  if (format === 'yyyy-mm-dd') return canonical
  return format
    .replace('yyyy', canonical.slice(0, 4))
    .replace('mm', canonical.slice(5, 7))
    .replace('dd', canonical.slice(8, 10))
}

/** Whether one text could be two different days under these formats: 03/04/2026. */
export function ambiguous(formats: readonly DateFormat[]): boolean {
  return (
    (formats.includes('mm/dd/yyyy') && formats.includes('dd/mm/yyyy')) ||
    (formats.includes('mm-dd-yyyy') && formats.includes('dd-mm-yyyy'))
  )
}

export const MONTHDAY_FORMATS = ['mm-dd', 'mm/dd', 'dd/mm', 'dd.mm.'] as const
export type MonthdayFormat = (typeof MONTHDAY_FORMATS)[number]

/** Of an ISO time the day as written, in its own zone. */
const ISO_DAY = /^(?:\d{4}-|--)?(\d{2})-(\d{2})(?:T\d{2}:\d{2}[\d:.]*(?:Z|[+-]\d{2}:?\d{2})?)?$/

/** MM-DD, a birthday without its year; of a whole ISO date or time the year is dropped. */
export function monthday(format: MonthdayFormat = 'mm-dd', empty: EmptyForm = ''): Codec {
  const dayFirst = format.startsWith('dd')
  return codecFrom({
    name: 'monthday',
    samples: ['02-29', '11-22', '03-04'],
    empty,
    read(raw) {
      const said = typeof raw === 'string' ? raw.trim() : ''
      const iso = ISO_DAY.exec(said)
      const other = format === 'mm-dd' ? null : /^(\d{1,2})[./](\d{1,2})\.?$/.exec(said)
      const found = iso ?? other
      if (found === null)
        return invalid(raw, `${shown(raw)} is not a day of the year. Write it as ${format}.`)
      const swapped = iso === null && dayFirst
      const month = Number(found[swapped ? 2 : 1])
      const day = Number(found[swapped ? 1 : 2])
      return dayExists(2024, month, day)
        ? readAs(`${padded(month, 2)}-${padded(day, 2)}`)
        : invalid(raw, `${shown(raw)} is a day that does not exist. Write it as ${format}.`)
    },
    write: (value) =>
      typeof value === 'string'
        ? format.replace('mm', value.slice(0, 2)).replace('dd', value.slice(3, 5))
        : value,
  })
}
