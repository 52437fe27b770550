import postgres from 'postgres'
import { same } from '../../core/json.ts'
import type { Io } from '../../connectors/connector.ts'
import type { MailPage } from '../../connectors/mail.ts'
import {
  readMailbox,
  savePage,
  startOver,
  type Backfill,
  type MailboxRow,
} from '../../store/mail/mailboxes.ts'
import { decidedIds, recheckIds, recheckUnlisted, stillListed } from '../../store/mail/sightings.ts'
import { HEARTBEAT_MS, noteChecked } from '../../store/streams.ts'
import { failureOf } from '../../connectors/connector.ts'
import type { Hub, MailTarget } from '../hub.ts'
import { absorbMail, type MailBatch } from './absorb.ts'
import type { Box } from './box.ts'
import { rulesJson } from './rules-json.ts'
import { openMailRun, type MailRun } from './run.ts'

/** One mailbox while a pass reads it. */
export type Reader = {
  readonly hub: Hub
  readonly target: MailTarget
  readonly io: Io
  readonly box: Box
  readonly run: MailRun
  row: MailboxRow
  /** Since when the backfill's time is counted. */
  since: number
  seen: number
  readonly woken: Set<string>
  /** What ended its part of the pass, and in words. */
  failure: unknown
  problem: string | null
}

export function openReader(hub: Hub, target: MailTarget, io: Io, box: Box, row: MailboxRow): Reader {
  const run = openMailRun(hub, box.id)
  return {
    hub,
    target,
    io,
    box,
    run,
    row,
    since: hub.clock.now(),
    seen: 0,
    woken: new Set(),
    failure: undefined,
    problem: null,
  }
}

/** Reads what is new until nothing more waits. */
export async function readLive(reader: Reader): Promise<void> {
  for (;;) {
    const page = await pull(reader, 'live')
    await take(reader, page, false)
    if (!page.more || reader.hub.stopping.aborted) return
  }
}

/** Reads one page of what was there before. */
export async function readBackfill(reader: Reader): Promise<void> {
  const page = await pull(reader, 'backfill')
  await take(reader, page, true)
}

export const hasBackfill = ({ row }: Reader): boolean => row.backfill === null || !row.backfill.done

const RECHECKED = 50

/** Reads messages again that may be decided otherwise now; false: none wait. */
export async function readAgain(reader: Reader): Promise<boolean> {
  const { hub, target, io, box } = reader
  const ids = await recheckIds(hub.session.q, box.id, RECHECKED)
  if (ids.length === 0) return false
  const fetched = await target.mail.fetch(io, box.mailbox, ids)
  const told = new Set([...fetched.sightings.map((s) => s.id), ...fetched.bad.flatMap((row) => row.id ?? [])])
  const silent = ids.filter((id) => !told.has(id))
  const bad = silent.map((id) => ({
    where: `message ${id}`,
    id,
    problem: 'nothing was answered for it',
    raw: '',
  }))
  await absorbWhole(reader, { sightings: fetched.sightings, bad: [...fetched.bad, ...bad] })
  return true
}

async function pull(reader: Reader, want: 'live' | 'backfill'): Promise<MailPage> {
  const { hub, target, io, box } = reader
  const ask = {
    want,
    since: box.rules.since,
    known: async (ids: readonly string[]) => {
      const { backfill } = reader.row
      if (backfill?.again === true)
        await stillListed(hub.session.q, box.id, ids, backfill.startedAt, hub.clock.now())
      return decidedIds(hub.session.q, box.id, ids)
    },
  }
  try {
    return await target.mail.pull(io, box.mailbox, reader.row.cursor, ask)
  } catch (error) {
    if (failureOf(error)?.kind !== 'cursor-expired' || reader.row.cursor === null) throw error
    hub.log.warn({ mailbox: box.label }, 'the vendor forgot the cursor: everything is listed again')
    await startOver(hub.session.q, box.id)
    reader.row = await readMailbox(hub.session.q, box.id)
    return target.mail.pull(io, box.mailbox, null, { ...ask, want: 'live' })
  }
}

