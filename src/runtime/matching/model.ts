import type { MatchedKind } from '../../core/duplicates.ts'
import { DEFAULT_MODELS, forRecords, type Model } from '../../core/match/model.ts'
import { subjectOf } from '../../core/match/traits.ts'
import type { Instant } from '../../core/json.ts'
import type { Database } from '../../store/database.ts'
import { readModel, sizeOf } from '../../store/match-models.ts'
import type { Hub } from '../hub.ts'
import { storedModel } from './stored-model.ts'

type Models = Map<MatchedKind, { readonly at: Instant; readonly model: Model | null }>
/** Read once: it names the commonest values, thousands of them. */
const known = new WeakMap<Database, Models>()

/** What was learned then. */
async function learnedAt({ db, session }: Hub, kind: MatchedKind, at: Instant): Promise<Model | null> {
  const models: Models = known.get(db) ?? new Map()
  known.set(db, models)
  const last = models.get(kind)
  if (last?.at === at) return last.model
  const stored = await readModel(session.q, kind)
  if (stored === null) return null
  const model = storedModel(stored.model)
  models.set(kind, { at: stored.trainedAt, model })
  return model
}

export type CurrentModel = {
  readonly kind: MatchedKind
  readonly model: Model
  /** How many records there are now. */
  readonly records: number
  /** Null: it is the shipped one. */
  readonly trainedAt: Instant | null
}

/** What counts now: learned or shipped, for as many records as there are. */
export async function currentModel(hub: Hub, kind: MatchedKind): Promise<CurrentModel> {
  const { records, trainedAt } = await sizeOf(hub.session.q, kind)
  const learned = trainedAt === null ? null : await learnedAt(hub, kind, trainedAt)
  return learned === null
    ? { kind, records, trainedAt: null, model: forRecords(DEFAULT_MODELS[subjectOf(kind)], records) }
    : { kind, records, trainedAt, model: grown(learned, records) }
}

/** What was learned, for as many records as there are now: of more pairs, the same number are one. */
function grown(model: Model, records: number): Model {
  const factor = Math.max(1, (model.learned?.records ?? records) - 1) / Math.max(1, records - 1)
  return {
    ...model,
    prior: Math.min(0.05, model.prior * factor),
    bonds: model.bonds.map((bond) => ({ ...bond, share: Math.min(0.2, bond.share * factor) })),
  }
}
