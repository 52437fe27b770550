import { z } from 'zod'
import type { Cursor } from '../connector.ts'
import { node, role } from './folders.ts'

/**
 * Where the reading of one folder is. `listing`: its first round of delta, which lists everything and is the backfill.
 * `changes`: caught up; `link` goes on from there, be it a nextLink within a round or a deltaLink.
 */
const walk = z.discriminatedUnion('at', [
  z.object({ at: z.literal('listing'), next: z.string().nullable(), listed: z.number() }),
  z.object({ at: z.literal('changes'), link: z.string(), listed: z.number() }),
])
export type Walk = z.output<typeof walk>

/**
 * New mail by time of arrival, while some folder is still being listed: since when, the page to go on with, the latest
 * time so far, and the messages of the last minutes with time and ETag.
 */
const recent = z.object({
  since: z.string(),
  next: z.string().nullable(),
  latest: z.number(),
  seen: z.record(z.string(), z.string()),
})

/** One pass over all folders for what changed. */
const cycle = z.object({
  startedAt: z.number(),
  /** When its last step began. */
  steppedAt: z.number(),
  /** Whether recent mail is still to be looked through. */
  recent: z.boolean(),
  /** Folders still to be asked. */
  left: z.array(z.string()),
  /** Messages that a folder no longer has: moved, or gone. */
  missing: z.array(z.object({ id: z.string(), from: z.string() })),
})

const state = z.object({
  folders: z.object({ tree: z.record(z.string(), node), roles: z.record(z.string(), role) }),
  foldersLink: z.string(),
  walks: z.record(z.string(), walk),
  recent: recent.nullable(),
  cycle: cycle.nullable(),
  /** When the last whole pass began: up to then, everything in folders that are caught up was read. */
  readAt: z.number(),
})
/** The cursor of a mailbox. */
export type State = z.output<typeof state>

/** Null: there is none, or another version of the connector wrote it; reading starts over. */
export function readCursor(from: Cursor | null): State | null {
  const read = state.safeParse(from)
  return read.success ? read.data : null
}

export const isListing = (one: Walk | undefined): boolean => one?.at === 'listing'

export function isWaiting({ walks }: State): boolean {
  return Object.values(walks).some(isListing)
}
