import { Hono } from 'hono'
import { z } from 'zod'
import { foundOf, healedOf, leftOf } from '../core/reconcile.ts'
import { alarms, channelStatus, type AlarmRow } from '../runtime/alerts/channels.ts'
import { iso, type Hub } from '../runtime/hub.ts'
import { comparisons, type StreamReconciliation } from '../runtime/reconcile.ts'
import type { Env } from './env.ts'
import { readQuery, unknownConnection, whole } from './query.ts'

const listing = z.object({ past: whole('past', 0, 500).default(0) })

/** What is wrong now, what was, and who is told. */
export function alarmRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const found = await alarms(hub, read.query.past)
    return c.json({ items: found.current.map(alarmView), past: found.past.map(alarmView) })
  })
  app.get('/channels', async (c) =>
    c.json({
      items: (await channelStatus(hub)).map(({ lastAt, ...channel }) => ({
        ...channel,
        lastAt: lastAt === null ? null : iso(lastAt),
      })),
    }),
  )
  return app
}

const alarmView = ({ since, recoveredAt, ...alarm }: AlarmRow) => ({
  ...alarm,
  since: iso(since),
  recoveredAt: recoveredAt === null ? null : iso(recoveredAt),
})

const paging = z.object({
  connection: z.string().optional(),
  before: whole('before', 1, Number.MAX_SAFE_INTEGER).optional(),
  limit: whole('limit', 1, 500).default(100),
})

/** Full comparisons of source and hub, the latest first. */
export function reconciliationRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, paging)
    if ('refused' in read) return read.refused
    const { connection = null, before = null, limit } = read.query
    const unknown = await unknownConnection(c, hub, connection)
    if (unknown !== null) return unknown
    const rows = await comparisons(hub, { connection, before, limit })
    return c.json({ items: rows.map(view), next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) })
  })
  return app
}

function view({ id, stream, at, source, hub, drift, runId }: StreamReconciliation) {
  const [found, healed] = [foundOf(drift), healedOf(drift)]
  return { id, stream, at: iso(at), source, hub, found, healed, left: leftOf(drift), drift, run: runId }
}
