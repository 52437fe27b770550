import { mergePatches } from '../../core/lens.ts'
import type { Observation } from '../../connectors/connector.ts'
import type { Link } from '../../store/links.ts'
import type { NewOutboxRow } from '../../store/outbox.ts'

/** The answer of a remote that says just what it was told: nothing is sent, and what rests on the write is planned too. */
export function pretend(write: NewOutboxRow, link: Link | undefined): Observation {
  const id = write.remoteId ?? `planned ${write.linkId}`
  if (write.op === 'archive') return { kind: 'absent', id }
  const observed = link?.observed ?? {}
  const body = mergePatches(observed, write.body)
  return { kind: 'present', id, version: link?.version ?? null, modifiedAt: link?.modifiedAt ?? null, body }
}
