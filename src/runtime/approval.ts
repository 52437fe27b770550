import type { JsonObject } from '../core/json.ts'
import { fingerprint } from '../mappings/shape.ts'
import type { Query } from '../store/database.ts'
import { approveShapes, gateRows, type GateRow } from '../store/streams.ts'
import type { Hub, Target } from './hub.ts'
import { WEBHOOK_URL } from './webhook-address.ts'

/** Settings that do not say which account, list or folder is meant. */
const NOT_PLACE = new Set([WEBHOOK_URL, 'settleMs', 'topic', 'pushServiceAccount', 'keysUrl', 'tokenUrl'])

/** The stream row that stands for all the mail of a connection; no stream and no mailbox can be called so. */
export const ALL_MAIL = 'mail/*'

/** What may or may not write: a stream, or the mail of a connection. */
export type Gate = {
  /** Of its row in `streams`. */
  readonly id: number
  readonly connection: string
  /** `connection/stream`, for people; `connection/mail`. */
  readonly label: string
  readonly kind: 'stream' | 'mail'
  /** What it would write with now: see `shapeOf`. */
  readonly shape: string
  readonly approvedShape: string | null
  readonly appliedShape: string | null
  readonly adoptable: boolean
}

export const isOpen = (gate: Gate): boolean => gate.approvedShape === gate.shape

/** The gates of the connections that were added and are configured. */
export async function gatesOf(hub: Hub, connection: string | null = null): Promise<readonly Gate[]> {
  const rows = await gateRows(hub.session.q, connection)
  return rows.flatMap((row): Gate[] => {
    const target = hub.targets.find((t) => t.id === row.id)
    const mail = row.name === ALL_MAIL && hub.mails.some((m) => m.connection === row.connection)
    if (target === undefined && !mail) return []
    const { id, approvedShape, appliedShape, adoptable } = row
    const shape = target === undefined ? mailShape(hub, row) : shapeOf(hub, target, row)
    const label = target?.label ?? `${row.connection}/mail`
    const kind = mail ? 'mail' : 'stream'
    return [{ id, connection: row.connection, label, kind, shape, approvedShape, appliedShape, adoptable }]
  })
}

/** What names the other side: the account, and the settings that say which of its lists or folders. */
function placeOf(hub: Hub, { connection, accountId, settings }: GateRow): JsonObject {
  const configured = hub.configuration.connections.find((c) => c.name === connection)?.settings ?? {}
  const all = Object.entries({ ...configured, ...settings })
  return { accountId, settings: Object.fromEntries(all.filter(([name]) => !NOT_PLACE.has(name))) }
}

/**
 * What a stream would write with: the fingerprint of its configuration and of the place it is about. What follows the
 * dot covers only what decides which remote objects come in at all.
 */
export function shapeOf(hub: Hub, { stream }: Target, row: GateRow): string {
  const place = placeOf(hub, row)
  return `${fingerprint([stream.shape, place])}.${fingerprint([stream.arrivals, place]).slice(0, 16)}`
}

/** Rules of mail have a review of their own, so that only the account and its mailboxes count. */
const mailShape = (hub: Hub, row: GateRow): string => fingerprint(['mail', placeOf(hub, row)])

/** Whether a change of shape lets other remote objects in than before. */
export const listsAnew = (before: string | null, now: string): boolean =>
  before !== null && before.split('.')[1] !== now.split('.')[1]

/** Whether a stream may write at all, into the hub or to its remote: nobody asks, or its plan was approved. */
export async function mayWrite(hub: Hub, target: Target): Promise<boolean> {
  if (hub.configuration.approvals === 'none' || hub.preview) return true
  return (await gatesOf(hub, target.stream.connection)).some((gate) => gate.id === target.id && isOpen(gate))
}

/** Whether the mail of a connection may be read. */
export async function mayReadMail(hub: Hub, connection: string): Promise<boolean> {
  if (hub.configuration.approvals === 'none') return true
  return (await gatesOf(hub, connection)).some((gate) => gate.kind === 'mail' && isOpen(gate))
}

/** What of a connection waits for its plan. */
export async function waitingGates(hub: Hub, connection: string | null = null): Promise<readonly Gate[]> {
  if (hub.configuration.approvals === 'none') return []
  return (await gatesOf(hub, connection)).filter((gate) => !isOpen(gate))
}

/** In words, what to do about a stream that waits. */
export const waitsForPlan = (label: string): string => {
  const connection = label.split('/')[0] ?? label
  return `${label} waits for its plan: \`concord plan ${connection}\`, then \`concord plan approve ID\``
}

/**
 * Takes what worked before plans were asked for as approved, as it is now: an update must not stop a hub. Does nothing
 * to what has a shape already, or has never read or written.
 */
export async function adoptShapes(hub: Hub, q: Query = hub.session.q): Promise<void> {
  const old = (await gatesOf(hub)).filter((gate) => gate.adoptable)
  await approveShapes(q, old)
  await markAllApplied(q, old)
}

async function markAllApplied(q: Query, gates: readonly Gate[]): Promise<void> {
  if (gates.length === 0) return
  await q`
    update streams s set applied_shape = n.shape
    from unnest(${gates.map((g) => g.id)}::int[], ${gates.map((g) => g.shape)}::text[]) as n(id, shape)
    where s.id = n.id and s.applied_shape is null`
}
