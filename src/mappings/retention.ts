import { z } from 'zod'
import { KEEP_ALL, type Retention } from '../core/privacy.ts'
import type { Parsed } from './document.ts'
import { within, type Report } from './problem.ts'
import { validate } from './validate.ts'

const length = (what: string) =>
  z.string().optional().describe(`${what} \`24 months\`, \`90 days\`, or \`never\` taken away.`)

export const retentionFile = z.strictObject({
  retention: z.strictObject({
    mailBodies: length('Texts of logged mail are kept for so long; subjects and people stay:'),
    history: length(
      'The history of records is kept for so long, by whole months; older runs cannot be undone:',
    ),
    closedInbox: length('Closed inbox items are kept for so long:'),
    outboxBodies: length('What was sent to vendors is kept for so long; that it was sent stays:'),
  }),
})

/** The file `retention:`; what is wrong is reported. Without one everything is kept. */
export function loadRetention(document: Parsed | undefined): Retention {
  if (document === undefined) return KEEP_ALL
  const entry = validate(retentionFile, document.root, document, [])?.retention
  if (entry === undefined) return KEEP_ALL
  const report = within(document.report, 'retention')
  const of = (name: keyof typeof entry) => lengthOf(entry[name], within(report, name))
  return {
    mailBodiesMs: of('mailBodies'),
    historyMs: of('history'),
    closedInboxMs: of('closedInbox'),
    outboxBodiesMs: of('outboxBodies'),
  }
}

const DAY_MS = 86_400_000
const MONTH_MS = 30.436875 * DAY_MS
const SHORTEST_DAYS = 30
const LONGEST_YEARS = 100

/**
 * Shorter than a month, undo, explain and repeats of writes would lack what they work with; a few thousand years ago
 * no database has dates for.
 */
function lengthOf(said: string | undefined, report: Report): number | null {
  if (said === undefined || said.trim() === 'never') return null
  const [, count, unit] = /^(\d{1,4}) ?(months?|days?|years?)$/.exec(said.trim()) ?? []
  const each =
    unit?.startsWith('day') === true ? DAY_MS : unit?.startsWith('year') === true ? 12 * MONTH_MS : MONTH_MS
  const ms = count === undefined ? Number.NaN : Math.round(Number(count) * each)
  const isShort = ms < SHORTEST_DAYS * DAY_MS
  const isLong = ms > LONGEST_YEARS * 12 * MONTH_MS
  if (!isShort && !isLong && !Number.isNaN(ms)) return ms
  const limit = isShort ? `shorter than ${SHORTEST_DAYS} days` : `longer than ${LONGEST_YEARS} years`
  report(
    [],
    Number.isNaN(ms) ? `"${said}" is not a length of time` : `"${said}" is ${limit}`,
    'Write days, months or years, 30 days at least: "24 months"; or "never".',
  )
  return null
}
