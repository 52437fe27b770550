import type { JsonObject } from '../../core/json.ts'
import type { Spared } from '../../core/undo.ts'
import { iso } from '../hub.ts'
import type { RunChange } from '../runs.ts'
import type { UndoLine } from './line.ts'
import type { UndoPlan } from './plan.ts'

const sparedView = ({ at, ...rest }: Spared): JsonObject => ({ ...rest, at: at === null ? null : iso(at) })

/** One record's undo as callers see it. */
export function undoLineView({ spared, fields, remotes, ...line }: UndoLine): JsonObject {
  return {
    ...line,
    fields: fields.map((field) => ({ ...field })),
    spared: spared.map(sparedView),
    remotes: remotes.map((remote) => ({ ...remote })),
  }
}

/** An undo's plan as callers see it. */
export function undoPlanView({ run, samples, merges, remotes, spared, ...plan }: UndoPlan): JsonObject {
  return {
    run: run.id,
    ...plan,
    merges: merges.map((merge) => ({ ...merge })),
    remotes: remotes.map(({ stream, counts, stays }) => ({
      stream,
      counts: Object.fromEntries(Object.entries(counts).map(([what, count]) => [what, count ?? 0])),
      stays: stays.map((one) => ({ ...one })),
    })),
    spared: spared.map(({ samples: some, ...group }) => ({
      ...group,
      samples: some.map((one) => ({ ...one })),
    })),
    samples: samples.map(undoLineView),
  }
}

/** A row of history as callers see it. */
export const changeView = ({ at, ...change }: RunChange): JsonObject => ({ ...change, at: iso(at) })
