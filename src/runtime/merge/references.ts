import type { FieldName, HubRecord, RecordId, Source } from '../../core/model.ts'
import { same } from '../../core/json.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import { noteReferences, notedReferences, REFERENCES, type Reference } from '../../store/merge-moves.ts'
import { loadRecords } from '../../store/records.ts'
import type { Change, Following } from '../change.ts'

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
    for (const name of await turn(following, merge, reference, from, to, by, rule)) woken.add(name)
  }
  return woken
}

/** Those that still name the survivor name the other one again. */
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
    for (const name of await turn(following, merge, reference, survivor, loser, by, rule)) woken.add(name)
  }
  return woken
}

async function turn(
  { q, apply }: Following,
  merge: number,
  reference: Reference,
  from: RecordId,
  to: RecordId,
  by: Source,
  rule: string,
): Promise<ReadonlySet<string>> {
  const { kind, field } = reference
  const woken = new Set<string>()
  for (let after = 0; ; ) {
    const ids = await notedReferences(q, merge, reference, after, CHUNK)
    const last = ids.at(-1)
    if (last === undefined) return woken
    const records = [...(await loadRecords(q, kind, ids, 'lock')).values()]
    const changes = records.flatMap((record) =>
      same(record.fields[field], from) ? [pointed(record, field, to, rule)] : [],
    )
    for (const name of await apply(kind, changes, by)) woken.add(name)
    after = last
  }
}

function pointed(record: HubRecord, field: FieldName, to: RecordId, rule: string): Change {
  return {
    before: record,
    after: { ...record, version: record.version + 1, fields: { ...record.fields, [field]: to } },
    why: { [field]: { value: to, rule } },
    origin: null,
    urgent: false,
  }
}