async function take(reader: Reader, page: MailPage, isBackfill: boolean): Promise<void> {
  const { hub, box, row } = reader
  const now = hub.clock.now()
  const backfill = moved(row, page, now, isBackfill ? now - reader.since : 0)
  if (isBackfill) reader.since = now
  const isEmpty = page.sightings.length === 0 && page.bad.length === 0
  const isStill =
    isEmpty && same(row.cursor, page.cursor) && row.backfill !== null && sameProgress(row.backfill, backfill)
  if (isStill) {
    const { checkedAt, problem } = row
    if (checkedAt !== null && now - checkedAt <= HEARTBEAT_MS && problem === null) return
    await noteChecked(hub.session.q, box.id, now)
    reader.row = { ...row, checkedAt: now, problem: null }
    return
  }
  const moves = !isEmpty || !same(row.cursor, page.cursor)
  await absorbWhole(reader, page, {
    cursor: page.cursor,
    backfill,
    rules: rulesJson(box.rules),
    moved: moves,
  })
  reader.row = {
    ...row,
    cursor: page.cursor,
    backfill,
    rules: row.rules ?? rulesJson(box.rules),
    checkedAt: now,
    problem: null,
  }
  reader.hub.progress({
    kind: 'observed',
    target: { label: box.label },
    seen: backfill.listed,
    total: backfill.total,
  })
}

type Saved = Parameters<typeof savePage>[2]

/**
 * Takes a batch in. Where the database refuses a value in it, which nobody foresaw, its messages go in one by one, and
 * the one that cannot is quarantined: it must not stop its mailbox for ever.
 */
async function absorbWhole(reader: Reader, batch: MailBatch, saved: Saved | null = null): Promise<void> {
  const { hub, box, run } = reader
  const note = (woken: ReadonlySet<string>) => {
    for (const name of woken) reader.woken.add(name)
  }
  const save = async (q: Parameters<typeof savePage>[0]) => {
    if (saved === null) return
    await savePage(q, box.id, saved, hub.clock.now())
    // Deleted while nobody could be told: a listing of what is there shows it by what is not in it.
    if (saved.backfill.done && reader.row.backfill?.done === false && saved.backfill.again === true)
      await recheckUnlisted(q, box.id, saved.backfill.startedAt, reader.target.mail.listsWhole === true)
  }
  reader.seen += batch.sightings.length + batch.bad.length
  try {
    note(await absorbMail(hub, box, batch, run, save))
    return
  } catch (error) {
    if (!isRefusal(error)) throw error
    hub.log.warn(
      { mailbox: box.label, code: error.code },
      'a page was refused; its messages go in one by one',
    )
  }
  const bad = [...batch.bad]
  for (const seen of batch.sightings) {
    try {
      note(await absorbMail(hub, box, { sightings: [seen], bad: [] }, run))
    } catch (error) {
      if (!isRefusal(error)) throw error
      const problem = `the database refuses it: ${error.code}`
      bad.push({ where: `message ${seen.id}`, id: seen.id, problem, raw: '' })
    }
  }
  note(await absorbMail(hub, box, { sightings: [], bad }, run, save))
}

/** Data exceptions, broken constraints and exceeded limits: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const isRefusal = (error: unknown): error is postgres.PostgresError =>
  error instanceof postgres.PostgresError && /^(?:22|23|54)/.test(error.code)

function moved(
  { backfill: before, rules }: MailboxRow,
  page: MailPage,
  now: number,
  spentMs: number,
): Backfill {
  const starts = before === null || (before.done && page.backfill.kind === 'waiting')
  const again = rules === null ? {} : { again: true as const }
  const was = starts ? { listed: 0, total: null, startedAt: now, at: now, activeMs: 0, ...again } : before
  const activeMs = was.activeMs + Math.max(0, spentMs)
  if (page.backfill.kind === 'done') {
    const at = before?.done === true ? before.at : now
    return { ...was, activeMs, at, done: true }
  }
  const { listed, total } = page.backfill
  const at = listed === was.listed ? was.at : now
  return { ...was, listed, total, activeMs, at, done: false }
}

const sameProgress = (a: Backfill, b: Backfill): boolean =>
  a.done === b.done && a.listed === b.listed && a.total === b.total
