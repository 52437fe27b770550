import type { Instant } from '../../core/json.ts'
import { rulesFor } from '../../core/mail/rules.ts'
import { countVerdicts, listMailboxes, type Backfill, type MailboxRow } from '../../store/mail/mailboxes.ts'
import type { Hub } from '../hub.ts'
import { mailOf } from './box.ts'

export type MailboxProgress = {
  readonly connection: string
  readonly mailbox: string
  /**
   * `new`: not read yet. `backfill`: what was there before is being read. `current`: all of it was. `lost`: the
   * connection does not show it any more. `off`: its rules say that it is not read.
   */
  readonly state: 'new' | 'backfill' | 'current' | 'lost' | 'off'
  /** Ids met by the backfill, and the vendor's estimate of all of them; null where it gives none. */
  readonly listed: number
  readonly total: number | null
  readonly startedAt: Instant | null
  /** Messages a minute, over the whole backfill so far; null while it is too early to say. */
  readonly perMinute: number | null
  /** How long the rest will take at that rate; null: unknown. */
  readonly leftMs: number | null
  readonly logged: number
  readonly filtered: number
  readonly quarantined: number
  readonly gone: number
  /** Rules changed, and what is stored is being looked through again. */
  readonly reviewing: boolean
  readonly checkedAt: Instant | null
  readonly movedAt: Instant | null
  readonly problem: string | null
}

/** How far the mail of every mailbox has been read. */
export async function mailProgress(hub: Hub): Promise<readonly MailboxProgress[]> {
  const rows = (await listMailboxes(hub.session.q)).filter((row) => mailOf(hub, row.connection) !== undefined)
  const counts = new Map(
    (
      await countVerdicts(
        hub.session.q,
        rows.map((row) => row.id),
      )
    ).map((row) => [`${row.id} ${row.verdict}`, row.count]),
  )
  return rows.map((row): MailboxProgress => {
    const count = (verdict: string) => counts.get(`${row.id} ${verdict}`) ?? 0
    return {
      connection: row.connection,
      mailbox: row.address,
      state: stateOf(hub, row),
      listed: row.backfill?.listed ?? 0,
      total: row.backfill?.total ?? null,
      startedAt: row.backfill?.startedAt ?? null,
      ...estimate(row.backfill),
      logged: count('logged'),
      filtered: count('filtered'),
      quarantined: count('quarantined'),
      gone: count('gone'),
      reviewing: row.review !== null,
      checkedAt: row.checkedAt,
      movedAt: row.movedAt,
      problem: row.problem,
    }
  })
}

function stateOf(hub: Hub, row: MailboxRow): MailboxProgress['state'] {
  const config = mailOf(hub, row.connection)?.config
  if (config === undefined || rulesFor(config, row.address) === null) return 'off'
  if (row.lostAt !== null) return 'lost'
  if (row.backfill === null) return 'new'
  return row.backfill.done ? 'current' : 'backfill'
}

/** Below these, a rate says more about the start than about the rest. */
const ENOUGH_MS = 20_000
const ENOUGH_LISTED = 100

function estimate(backfill: Backfill | null): Pick<MailboxProgress, 'perMinute' | 'leftMs'> {
  if (backfill === null || backfill.activeMs < ENOUGH_MS || backfill.listed < ENOUGH_LISTED)
    return { perMinute: null, leftMs: null }
  const { listed, total, activeMs, done } = backfill
  const left = total === null || total < listed ? null : Math.round(((total - listed) * activeMs) / listed)
  return { perMinute: Math.round((listed * 60_000) / activeMs), leftMs: done ? 0 : left }
}
