import { z } from 'zod'
import { VendorError, type Cursor } from '../connector.ts'

const place = z.object({ id: z.string(), created: z.number() })
/** An event: all before it are read. `created` in Unix seconds. */
export type Place = z.output<typeof place>

/**
 * First every object by listing, then what the events say. The place in the events is taken before the listing
 * starts, so that a change made meanwhile is not missed. `readAt` (milliseconds) is when the events were known to be
 * read to their end; no `from` stands for the end as it was then, where there was no event at all.
 */
const position = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('listing'),
    after: place,
    from: place.nullable(),
    readAt: z.number(),
  }),
  z.object({
    kind: z.literal('events'),
    from: place.nullable(),
    readAt: z.number(),
    /** Inside a cycle: the last event of the page before. */
    at: z.string().nullable(),
  }),
])
export type Position = z.output<typeof position>
export type EventsPosition = Extract<Position, { kind: 'events' }>
export type ListingPosition = Extract<Position, { kind: 'listing' }>

export function positionOf(cursor: Cursor): Position {
  const read = position.safeParse(cursor)
  if (read.success) return read.data
  throw expired('The cursor cannot be read')
}

export function expired(message: string): VendorError {
  return new VendorError({ kind: 'cursor-expired', message })
}
