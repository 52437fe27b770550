import { isMatched } from '../../core/duplicates.ts'
import { same } from '../../core/json.ts'
import type { RecordKind } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { closeDuplicatesOf } from '../../store/inbox.ts'
import { forgetMatching, queueMatching, RECOGNISED_BY } from '../../store/matching.ts'
import type { Change } from '../change.ts'

/**
 * Has what is new, restored or changed in who it is compared with the others at the next match step, and what is
 * archived forgotten, with the questions about it.
 */
export async function followIdentity(
  q: Query,
  kind: RecordKind,
  changes: readonly Change[],
  at: number,
): Promise<void> {
  if (!isMatched(kind)) return
  const isOther = ({ before, after }: Change) =>
    before === null ||
    before.archived ||
    RECOGNISED_BY[kind].some((field) => !same(before.fields[field] ?? null, after.fields[field] ?? null))
  const present = changes.filter((c) => !c.after.archived && isOther(c))
  await queueMatching(
    q,
    kind,
    present.map((c) => c.after.id),
  )
  const gone = changes.filter((c) => c.after.archived && c.before?.archived === false)
  await forgetMatching(
    q,
    kind,
    gone.map((c) => c.after.id),
  )
  const why = (change: Change) => change.why['archived']?.rule ?? `${kind} ${change.after.id} is archived`
  await closeDuplicatesOf(
    q,
    gone.map((c) => ({ id: c.after.id, why: why(c) })),
    at,
  )
}
