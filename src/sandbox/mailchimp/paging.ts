import { invalidResource } from './problem.ts'

/** https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination */
const COUNT_MAX = 1000

/** `pageMax` makes pages shorter than asked for, so that small tests page often; clients go by `total_items`. */
export function page<T>(
  all: readonly T[],
  query: { count?: string | undefined; offset?: string | undefined },
  pageMax: number,
): readonly T[] {
  const count = whole('count', query.count, 10)
  const offset = whole('offset', query.offset, 0)
  if (count > COUNT_MAX) {
    throw invalidResource([{ field: 'count', message: `This value should be ${COUNT_MAX} or less.` }])
  }
  return all.slice(offset, offset + Math.min(count, pageMax))
}

function whole(field: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  if (/^\d+$/.test(text)) return Number(text)
  throw invalidResource([{ field, message: 'This value should be a whole number of 0 or more.' }])
}
