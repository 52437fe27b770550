import type { Instant } from '../../core/json.ts'
import {
  blankOldWrites,
  countOld,
  dropMonth,
  forgetOldItems,
  oldMonths,
  stripOldMail,
} from '../../store/retention.ts'
import type { Hub } from '../hub.ts'

const CHUNK = 500
/** The rest is left to the next night. */
const CHUNKS = 2_000

export type RetentionCounts = {
  /** Texts of logged mail, items of the inbox, bodies of writes. */
  readonly mail: number
  readonly inbox: number
  readonly writes: number
  /** Months of the history, by their tables. */
  readonly months: readonly string[]
}

function cutoffs(hub: Hub): {
  readonly mail: Instant | null
  readonly inbox: Instant | null
  readonly writes: Instant | null
  readonly history: Instant | null
} {
  const { mailBodiesMs, closedInboxMs, outboxBodiesMs, historyMs } = hub.configuration.retention
  const before = (ms: number | null) => (ms === null ? null : hub.clock.now() - ms)
  return {
    mail: before(mailBodiesMs),
    inbox: before(closedInboxMs),
    writes: before(outboxBodiesMs),
    history: before(historyMs),
  }
}

/** What the next pass takes away. */
export async function plannedRetention(hub: Hub): Promise<RetentionCounts> {
  const before = cutoffs(hub)
  const months = before.history === null ? [] : await oldMonths(hub.db.sql, before.history)
  return { ...(await countOld(hub.db.sql, before)), months }
}

/** Takes away what is kept for longer than the configuration says, in small statements. */
export async function enforceRetention(hub: Hub): Promise<RetentionCounts> {
  const q = hub.db.sql
  const before = cutoffs(hub)
  const all = async (at: Instant | null, some: typeof stripOldMail): Promise<number> => {
    let sum = 0
    let after = 0
    for (let n = 0; at !== null && n < CHUNKS && !hub.stopping.aborted; n++) {
      const { count, last } = await some(q, at, after, CHUNK)
      sum += count
      after = last
      if (count < CHUNK) break
    }
    return sum
  }
  const months: string[] = []
  for (const month of before.history === null ? [] : await oldMonths(q, before.history)) {
    if (await dropMonth(q, month)) months.push(month)
    else hub.log.warn({ month }, 'the history is in use all the time; the next housekeeping drops this month')
  }
  return {
    mail: await all(before.mail, stripOldMail),
    inbox: await all(before.inbox, forgetOldItems),
    writes: await all(before.writes, blankOldWrites),
    months,
  }
}
