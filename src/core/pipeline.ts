import type { Json } from './json.ts'
import type { Fields } from './model.ts'
import type { Pipeline } from './stream.ts'

export type Stage = Pipeline['stages'][number]
export type Place = { readonly pipeline: Pipeline; readonly at: number; readonly stage: Stage }

/**
 * Where a deal stands; undefined where its pipeline or stage is not configured. Case does not count, and a deal that
 * names no pipeline is in the only one.
 */
export function placeOf(fields: Fields, pipelines: readonly Pipeline[]): Place | undefined {
  const named = folded(fields['pipeline'])
  const only = pipelines.length === 1 ? pipelines[0] : undefined
  const pipeline = named === '' ? only : pipelines.find(({ name }) => folded(name) === named)
  const wanted = folded(fields['stage'])
  const at = pipeline?.stages.findIndex(({ name }) => folded(name) === wanted) ?? -1
  const stage = pipeline?.stages[at]
  return pipeline === undefined || stage === undefined ? undefined : { pipeline, at, stage }
}

/** A word as it is told from others: case does not count. */
export const folded = (value: Json | undefined): string =>
  typeof value === 'string' ? value.trim().toLowerCase() : ''
