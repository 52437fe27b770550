import { createHash } from 'node:crypto'
import { chosen, findingsOf } from '../../core/governance/findings.ts'
import { GOVERNED_KINDS, type GovernedKind } from '../../core/governance/rules.ts'
import { same } from '../../core/json.ts'
import { provenanceOf, type FieldName, type HubRecord, type RecordId } from '../../core/model.ts'
import { distinctValues, recordsWith, type Sought } from '../../store/field-values.ts'
import { noteRules, recordsFound, rulesFingerprint, writeFindings } from '../../store/findings.ts'
import { loadRecords } from '../../store/records.ts'
import { wakePush } from '../../store/wake.ts'
import type { Change } from '../change.ts'
import { applyChanges } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { ending, openRun, type RunLog } from '../run.ts'
import { rowsOf, rulesOf } from './follow.ts'
import { refreshStanding } from './standing.ts'

const BATCH = 500
/** More different values than this have no field with a list; the others are met when they are next changed. */
const MOST_VALUES = 10_000
const SOURCE = 'rule:picklists'

export type Reviewed = { readonly rules: 'new' | 'known'; readonly tidied: number }

/**
 * Brings records up to the rules where those are new: values become those of the picklists, and what is lacking is
 * found. `daily` looks again even where the rules are known, and heals what a crash left. Bounded in memory.
 */
export async function reviewRecords(hub: Hub, when: 'changed' | 'daily' = 'changed'): Promise<Reviewed> {
  const fingerprint = fingerprintOf(hub)
  const known = await rulesFingerprint(hub.session.q)
  const isNew = known !== fingerprint
  if (!isNew && when === 'changed') return { rules: 'known', tidied: 0 }
  const run = openRun(hub, null, 'edit')
  let tidied = 0
  await ending(run, async () => {
    for (const kind of GOVERNED_KINDS) {
      const done = await tidyKind(hub, kind, run)
      tidied += done
      run.count({ updated: done })
      await findAgain(hub, kind)
      await refreshStanding(hub, kind, isNew)
    }
    await noteRules(hub.session.q, fingerprint, hub.clock.now())
  })
  return { rules: isNew ? 'new' : 'known', tidied }
}

const fingerprintOf = (hub: Hub): string => {
  const { governance, pipelines } = rulesOf(hub)
  const { picklists, required } = governance
  return createHash('sha256').update(JSON.stringify({ picklists, required, pipelines })).digest('hex')
}

/** Values that are listed under another word now. Whose word they are stays. */
async function tidyKind(hub: Hub, kind: GovernedKind, run: RunLog): Promise<number> {
  const { governance } = hub.configuration
  let tidied = 0
  for (const chooser of governance.choosers.values()) {
    const { record, field } = chooser.list
    if (record !== kind) continue
    const values = (await distinctValues(hub.session.q, kind, field, MOST_VALUES)).filter(
      (value) => chooser.choose(value).value !== value,
    )
    if (values.length === 0) continue
    const sought: Sought = { empty: [], holding: [{ field, values }] }
    await eachPage(
      (after) => recordsWith(hub.session.q, kind, sought, after, BATCH),
      async (ids) => {
        tidied += await withRaces(hub, () =>
          hub.session.begin(async (tx) => {
            const records = [...(await loadRecords(tx, kind, ids, 'lock')).values()]
            const changes = records.flatMap((one) =>
              tidyChange(one, field, chosen(chooser, one.fields[field] ?? null)),
            )
            // What was called otherwise until now did not happen now: another word for "Won" bills nothing.
            const woken = await applyChanges(hub, tx, kind, changes, await run.id(), SOURCE, true)
            await wakePush(tx, woken)
            return changes.length
          }),
        )
      },
    )
  }
  return tidied
}

function tidyChange(
  before: HubRecord,
  field: FieldName,
  value: HubRecord['fields'][string],
): readonly Change[] {
  if (before.archived || same(before.fields[field] ?? null, value)) return []
  const rule = 'as the picklist has it'
  const from = provenanceOf(before, field)
  const after: HubRecord = {
    ...before,
    version: before.version + 1,
    fields: { ...before.fields, [field]: value },
    provenance: from === undefined ? before.provenance : { ...before.provenance, [field]: { ...from, rule } },
  }
  return [{ before, after, why: { [field]: { value, rule } }, origin: null, urgent: false }]
}

/** What records lack, from the records themselves: those that may lack something, then those that were said to. */
async function findAgain(hub: Hub, kind: GovernedKind): Promise<void> {
  const { governance, pipelines } = rulesOf(hub)
  const unknown = [...governance.choosers.values()].filter(
    ({ list }) => list.record === kind && list.unknown === 'inbox',
  )
  const holding: { field: FieldName; values: readonly string[] }[] = []
  for (const { list, choose } of unknown) {
    const values = await distinctValues(hub.session.q, kind, list.field, MOST_VALUES)
    const strange = values.filter((value) => choose(value).kind === 'unknown')
    if (strange.length > 0) holding.push({ field: list.field, values: strange })
  }
  const hasStages = pipelines.some(
    ({ nextStep, stages }) =>
      nextStep === 'required' || stages.some(({ enter = [], exit = [] }) => enter.length + exit.length > 0),
  )
  const all = kind === 'deal' && hasStages
  const sought: Sought = { empty: governance.required[kind], holding, all }
  const { q } = hub.session
  await eachPage(
    (after) => recordsWith(q, kind, sought, after, BATCH),
    (ids) => findIn(hub, kind, ids),
  )
  await eachPage(
    (after) => recordsFound(q, kind, after, BATCH),
    (ids) => findIn(hub, kind, ids),
  )
}

async function findIn(hub: Hub, kind: GovernedKind, ids: readonly RecordId[]): Promise<void> {
  const rules = rulesOf(hub)
  await withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      const records = [...(await loadRecords(tx, kind, ids, 'lock')).values()]
      const rows = records.flatMap((record) => rowsOf({ record, after: findingsOf(kind, record, rules) }))
      await writeFindings(tx, kind, ids, rows)
    }),
  )
}

async function eachPage(
  page: (after: RecordId) => Promise<readonly RecordId[]>,
  work: (ids: readonly RecordId[]) => Promise<unknown>,
): Promise<void> {
  for (let after = 0; ; ) {
    const ids = await page(after)
    const last = ids.at(-1)
    if (last === undefined) return
    await work(ids)
    after = last
  }
}
