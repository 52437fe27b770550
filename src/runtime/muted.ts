import type { Tx } from '../store/database.ts'
import { readStream } from '../store/streams.ts'
import { invoicingOf, type Hub, type Target } from './hub.ts'

/**
 * Nothing is automated from a stream's first complete pass. Only invoices are, and questions about single deals: else
 * nobody has to know.
 */
export async function isMuted(hub: Hub, tx: Tx, target: Target): Promise<boolean> {
  if (invoicingOf(hub) === null && target.stream.record !== 'deal') return false
  return (await readStream(tx, target.id)).firstSyncedAt === null
}
