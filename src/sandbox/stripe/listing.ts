import { noSuch, unread } from './errors.ts'
import type { TimeRange } from './params.ts'
import type { Row, Table } from './table.ts'
import type { Wire } from './types.ts'

export type PageParams = {
  limit?: number | undefined
  starting_after?: string | undefined
  ending_before?: string | undefined
}
export type Page<T> = { rows: T[]; hasMore: boolean }

/** https://docs.stripe.com/api/pagination: newest first, `limit` 1 to 100, 10 if not said. */
export function pageOf<T extends Row>(
  table: Table<T>,
  params: PageParams,
  options: { kind: string; keep?: (row: T) => boolean; created?: TimeRange | undefined },
): Page<T> {
  const max = params.limit ?? 10
  const walk = {
    keep: options.keep ?? (() => true),
    from: options.created?.from ?? Number.NEGATIVE_INFINITY,
    to: options.created?.to ?? Number.POSITIVE_INFINITY,
  }
  checkOneCursor(params)
  if (params.ending_before !== undefined) {
    const found = table.newer(
      cursorPlace(table, params.ending_before, options.kind, 'ending_before'),
      walk,
      max + 1,
    )
    return { rows: found.slice(-max), hasMore: found.length > max }
  }
  const after = params.starting_after
  const place = after === undefined ? null : cursorPlace(table, after, options.kind, 'starting_after')
  const found = table.older(place, walk, max + 1)
  return { rows: found.slice(0, max), hasMore: found.length > max }
}

/** The same over a short array that is already in its order (an invoice's lines, rows of one index key). */
export function pageOfArray<T extends { id: string }>(
  rows: readonly T[],
  params: PageParams,
  kind: string,
): Page<T> {
  const max = params.limit ?? 10
  checkOneCursor(params)
  if (params.ending_before !== undefined) {
    const end = arrayPlace(rows, params.ending_before, kind, 'ending_before')
    const start = Math.max(0, end - max)
    return { rows: rows.slice(start, end), hasMore: start > 0 }
  }
  const start =
    params.starting_after === undefined
      ? 0
      : arrayPlace(rows, params.starting_after, kind, 'starting_after') + 1
  return { rows: rows.slice(start, start + max), hasMore: rows.length > start + max }
}

export function listWire(url: string, data: readonly Wire[], hasMore: boolean): Wire {
  return { object: 'list', data, has_more: hasMore, url }
}

export function within(second: number | null, range: TimeRange | undefined): boolean {
  return range === undefined || (second !== null && second >= range.from && second <= range.to)
}

function checkOneCursor(params: PageParams): void {
  if (params.starting_after === undefined || params.ending_before === undefined) return
  throw unread('You can only specify one of these parameters: starting_after, ending_before.', {
    code: 'parameters_exclusive',
  })
}

function cursorPlace<T extends Row>(table: Table<T>, id: string, kind: string, param: string): number {
  const place = table.placeOf(id)
  if (place === undefined) throw noSuch(kind, id, param)
  return place
}

function arrayPlace(rows: readonly { id: string }[], id: string, kind: string, param: string): number {
  const place = rows.findIndex((row) => row.id === id)
  if (place < 0) throw noSuch(kind, id, param)
  return place
}
