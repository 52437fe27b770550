import { z } from 'zod'
import type { Cursor } from '../connector.ts'

/** A way through a listing: `ids` are listed and not read yet, `page` is where the listing goes on. */
const walk = z.object({ page: z.string().nullable(), ended: z.boolean(), ids: z.array(z.string()) })
export type Walk = z.output<typeof walk>
export const FROM_START: Walk = { page: null, ended: false, ids: [] }

const sweep = walk.extend({
  label: z.string(),
  /** `known`: ids that were read before, as others are read by the backfill anyway. */
  again: z.enum(['known', 'all']),
})
export type Sweep = z.output<typeof sweep>

const state = z.object({
  live: z.object({
    /** Everything before this id of the history was listed. */
    from: z.string(),
    page: z.string().nullable(),
    /** Listed, and not read yet. */
    queue: z.array(z.string()),
    /** Listed, and not found when they were read (`at`): deleted meanwhile, or not there yet. */
    doubts: z.array(z.object({ id: z.string(), at: z.number() })),
  }),
  /** Digests of the names of the user's labels, by id: a name that changes leaves no trace in the history. */
  labels: z.record(z.string(), z.string()),
  /** Labels whose messages are read again. */
  sweeps: z.array(sweep),
  backfill: z.object({
    /** Null: everything. What is older than this was not listed. */
    since: z.number().nullable(),
    listed: z.number(),
    total: z.number().nullable(),
    /** Null: done. */
    walk: walk.nullable(),
  }),
})
/** Where both ways of reading a mailbox stand. A page's reads are taken off it in the page's own transaction. */
export type State = z.output<typeof state>

/** Null for a cursor that is not one of these. */
export function stateOf(cursor: Cursor): State | null {
  const read = state.safeParse(cursor)
  return read.success ? read.data : null
}
