import type { JsonObject } from '../../core/json.ts'
import type { HubRecord } from '../../core/model.ts'
import type { MergeResult, UnmergeResult } from './words.ts'

/** What a merge did or would do, for callers. */
export function mergeView(result: Exclude<MergeResult, { kind: 'refused' }>): JsonObject {
  return {
    state: result.kind,
    run: result.run,
    survivor: recordOf(result.survivor),
    fields: result.fields.map((field) => ({
      ...field,
      from: [...field.from],
      lost: field.lost.map((one) => ({ ...one })),
    })),
    carried: result.carried.map((one) => ({ ...one })),
  }
}

export function unmergeView(result: Exclude<UnmergeResult, { kind: 'refused' }>): JsonObject {
  return {
    state: result.kind,
    run: result.run,
    survivor: recordOf(result.survivor),
    restored: recordOf(result.restored),
    carried: result.carried.map((one) => ({ ...one })),
  }
}

const recordOf = ({ id, kind, version, fields, archived }: HubRecord): JsonObject => ({
  id,
  kind,
  version,
  archived,
  fields,
})
