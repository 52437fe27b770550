import type { HubRecord } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { survivorsOf } from '../../store/merges.ts'
import { RaceError } from '../change.ts'

/**
 * For who has just locked records that were looked up before: throws `RaceError` where one of them was merged into
 * another in between, so that what is meant for it is looked up anew. No query where none is archived.
 */
export async function mustStand(q: Query, records: Iterable<HubRecord>): Promise<void> {
  const archived = [...records].filter((record) => record.archived).map((record) => record.id)
  if (archived.length === 0) return
  const merged = await survivorsOf(q, archived)
  if (merged.size > 0) throw new RaceError(`record ${[...merged.keys()].join(', ')} was merged meanwhile`)
}
