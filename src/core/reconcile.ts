/** What a full comparison found between a source and what the hub knew of it. Counts are objects. */
export type Inward = {
  /** Nothing of the stream was known before: all of it is new, and none of that is drift. */
  readonly first: boolean
  /** False: some of the listing could not even be named, so nothing is said to be gone. */
  readonly complete: boolean
  /** Unknown here, and taken in. */
  readonly missing: number
  /** Differed from what was last seen, and taken in. */
  readonly changed: number
  /** Known here, not there any more, and taken out. */
  readonly gone: number
  /** Not there any more, but the guard holds what would follow. */
  readonly kept: number
  /** Known here and not listed, but the vendor still has them. */
  readonly unlisted: number
  /** Kept out by `only:`, or unknown where the stream makes no records. */
  readonly filtered: number
  readonly unreadable: number
  /** Of those: what a feed or webhook should have told before the comparison began. */
  readonly missed: number
}

/** How records stand that should be at the remote. Counts are records. */
export type Outward = {
  /** Changes and creations that wait to be sent. */
  readonly waiting: number
  /** Refused by the vendor, and asked about in the inbox. */
  readonly rejected: number
  /** Not written, and asked about no more: the vendor takes no edits of them, or a person closed the question. */
  readonly frozen?: number
  /** Kept back by `create.where`. */
  readonly filtered: number
  /** Deleted at the remote; never made again by themselves. */
  readonly ended: number
  /** Records of a stream that creates all of them, with no trace there. */
  readonly unlinked: number
}

/** Either way may be missing: streams that only write are not listed, streams that only read are not written to. */
export type Drift = { readonly in: Inward | null; readonly out: Outward | null }

/** What one page of a comparison adds up to. */
export type Tally = Pick<Inward, 'missing' | 'changed' | 'gone' | 'kept' | 'filtered' | 'missed'>
export const NO_TALLY: Tally = { missing: 0, changed: 0, gone: 0, kept: 0, filtered: 0, missed: 0 }

export function addTally(a: Tally, b: Tally): Tally {
  return {
    missing: a.missing + b.missing,
    changed: a.changed + b.changed,
    gone: a.gone + b.gone,
    kept: a.kept + b.kept,
    filtered: a.filtered + b.filtered,
    missed: a.missed + b.missed,
  }
}

/** Objects in which the two sides were apart. */
export function foundOf({ in: inward }: Drift): number {
  return inward === null || inward.first ? 0 : inward.missing + inward.changed + inward.gone + inward.kept
}

/** Of these, what agrees now. */
export function healedOf(drift: Drift): number {
  return foundOf(drift) - (drift.in?.kept ?? 0)
}

export type Left = {
  readonly count: number
  readonly what: string
  readonly fix: string
  /** An alarm by itself: nobody is told of it elsewhere, and the next pass does not settle it. */
  readonly isDrift: boolean
}

/** What is still apart after a comparison, and what to do about each. Empty: source and hub agree. */
export function leftOf({ in: inward, out }: Drift): readonly Left[] {
  const left: Left[] = []
  const note = (count: number, what: string, fix: string, isDrift = false) => {
    if (count > 0) left.push({ count, what, fix, isDrift })
  }
  if (inward !== null) {
    note(inward.unreadable, 'unreadable', 'Correct them at the source: `concord inbox --kind unreadable`.')
    note(inward.kept, 'gone there, and held here', 'Decide in `concord inbox --kind mass_change`.')
    note(
      inward.complete ? 0 : 1,
      'incomplete listing, so that nothing is said to be gone',
      'Correct what could not be read; the next full comparison looks again.',
      // The inbox tells of rows that cannot be read.
      inward.unreadable === 0,
    )
  }
  if (out !== null) {
    note(out.rejected, 'refused by the vendor', 'See why: `concord inbox --kind rejected_write`.')
    note(out.waiting, 'waiting to be sent', 'They are sent by `concord start` or `concord sync`.')
    note(
      out.unlinked,
      'never offered to the remote',
      'They are at the next change; `concord plan` shows them.',
    )
  }
  return left
}

/** Apart for a reason that a person or the configuration gave, or for good; told, and no alarm. */
export function explainedOf({
  in: inward,
  out,
}: Drift): readonly { readonly count: number; readonly what: string }[] {
  const told = [
    { count: inward?.filtered ?? 0, what: 'kept out by the stream' },
    { count: inward?.unlisted ?? 0, what: 'not listed, though still there' },
    { count: out?.filtered ?? 0, what: 'not sent, by create.where' },
    { count: out?.frozen ?? 0, what: 'edited here alone, as the vendor does not take it' },
    { count: out?.ended ?? 0, what: 'deleted there, and not made again' },
  ]
  return told.filter(({ count }) => count > 0)
}
