import type { RecordKind } from '../../core/model.ts'
import { touchedBy, type Touched } from '../../store/run-changes.ts'
import type { Hub } from '../hub.ts'
import { decideChunk } from './decide.ts'
import { KINDS_IN_ORDER, type Undoing } from './draft.ts'
import type { UndoLine } from './line.ts'

/** Records taken back in one transaction. */
const CHUNK = 500
/** Ids read at once: finding them takes a pass over all that the run wrote. */
const READ = 20_000

/** A run's records in chunks, by rising id. */
export async function* touchedChunks(hub: Hub, run: number): AsyncGenerator<readonly Touched[]> {
  for (let after = 0; ; ) {
    const found = await touchedBy(hub.db.sql, run, after, READ)
    const last = found.at(-1)
    if (last === undefined) return
    for (let i = 0; i < found.length; i += CHUNK) yield found.slice(i, i + CHUNK)
    after = last.id
  }
}

/** What an undo comes to, record by record, as things stand now. Writes nothing; memory does not grow with the run. */
export async function* undoLines(hub: Hub, work: Undoing): AsyncGenerator<UndoLine> {
  const pulled = new Set<number>()
  for await (const chunk of touchedChunks(hub, work.run.id)) {
    const mine = chunk.filter(({ id }) => !pulled.has(id))
    const known = new Set(mine.map(({ id }) => id))
    for (const { line } of await decideChunk(hub, hub.db.sql, work, mine, 'read')) {
      // A record of a later chunk that gives a key back to one of this chunk goes with it.
      if (!known.has(line.id)) pulled.add(line.id)
      yield line
    }
  }
}

/** Invoices go before their deals: what was never issued must not look like one issued for another sum. */
export const inOrder = <T extends { readonly kind: RecordKind }>(items: readonly T[]): readonly T[] =>
  items.toSorted((a, b) => KINDS_IN_ORDER.indexOf(a.kind) - KINDS_IN_ORDER.indexOf(b.kind))
