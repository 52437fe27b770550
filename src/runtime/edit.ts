import { refusals } from '../core/governance/refusals.ts'
import { keysOf, STRONG } from '../core/identity.ts'
import type { Json } from '../core/json.ts'
import type { Fields, HubRecord, RecordId, RecordKind, Source } from '../core/model.ts'
import type { HubEdit } from '../core/plan.ts'
import { isErased } from '../core/privacy.ts'
import { normalise, unlisted } from '../mappings/normalise.ts'
import type { Tx } from '../store/database.ts'
import { holders } from '../store/identities.ts'
import { survivorsOf } from '../store/merges.ts'
import { loadRecords, newRecordIds } from '../store/records.ts'
import { wakePush } from '../store/wake.ts'
import { birth, bornRecord, RaceError, type Change } from './change.ts'
import { applyChanges } from './changes.ts'
import { addressesOf, consentOver } from './consent.ts'
import { rulesOf } from './governance/follow.ts'
import type { Hub } from './hub.ts'
import { heldReferences, withLiveReferences } from './merge/load.ts'
import { erasedAddress } from './privacy/tombstones.ts'
import { withRaces } from './races.ts'
import { ending, openRun } from './run.ts'
import { openWorkingSet } from './working-set.ts'

export type Problem = { readonly field: string; readonly message: string }
export type EditResult =
  | { readonly kind: 'saved'; readonly record: HubRecord; readonly changed: boolean }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  /** A strong key belongs to another record. */
  | { readonly kind: 'exists'; readonly id: RecordId; readonly by: string }
  | { readonly kind: 'missing' }
  /** It is part of another record now, which is to be edited instead. */
  | { readonly kind: 'merged'; readonly into: RecordId }
  /** The record has another version than the caller edited. */
  | { readonly kind: 'changed'; readonly version: number }

type Normalised =
  | { readonly kind: 'ok'; readonly fields: Readonly<Record<string, Json>> }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** Values as a person or the API gave them, in normal form; or everything that is wrong with them. */
export function normalised(hub: Hub, kind: RecordKind, given: Readonly<Record<string, Json>>): Normalised {
  const { defaultCountry: country, defaultCurrency: currency } = hub.configuration
  const defaults = { country, currency }
  const fields: Record<string, Json> = {}
  const problems: Problem[] = []
  for (const [field, value] of Object.entries(given)) {
    const result = normalise(kind, field, value, defaults, hub.configuration.governance)
    if (result.kind === 'value') fields[field] = result.value
    else problems.push({ field, message: result.problem })
  }
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'ok', fields }
}

/** What the rules of good data have against an edit. */
function refusedBy(hub: Hub, kind: RecordKind, before: Fields | null, given: Fields): readonly Problem[] {
  const rules = rulesOf(hub)
  return [
    ...unlisted(kind, before, given, rules.governance),
    ...refusals(kind, before, { ...before, ...given }, rules),
  ]
}

/** Who names a merged record means its survivor. */
async function liveReferences(hub: Hub, kind: RecordKind, checked: Normalised): Promise<Normalised> {
  if (checked.kind === 'invalid') return checked
  return { kind: 'ok', fields: await withLiveReferences(hub.session.q, kind, checked.fields) }
}

/** The edits whose values are of records that were merged while the caller waited for its turn. */
async function movedReferences(
  tx: Tx,
  kind: RecordKind,
  edits: Readonly<Record<string, HubEdit>>,
): Promise<Readonly<Record<string, HubEdit>>> {
  const given = Object.fromEntries(Object.entries(edits).map(([field, edit]) => [field, edit.value]))
  const held = await heldReferences(tx, kind, given)
  return Object.fromEntries(
    Object.entries(edits).map(([field, edit]) => [field, { ...edit, value: held[field] ?? null }]),
  )
}

async function missingRefs(
  hub: Hub,
  kind: RecordKind,
  fields: Readonly<Record<string, Json>>,
): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const [field, record] of [
    ['contact', 'contact'],
    ['company', 'company'],
    ['deal', 'deal'],
  ] as const) {
    const id = fields[field]
    if (kind === record || typeof id !== 'number') continue
    if ((await loadRecords(hub.session.q, record, [id])).size === 0) {
      problems.push({
        field,
        message: `${field}: no ${record} has the id ${id}. Fix: give the id of an existing ${record}.`,
      })
    }
  }
  return problems
}

