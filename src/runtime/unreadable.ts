import { closeItems, openItems, quarantined } from '../store/inbox.ts'
import type { Hub } from './hub.ts'

export const unreadableKey = (streamId: number): string => `unreadable:${streamId}`

/** One inbox item a stream or mailbox sums up what could not be read; it closes when all of it can. */
export async function reportUnreadable(
  hub: Hub,
  stream: { readonly id: number; readonly label: string },
  what: { readonly one: string; readonly many: string; readonly fix: string },
): Promise<void> {
  const key = unreadableKey(stream.id)
  const { count, samples } = await quarantined(hub.session.q, stream.id, 20)
  if (count === 0) {
    await closeItems(hub.session.q, [key], 'everything can be read', hub.clock.now())
    return
  }
  await openItems(
    hub.session.q,
    [
      {
        kind: 'unreadable',
        key,
        title: `${count} ${count === 1 ? what.one : what.many} of ${stream.label} could not be read`,
        fix: what.fix,
        detail: {
          count,
          samples: samples.map((s) => ({ where: s.place, problem: s.problem, raw: s.raw.slice(0, 200) })),
        },
        streamId: stream.id,
        recordId: null,
      },
    ],
    hub.clock.now(),
  )
}

/** The same for the rows of a stream. */
export const reportRows = (
  hub: Hub,
  stream: { readonly id: number; readonly label: string },
): Promise<void> =>
  reportUnreadable(hub, stream, {
    one: 'row or value',
    many: 'rows or values',
    fix: 'Correct them at the source; they are read again when they change, or with `concord inbox replay --id ID`. Everything else went on.',
  })
