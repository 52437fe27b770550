import type { CreateWrite, Write } from '../connectors/connector.ts'
import type { Link } from '../store/links.ts'
import type { NewOutboxRow, OutboxRow } from '../store/outbox.ts'

export function toWrite(row: NewOutboxRow | OutboxRow, links: ReadonlyMap<number, Link>): Write {
  const { key, op, remoteId, body } = row
  const link = links.get(row.linkId)
  if (op === 'create') return toCreate(row)
  if (remoteId === null) throw new Error(`outbox ${key}: a ${op} without a remote id`)
  const version = link?.version ?? null
  if (op === 'archive') return { op, key, id: remoteId, version }
  if (op === 'consent')
    return { op, key, id: remoteId, state: row.consent === 'in' ? 'in' : 'out', patch: body }
  return { op, key, id: remoteId, version, patch: body, observed: link?.observed ?? {} }
}

export function toCreate(row: NewOutboxRow | OutboxRow): CreateWrite {
  return {
    op: 'create',
    key: row.key,
    recordId: row.recordId,
    body: row.body,
    consent: row.consent ?? 'unknown',
  }
}
