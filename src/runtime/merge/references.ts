import type { FieldName, HubRecord, RecordId, Source } from '../../core/model.ts'
import { same } from '../../core/json.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import { noteReferences, notedReferences, REFERENCES, type Reference } from '../../store/merge-moves.ts'
import { loadRecords } from '../../store/records.ts'
import { mergedRoots } from '../../store/facets.ts'
import type { Change, Following } from '../change.ts'
import { workOutAgain } from './again.ts'

const CHUNK = 500

/** Records that name a merged one name its survivor now. Whose word it was stays: only the record has moved. */
export async function moveReferences(
  following: Following,
  kind: MergedKind,
  merge: number,
  from: RecordId,
  to: RecordId,
  by: Source,
): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  for (const reference of REFERENCES[kind]) {
    if ((await noteReferences(following.q, merge, reference, from)) === 0) continue
    const rule = `${kind} ${from} was merged into ${kind} ${to}`
    const move = (ids: readonly RecordId[]) => point(following, reference, ids, from, to, by, rule)
    for (const name of await eachNoted(following, merge, reference, move)) woken.add(name)
  }
  return woken
}

/**
 * Those that still name the survivor name the other one again. Merged contacts name whom their members do: the name of
 * the survivor may be another member's own word by now.
 */
export async function returnReferences(
  following: Following,
  kind: MergedKind,
  merge: number,
  loser: RecordId,
  survivor: RecordId,
  by: Source,
): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  for (const reference of REFERENCES[kind]) {
    const rule = `${kind} ${loser} is no longer merged into ${kind} ${survivor}`
    const back = async (ids: readonly RecordId[]) => {
      if (reference.kind !== 'contact') return point(following, reference, ids, survivor, loser, by, rule)
      await loadRecords(following.q, 'contact', ids, 'lock')
      const merged = await mergedRoots(following.q, ids)
      const single = ids.filter((id) => !merged.has(id))
      const again = await workOutAgain(following, 'contact', [...merged], by, rule)
      return again.woken.union(await point(following, reference, single, survivor, loser, by, rule))
    }
    for (const name of await eachNoted(following, merge, reference, back)) woken.add(name)
  }
  return woken
}

/** Activities of messages that have nothing to do with the survivor any more. */
export async function returnActivities(
  following: Following,
  ids: readonly RecordId[],
  loser: RecordId,
  survivor: RecordId,
  by: Source,
): Promise<ReadonlySet<string>> {
  const rule = `contact ${loser} is no longer merged into contact ${survivor}: its own address`
  const woken = new Set<string>()
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK)
    for (const name of await point(following, OF_ACTIVITIES, chunk, survivor, loser, by, rule))
      woken.add(name)
  }
  return woken
}

const OF_ACTIVITIES = { kind: 'activity', field: 'contact' } as const

/** Those of the records that name `from` name `to`. */
async function point(
  { q, apply }: Following,
  { kind, field }: Pick<Reference, 'kind' | 'field'>,
  ids: readonly RecordId[],
  from: RecordId,
  to: RecordId,
  by: Source,
  rule: string,
): Promise<ReadonlySet<string>> {
  const records = [...(await loadRecords(q, kind, ids, 'lock')).values()]
  const changes = records.flatMap((record) =>
    same(record.fields[field], from) ? [pointed(record, field, to, rule)] : [],
  )
  return apply(kind, changes, by)
}

async function eachNoted(
  { q }: Following,
  merge: number,
  reference: Reference,
  work: (ids: readonly RecordId[]) => Promise<ReadonlySet<string>>,
): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  for (let after = 0; ; ) {
    const ids = await notedReferences(q, merge, reference, after, CHUNK)
    const last = ids.at(-1)
    if (last === undefined) return woken
    for (const name of await work(ids)) woken.add(name)
    after = last
  }
}

/** Nobody has edited it: members of merged contacts go on naming whom they named. */
function pointed(record: HubRecord, field: FieldName, to: RecordId, rule: string): Change {
  return {
    before: record,
    after: { ...record, version: record.version + 1, fields: { ...record.fields, [field]: to } },
    why: { [field]: { value: to, rule } },
    origin: null,
    urgent: false,
    isRecomputed: true,
  }
}
