import type { Configuration } from '../../core/stream.ts'
import type { Hub } from '../hub.ts'

/** What changed rules come to for one mailbox, in messages. */
export type ReviewCount = {
  readonly connection: string
  readonly mailbox: string
  /** Messages looked at. */
  readonly stored: number
  /** Logged ones that are taken out, by reason. */
  readonly takenOut: number
  readonly reasons: Readonly<Record<string, number>>
  /** Ones that are read again, and may then be logged. */
  readonly readAgain: number
  /** Logged ones of which less is kept. */
  readonly stripped: number
  /** Mail from before is listed again, as `since` reaches further back. */
  readonly listedAgain: boolean
}

/** What the rules of a configuration (the active one if none is given) would do to what is stored; writes nothing. */
export async function previewReview(
  _hub: Hub,
  _configuration?: Configuration,
): Promise<readonly ReviewCount[]> {
  throw new Error('in the making')
}
