import { arrived } from '../core/plan.ts'
import { openWritesOf } from '../store/outbox.ts'
import { meet, type Arrival, type PageWork } from './page.ts'
import { keeping, type Sparing } from './sparing.ts'

/** Plans the objects of a page that have links. One query more where there are any, and the stream sends. */
export async function meetKnown(
  page: PageWork,
  arrivals: readonly Arrival[],
  spared: Sparing,
): Promise<void> {
  const known = arrivals.flatMap((arrival) =>
    arrival.link === null ? [] : [{ arrival, link: arrival.link }],
  )
  if (known.length === 0) return
  const open =
    page.target.push === null
      ? new Map<number, never>()
      : await openWritesOf(
          page.tx,
          page.target.id,
          known.map(({ link }) => link.id),
        )
  for (const { arrival, link } of known) {
    const write = open.get(link.id)
    const base =
      write === undefined
        ? link.base
        : arrived(page.lenses, link.base, write.pushed, write.sent, arrival.seen.body)
    meet(page, arrival, link.recordId, keeping(page, arrival, { ...link, base }, spared))
  }
}
