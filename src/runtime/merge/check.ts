import type { RecordId } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { clustersOf, isKeptApart, survivorsOf } from '../../store/merges.ts'
import { kindOf, loadRecords } from '../../store/records.ts'
import type { MergeRequest } from './words.ts'

/** More than this at once is no merge of a person's doubles. */
const MOST = 100

/** Why records cannot be merged, in words with what to do; null where they can. `lock` holds them from then on. */
export async function refusal(
  q: Query,
  request: MergeRequest,
  lock: 'lock' | 'read' = 'read',
): Promise<string | null> {
  const { kind, survivor, losers } = request
  if (losers.length === 0) return `Nothing to merge: name at least one ${kind} beside ${kind} ${survivor}.`
  if (losers.length > MOST) return `At most ${MOST} records are merged at once, not ${losers.length}.`
  if (losers.includes(survivor))
    return `${kind} ${survivor} cannot be merged with itself. Name another ${kind}.`
  const ids = [...new Set([survivor, ...losers])]
  const records = await loadRecords(q, kind, ids, lock)
  const where = await survivorsOf(q, ids)
  for (const id of ids) {
    const record = records.get(id)
    if (record === undefined) return missing(q, request, id)
    const into = where.get(id)
    if (into !== undefined)
      return into === survivor
        ? `${kind} ${id} was merged into ${kind} ${into} already.`
        : `${kind} ${id} was merged into ${kind} ${into} already. Merge ${kind} ${into} instead, or undo that first: \`concord unmerge ${kind} ${id}\`.`
    if (record.archived) return `${kind} ${id} is archived. Restore it first, or leave it out.`
  }
  return request.by.startsWith('rule') ? keptApart(q, request) : null
}

async function missing(q: Query, { kind }: MergeRequest, id: RecordId): Promise<string> {
  const other = await kindOf(q, id)
  return other === undefined
    ? `There is no ${kind} ${id}. Give the number of one that exists.`
    : `${id} is a ${other}, not a ${kind}. Only two of one kind can be merged.`
}

/** Of any two members: a rule must not go round a person's word by way of a third record. */
async function keptApart(q: Query, { kind, survivor, losers }: MergeRequest): Promise<string | null> {
  const clusters = [...(await clustersOf(q, [survivor, ...losers])).values()]
  const pairs = clusters.flatMap((mine, i) =>
    clusters.slice(i + 1).flatMap((others) => mine.flatMap((a) => others.map((b) => [a, b] as const))),
  )
  const [pair] = await isKeptApart(q, pairs)
  return pair === undefined
    ? null
    : `${kind}s ${pair[0]} and ${pair[1]} are kept apart: somebody said that they are two.`
}
