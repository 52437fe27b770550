import type { HubRecord, RecordId } from '../../core/model.ts'
import { isErased } from '../../core/privacy.ts'
import type { Query } from '../../store/database.ts'
import { holdNamed, survivorsOf } from '../../store/merges.ts'
import { RaceError } from '../change.ts'

/**
 * For who has just locked records that were looked up before: throws `RaceError` where one of them was merged into
 * another in between, or erased, so that what is meant for it is looked up anew. No query where none is archived.
 */
export async function mustStand(q: Query, records: Iterable<HubRecord>): Promise<void> {
  const gone = [...records].filter((record) => record.archived)
  if (gone.some(isErased)) throw new RaceError('a record was erased meanwhile')
  const archived = gone.map((record) => record.id)
  await mustBeOne(q, archived)
}

/**
 * For who is about to write the names of contacts and companies that were looked up without a lock: holds them, as a
 * merge that has looked for its references already would miss these. Throws `RaceError` where one of them was merged in
 * between. One statement, and one more where one of them is archived.
 */
export async function mustStayNamed(q: Query, named: readonly RecordId[]): Promise<void> {
  await mustBeOne(q, await holdNamed(q, named))
}

async function mustBeOne(q: Query, archived: readonly RecordId[]): Promise<void> {
  if (archived.length === 0) return
  const merged = await survivorsOf(q, archived)
  if (merged.size > 0) throw new RaceError(`record ${[...merged.keys()].join(', ')} was merged meanwhile`)
}
