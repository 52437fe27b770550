import { z } from 'zod'
import type { Cursor } from '../connector.ts'

const uidSet = z.string()

const folder = z.object({
  path: z.string(),
  /** UIDVALIDITY: with another one, all UIDs mean other messages (RFC 9051, 2.3.1.1). */
  validity: z.string(),
  /** What comes gets this UID or a higher one. */
  next: z.number(),
  /** Until it is listed for the backfill, no message below this was read. */
  first: z.number(),
  /** HIGHESTMODSEQ (RFC 7162); null where the server or the folder has none. */
  modseq: z.string().nullable(),
  /** What was there at the last look. */
  uids: uidSet,
  size: z.number(),
  /** To be read now. */
  queue: uidSet,
  /** Null: not listed yet for the backfill. */
  todo: z.object({ uids: uidSet, left: z.number(), of: z.number() }).nullable(),
  /** Mail from before is not in `todo`. */
  since: z.number().nullable(),
  /** Flags and keywords that count, of those messages that have any, by these. */
  marks: z.record(z.string(), uidSet),
  /** When all flags were looked through, where there is no HIGHESTMODSEQ. */
  flagsAt: z.number(),
})
export type FolderState = z.output<typeof folder>

const lost = z.object({ path: z.string(), validity: z.string(), uids: uidSet })
/** Messages that a folder has no more. */
export type Lost = z.output<typeof lost>

const state = z.object({
  folders: z.array(folder),
  /**
   * Noticed in the last look at all folders: a moved message may be in a folder that was looked at before. After one
   * more look, and once all that it found is read, they are reported (`leaving`).
   */
  lost: z.array(lost),
  leaving: z.array(lost),
  /** Folders that are not there any more, or were made anew: reported once the backfill has read what there is. */
  past: z.array(folder),
})
/** Where reading an account stands. */
export type State = z.output<typeof state>

/** Null for a cursor that is not one of these. */
export function stateOf(cursor: Cursor | null): State | null {
  const read = state.safeParse(cursor)
  return read.success ? read.data : null
}

export const isWaiting = ({ folders }: State): boolean =>
  folders.some(({ todo }) => todo === null || todo.left > 0)

export function put(state_: State, changed: FolderState): State {
  return {
    ...state_,
    folders: state_.folders.map((one) => (one.path === changed.path ? changed : one)),
  }
}
