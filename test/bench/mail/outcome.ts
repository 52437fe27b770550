import { z } from 'zod'
import type { Query } from '../../../src/store/database.ts'

const REASONS = ['automatic', 'blocked', 'bounce', 'bulk', 'calendar', 'internal', 'private', 'stranger']
const profile = z.object({ messagesTotal: z.number() })

/**
 * Speed counts only for what was done: every message of the mailbox has its verdict, two thirds or so are logged, and
 * each reason to filter one occurred. Throws otherwise.
 */
export async function checkOutcome(
  q: Query,
  { vendor, address, token }: { readonly vendor: string; readonly address: string; readonly token: string },
): Promise<void> {
  const reply = await fetch(`${vendor}/gmail/v1/users/${address}/profile`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const { messagesTotal } = profile.parse(await reply.json())
  const rows = await q<{ verdict: string; reason: string | null; count: number }[]>`
    select verdict, reason, count(*) as count from sightings where not recheck group by 1, 2`
  const sum = (verdict: string) =>
    rows.reduce((all, row) => (row.verdict === verdict ? all + row.count : all), 0)
  const [logged, filtered] = [sum('logged'), sum('filtered')]
  const [shown] = await q<{ count: number }[]>`
    select count(*) as count from activities a join messages m on m.id = a.id where a.contact_id is not null`
  const missing = REASONS.filter((reason) => rows.every((row) => row.reason !== reason))
  const problems = [
    ...(logged + filtered === messagesTotal
      ? []
      : [`${logged} + ${filtered} of ${messagesTotal} were decided`]),
    ...(logged / messagesTotal > 0.6 && logged / messagesTotal < 0.72 ? [] : [`${logged} were logged`]),
    ...(shown?.count === logged ? [] : [`${shown?.count} of ${logged} are on a timeline`]),
    ...(missing.length === 0 ? [] : [`nothing was filtered as ${missing.join(', ')}`]),
  ]
  if (problems.length > 0) throw new Error(`${address}: ${problems.join('; ')}`)
}
