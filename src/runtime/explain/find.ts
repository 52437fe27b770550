import type { RecordId, RecordKind } from '../../core/model.ts'
import { calledSo } from '../../store/explain.ts'
import { listStreams } from '../../store/streams.ts'
import type { Hub } from '../hub.ts'

export type Candidate = { readonly id: RecordId; readonly title: string }

/** The records of a kind that a text may mean: its id, one of its keys, its id at a vendor, or its whole name. */
export async function recordsCalled(hub: Hub, kind: RecordKind, text: string): Promise<readonly Candidate[]> {
  const q = hub.db.sql
  const wanted = text.trim()
  const id = /^\d{1,15}$/.test(wanted) ? Number(wanted) : -1
  // Of streams that are not configured any more, too: links outlive them.
  const streams = (await listStreams(q)).map((stream) => stream.id)
  const found = await calledSo(q, kind, wanted, id, streams)
  const best = found[0]?.rank
  return found.filter((row) => row.rank === best).map((row) => ({ id: row.id, title: row.title }))
}
