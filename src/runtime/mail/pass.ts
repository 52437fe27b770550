import { failureOf } from '../../connectors/connector.ts'
import { isWaitedFor } from '../../store/wake.ts'
import { noteProblem } from '../../store/streams.ts'
import { mayReadMail } from '../approval.ts'
import type { Hub } from '../hub.ts'
import { reportUnreadable } from '../unreadable.ts'
import { boxOf, mailOf } from './box.ts'
import { findBoxes, isCalled } from './find-boxes.ts'
import { hasBackfill, openReader, readAgain, readBackfill, readLive, type Reader } from './reader.ts'
import { beginReview, reviewBox } from './review.ts'
import { keepSubscribed } from './subscribe.ts'

/** A backfill reads this long before others get their turn. */
const SLICE_MS = 20_000

export type MailPassed = {
  readonly seen: number
  /** There is more to read, from before or again. */
  readonly waits: boolean
  readonly woken: ReadonlySet<string>
  readonly problems: readonly string[]
}
const UNREADABLE = {
  one: 'message',
  many: 'messages',
  fix: 'Look at them in their mailbox by their ids. Nothing of them was stored; everything else went on.',
}
const NOTHING: MailPassed = { seen: 0, waits: false, woken: new Set(), problems: [] }

/**
 * Reads a connection's mail: of every mailbox what is new, then what is to be read again, and in a slice of time what
 * was there before, page by page, each after another look for what is new. Ends early where other work waits for the
 * connection (`others: 'none'`: no worker is there to do it). A mailbox that fails is its own problem. Throws where the
 * connection's credentials are refused.
 */
export async function readMail(
  hub: Hub,
  connection: string,
  others: 'wait' | 'none' = 'wait',
): Promise<MailPassed> {
  const target = mailOf(hub, connection)
  // A preview is one transaction that is rolled back: nothing of a mailbox's state would be right after it.
  if (target === undefined || hub.preview || !(await mayReadMail(hub, connection))) return NOTHING
  const io = await hub.io(connection)
  const rows = await findBoxes(hub, target, io)
  const readers = rows.flatMap((row): Reader[] => {
    const box = boxOf(target, row)
    return box === null ? [] : [openReader(hub, target, io, box, row)]
  })
  const until = hub.clock.now() + SLICE_MS
  const isOver = async () =>
    hub.stopping.aborted ||
    hub.clock.now() >= until ||
    (others === 'wait' && (await isWaitedFor(hub.session.q, connection)))
  await each(readers, (reader) => keepSubscribed(reader))
  const waiting = new Set<Reader>()
  await each(readers, async (reader) => {
    if ((await reviewBox(reader, isOver)) === 'waits') waiting.add(reader)
  })
  let isLate = false
  await each(fromAnywhere(readers, hub.random()), async (reader) => {
    if (isLate) return void waiting.add(reader)
    await readLive(reader)
    isLate = await isOver()
  })
  const readAllAgain = () =>
    each(readers, async (reader) => {
      while (await readAgain(reader)) if (await isOver()) return void waiting.add(reader)
    })
  await readAllAgain()
  for (const reader of await fillUp(readers, isOver)) waiting.add(reader)
  // What was there before may have made contacts of strangers.
  await readAllAgain()
  return close(hub, readers, waiting)
}

/** Begun elsewhere each time: a pass that always ends early must not always leave out the same ones. */
function fromAnywhere(readers: readonly Reader[], chance: number): readonly Reader[] {
  const first = Math.floor(chance * readers.length)
  return [...readers.slice(first), ...readers.slice(0, first)]
}

