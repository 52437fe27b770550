import type { HubRecord, RecordId, Source } from '../../core/model.ts'
import { ERASED } from '../../core/privacy.ts'
import { loadRecords } from '../../store/records.ts'
import type { Change, Following } from '../change.ts'

/** Leaves of contacts their numbers and their times. Returns the connections that have work now. */
export async function emptied(
  { hub, q, apply }: Following,
  records: readonly RecordId[],
  by: Source,
): Promise<ReadonlySet<string>> {
  const found = await loadRecords(q, 'contact', records, 'lock')
  const at = hub.clock.now()
  const changes = [...found.values()].map((before): Change => {
    const standard = Object.keys(before.fields).filter((field) => !field.startsWith('custom.'))
    const after: HubRecord = {
      ...before,
      version: before.version + 1,
      fields: Object.fromEntries(standard.map((field) => [field, null])),
      provenance: { '*': { source: by, at, rule: ERASED } },
      archived: true,
    }
    return { before, after, why: {}, origin: null, urgent: false, isRecomputed: true }
  })
  return apply('contact', changes, by)
}
