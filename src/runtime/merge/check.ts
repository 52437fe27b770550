import type { RecordId } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { clustersOf, isKeptApart, survivorsOf } from '../../store/merges.ts'
import { kindOf, loadRecords } from '../../store/records.ts'
import { refused, type MergeRequest, type Refused } from './words.ts'

/** More than this at once is no merge of a person's doubles. */
const MOST = 100

/** Why records cannot be merged, in words with what to do; null where they can. `lock` holds them from then on. */
export async function refusal(
  q: Query,
  request: MergeRequest,
  lock: 'lock' | 'read' = 'read',
): Promise<Refused | null> {
  const { kind, survivor, losers } = request
  if (losers.length === 0)
    return refused('wrong', `Nothing to merge: name at least one ${kind} beside ${kind} ${survivor}.`)
  if (losers.length > MOST)
    return refused('wrong', `At most ${MOST} records are merged at once, not ${losers.length}.`)
  if (losers.includes(survivor))
    return refused('wrong', `${kind} ${survivor} cannot be merged with itself. Name another ${kind}.`)
  const ids = [...new Set([survivor, ...losers])]
  const records = await loadRecords(q, kind, ids, lock)
  const where = await survivorsOf(q, ids)
  for (const id of ids) {
    const record = records.get(id)
    if (record === undefined) return missing(q, request, id)
    const into = where.get(id)
    if (into !== undefined) {
      const fix = `Merge ${kind} ${into} instead, or undo that first: \`concord unmerge ${kind} ${id}\`.`
      const what = `${kind} ${id} was merged into ${kind} ${into} already.`
      return refused('conflict', into === survivor ? what : `${what} ${fix}`)
    }
    if (record.archived)
      return refused('conflict', `${kind} ${id} is archived. Restore it first, or leave it out.`)
  }
  return request.by.startsWith('rule') ? keptApart(q, request) : null
}

async function missing(q: Query, { kind }: MergeRequest, id: RecordId): Promise<Refused> {
  const other = await kindOf(q, id)
  return other === undefined
    ? refused('missing', `There is no ${kind} ${id}. Give the number of one that exists.`)
    : refused('wrong', `${id} is a ${other}, not a ${kind}. Only two of one kind can be merged.`)
}

/** Of any two members: a rule must not go round a person's word by way of a third record. */
async function keptApart(q: Query, { kind, survivor, losers }: MergeRequest): Promise<Refused | null> {
  const clusters = [...(await clustersOf(q, [survivor, ...losers])).values()]
  const pairs = clusters.flatMap((mine, i) =>
    clusters.slice(i + 1).flatMap((others) => mine.flatMap((a) => others.map((b) => [a, b] as const))),
  )
  const [pair] = await isKeptApart(q, pairs)
  return pair === undefined
    ? null
    : refused(
        'conflict',
        `${kind} ${pair[0]} and ${kind} ${pair[1]} are kept apart: somebody said that they are two.`,
      )
}
