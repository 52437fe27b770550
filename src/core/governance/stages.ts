import { isEmpty } from '../json.ts'
import type { FieldName, Fields } from '../model.ts'
import { placeOf, type Place } from '../pipeline.ts'
import type { Pipeline } from '../stream.ts'

/** What a next step is: what to do, and until when. */
const NEXT_STEP: readonly FieldName[] = ['nextStep', 'nextStepDue']

/**
 * The fields a deal must have to stand where it stands: what this stage and those before it need on entry, and what
 * those before it need on leaving. A deal that skips stages needs what they would have needed, and one that goes back
 * needs less. A lost deal may be lost anywhere: only its own stage counts.
 */
function stageNeeds({ pipeline, at, stage }: Place): readonly FieldName[] {
  const own = stage.enter ?? []
  if (stage.outcome === 'lost') return own
  const passed = pipeline.stages.slice(0, at).filter(({ outcome }) => outcome === 'open')
  const step = pipeline.nextStep === 'required' && stage.outcome === 'open' ? NEXT_STEP : []
  return [
    ...new Set([...passed.flatMap(({ enter = [], exit = [] }) => [...enter, ...exit]), ...own, ...step]),
  ]
}

export type StageGap = { readonly place: Place; readonly missing: readonly FieldName[] }

/** What a deal lacks where it stands; null where nothing, or where nobody knows the stage. */
export function stageGap(deal: Fields, pipelines: readonly Pipeline[]): StageGap | null {
  const place = placeOf(deal, pipelines)
  if (place === undefined) return null
  const missing = stageNeeds(place).filter((field) => isEmpty(deal[field]))
  return missing.length === 0 ? null : { place, missing }
}