/** Reads what is new in the mailboxes that hints name. */
export async function followMailHints(
  hub: Hub,
  connection: string,
  hints: readonly { readonly resource: string; readonly id: string }[],
): Promise<MailPassed> {
  const target = mailOf(hub, connection)
  const about = hints.filter((hint) => hint.resource === 'mail' || hint.resource === 'mail/subscription')
  if (target === undefined || about.length === 0 || !(await mayReadMail(hub, connection))) return NOTHING
  const io = await hub.io(connection)
  const wanted = [...new Set(about.map((hint) => hint.id))]
  const rows = await findBoxes(hub, target, io, wanted)
  const readers = rows.flatMap((row): Reader[] => {
    const box = wanted.some((name) => isCalled(row, name)) ? boxOf(target, row) : null
    return box === null ? [] : [openReader(hub, target, io, box, row)]
  })
  const lost = about.filter((hint) => hint.resource === 'mail/subscription').map((hint) => hint.id)
  await each(readers, async (reader) => {
    if (lost.some((name) => isCalled(reader.row, name))) await keepSubscribed(reader, 'anew')
    await beginReview(reader)
    await readLive(reader)
  })
  return close(hub, readers, new Set())
}

/**
 * Backfills in turn, those that have waited longest first, a page at a time. Returns those that have more. Whether it is
 * over is asked after a page, so that a connection that is always busy goes on slowly, and not never.
 */
async function fillUp(
  readers: readonly Reader[],
  isOver: () => Promise<boolean>,
): Promise<readonly Reader[]> {
  const waits = (reader: Reader) => reader.failure === undefined && hasBackfill(reader)
  const queue = readers
    .filter(waits)
    .toSorted((a, b) => (a.row.backfill?.at ?? 0) - (b.row.backfill?.at ?? 0))
  await atOnce(async () => {
    for (let reader = queue.shift(); reader !== undefined; reader = queue.shift()) {
      await attempt(reader, async (one) => {
        await readLive(one)
        await readBackfill(one)
      })
      if (await isOver()) return
      if (waits(reader)) queue.push(reader)
    }
  })
  return readers.filter(waits)
}

/** Mailboxes of a connection that are read at once: vendors count what each may ask for by itself. */
const AT_ONCE = 4

/** Waits for all of them, also where one fails. */
async function atOnce(work: () => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** Runs work for each mailbox that has no problem yet. */
async function each(readers: readonly Reader[], work: (reader: Reader) => Promise<void>): Promise<void> {
  const queue = [...readers]
  await atOnce(async () => {
    for (let reader = queue.shift(); reader !== undefined; reader = queue.shift()) await attempt(reader, work)
  })
}

/** A mailbox that fails is left alone for the rest of the pass. */
async function attempt(reader: Reader, work: (reader: Reader) => Promise<void>): Promise<void> {
  if (reader.failure !== undefined || reader.hub.stopping.aborted) return
  try {
    await work(reader)
  } catch (error) {
    reader.failure = error
    reader.problem = error instanceof Error ? error.message : String(error)
  }
}

async function close(
  hub: Hub,
  readers: readonly Reader[],
  waiting: ReadonlySet<Reader>,
): Promise<MailPassed> {
  for (const reader of readers) {
    await reader.run.end(reader.problem)
    if (reader.problem !== null) await noteProblem(hub.db.sql, reader.box.id, reader.problem)
    else if (Object.keys(reader.run.counts).length > 0) await reportUnreadable(hub, reader.box, UNREADABLE)
  }
  const failed = readers.filter((reader) => reader.failure !== undefined)
  const bug = failed.find((reader) => failureOf(reader.failure) === null)
  if (bug !== undefined) throw bug.failure
  // One mailbox may be closed to us; where all of them are, the credentials are no good.
  if (failed.length > 0 && readers.every((reader) => failureOf(reader.failure)?.kind === 'auth'))
    throw failed[0]?.failure
  return {
    seen: readers.reduce((sum, reader) => sum + reader.seen, 0),
    waits: [...waiting].some((reader) => reader.failure === undefined),
    woken: new Set(readers.flatMap((reader) => [...reader.woken])),
    problems: failed.map((reader) => `${reader.box.label}: ${reader.problem ?? ''}`),
  }
}
