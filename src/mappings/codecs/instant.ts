import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'
import { dayExists } from './calendar.ts'

export type InstantOptions = {
  /** `iso` (the default) is text; `s` and `ms` are whole numbers since 1970. */
  readonly unit?: 'iso' | 's' | 'ms' | undefined
  /** Reads text without a zone as UTC; without this such text is refused. */
  readonly zone?: 'utc' | undefined
}

/** Milliseconds since 1970-01-01T00:00Z. */
export function instant(options: InstantOptions = {}, empty: EmptyForm = ''): Codec {
  const { unit = 'iso', zone } = options
  return codecFrom({
    name: 'instant',
    samples: [0, 1_795_392_000_000],
    empty,
    read(raw) {
      if (unit !== 'iso') return readNumber(raw, unit)
      const at = typeof raw === 'string' ? instantOf(raw.trim(), zone) : undefined
      return at === undefined
        ? invalid(raw, `${shown(raw)} is not a time. Write it as 2026-11-22T08:30:00Z, with its zone.`)
        : readAs(at)
    },
    write(value) {
      if (typeof value !== 'number') return value
      if (unit === 'iso') return new Date(value).toISOString()
      return unit === 's' ? Math.floor(value / 1000) : value
    },
  })
}

/** The last instant that JavaScript and PostgreSQL both can say. */
const LATEST = 8_640_000_000_000_000

function readNumber(raw: Parameters<Codec['get']>[0], unit: 's' | 'ms') {
  const number = typeof raw === 'string' && /^\d+$/.test(raw.trim()) ? Number(raw) : raw
  const at = typeof number === 'number' ? Math.round(number) * (unit === 's' ? 1000 : 1) : Number.NaN
  return Number.isSafeInteger(at) && Math.abs(at) <= LATEST
    ? readAs(at === 0 ? 0 : at)
    : invalid(raw, `${shown(raw)} is not a time in ${unit}. Write a whole number since 1970, or change unit.`)
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/i

/** An ISO 8601 time; undefined where it is none, its day does not exist, or it has no zone and `zone` gives none. */
export function instantOf(said: string, zone?: 'utc'): number | undefined {
  const found = ISO.exec(said)
  if (found === null || !dayExists(Number(found[1]), Number(found[2]), Number(found[3]))) return undefined
  if (found[4] === undefined && zone === undefined) return undefined
  const at = Date.parse(found[4] === undefined ? `${said.replace(' ', 'T')}Z` : said.replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}
