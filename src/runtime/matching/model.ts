import type { MatchedKind } from '../../core/duplicates.ts'
import type { Model } from '../../core/match/model.ts'
import type { Instant } from '../../core/json.ts'
import type { Database } from '../../store/database.ts'
import { readModel, trainedAt } from '../../store/match-models.ts'
import type { Hub } from '../hub.ts'

type Models = Map<MatchedKind, { readonly at: Instant; readonly model: Model }>
/** Read once: it names the commonest values, thousands of them. */
const known = new WeakMap<Database, Models>()

/** What was learned from this hub's records; null where there are too few, or nothing was learned yet. */
export async function modelOf({ db, session }: Hub, kind: MatchedKind): Promise<Model | null> {
  const at = await trainedAt(session.q, kind)
  if (at === null) return null
  const models: Models = known.get(db) ?? new Map()
  known.set(db, models)
  const last = models.get(kind)
  if (last?.at === at) return last.model
  const stored = await readModel(session.q, kind)
  if (stored === null) return null
  // Written by `train` and by nothing else.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const model = stored.model as unknown as Model
  models.set(kind, { at: stored.trainedAt, model })
  return model
}