/** Makes a record the way a sync would: validated, matched by key, recorded, then planned outward. */
export async function createRecord(
  hub: Hub,
  kind: RecordKind,
  given: Readonly<Record<string, Json>>,
  source: Source,
): Promise<EditResult> {
  const checked = await liveReferences(hub, kind, normalised(hub, kind, given))
  if (checked.kind === 'invalid') return checked
  const refs = await missingRefs(hub, kind, checked.fields)
  if (refs.length > 0) return { kind: 'invalid', problems: refs }
  const run = openRun(hub, null, 'edit')
  return ending(run, async () => {
    const result = await withRaces(hub, () =>
      hub.session.begin(async (tx): Promise<EditResult> => {
        const keys = keysOf(kind, checked.fields).filter((key) => STRONG[key.kind])
        const erased = kind === 'contact' ? await erasedAddress(hub, tx, checked.fields) : null
        if (erased !== null) return { kind: 'invalid', problems: [erased] }
        const [holder] = await holders(tx, kind, keys)
        if (holder !== undefined) return { kind: 'exists', id: holder.id, by: holder.key.value }
        const refused = refusedBy(hub, kind, null, checked.fields)
        if (refused.length > 0) return { kind: 'invalid', problems: refused }
        const [id] = await newRecordIds(tx, 1)
        if (id === undefined) throw new Error('the sequence gave no id')
        const fields = await heldReferences(tx, kind, checked.fields)
        const record = bornRecord(id, kind, fields, { source, at: hub.clock.now(), rule: 'created' })
        const [consent] = kind === 'contact' ? await consentOver(tx, [addressesOf(record.fields)], []) : []
        const after =
          consent === undefined || consent === 'unknown'
            ? record
            : { ...record, fields: { ...record.fields, emailConsent: consent } }
        const change: Change = { ...birth(after), urgent: consent === 'out' }
        await wakePush(tx, await applyChanges(hub, tx, kind, [change], await run.id(), source))
        return { kind: 'saved', record: after, changed: true }
      }),
    )
    run.count({ created: result.kind === 'saved' ? 1 : 0 })
    return result
  })
}

/** Edits fields of a record. With `version`, only while the record still has it. */
export async function editRecord(
  hub: Hub,
  kind: RecordKind,
  id: RecordId,
  given: Readonly<Record<string, Json>>,
  source: Source,
  options: { readonly version?: number; readonly archived?: boolean; readonly rule?: string } = {},
): Promise<EditResult> {
  const checked = await liveReferences(hub, kind, normalised(hub, kind, given))
  if (checked.kind === 'invalid') return checked
  const refs = await missingRefs(hub, kind, checked.fields)
  if (refs.length > 0) return { kind: 'invalid', problems: refs }
  const run = openRun(hub, null, 'edit')
  const rule = options.rule ?? `edited by ${source}`
  const edits = Object.fromEntries(
    Object.entries(checked.fields).map(([field, value]): [string, HubEdit] => [field, { value, rule }]),
  )
  return ending(run, async () => {
    const result = await withRaces(hub, () =>
      hub.session.begin(async (tx): Promise<EditResult> => {
        // What it names before the record itself: a merge takes them in that order too.
        const moved = await movedReferences(tx, kind, edits)
        const record = (await loadRecords(tx, kind, [id], 'lock')).get(id)
        if (record === undefined || isErased(record)) return { kind: 'missing' }
        const into = record.archived ? (await survivorsOf(tx, [id])).get(id) : undefined
        if (into !== undefined) return { kind: 'merged', into }
        if (options.version !== undefined && options.version !== record.version) {
          return { kind: 'changed', version: record.version }
        }
        const keys = keysOf(kind, checked.fields).filter((key) => STRONG[key.kind])
        const taken = (await holders(tx, kind, keys)).find((holder) => holder.id !== id)
        if (taken !== undefined) return { kind: 'exists', id: taken.id, by: taken.key.value }
        const refused = refusedBy(hub, kind, record.fields, checked.fields)
        if (refused.length > 0) return { kind: 'invalid', problems: refused }
        const set = openWorkingSet()
        set.read([record])
        const how = { source, at: hub.clock.now(), origin: null }
        const changed = set.edit(
          id,
          { ...edits, ...moved },
          options.archived === undefined ? how : { ...how, archived: options.archived },
        )
        if (changed && checked.fields['emails'] !== undefined) {
          const [consent = 'unknown'] = await consentOver(tx, [addressesOf(set.get(id)?.fields ?? {})], [])
          set.edit(
            id,
            { emailConsent: { value: consent, rule: 'known for this address' } },
            { ...how, urgent: consent === 'out' },
          )
        }
        if (changed)
          await wakePush(tx, await applyChanges(hub, tx, kind, set.changes(), await run.id(), source))
        // Somebody else came to hold the key while this waited for it: started over, that is found out.
        const late = changed ? (await holders(tx, kind, keys)).some((holder) => holder.id !== id) : false
        if (late) throw new RaceError('another record came to this key meanwhile')
        return { kind: 'saved', record: set.get(id) ?? record, changed }
      }),
    )
    run.count({ updated: result.kind === 'saved' && result.changed ? 1 : 0 })
    return result
  })
}
