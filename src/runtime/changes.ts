import { keysOf, type Key } from '../core/identity.ts'
import { same, type JsonObject } from '../core/json.ts'
import type { FieldName, HubRecord, RecordKind, Source } from '../core/model.ts'
import type { Query } from '../store/database.ts'
import { appendHistory, type HistoryRow } from '../store/history.ts'
import { claim, release, type Holding, type Refused } from '../store/identities.ts'
import { closeUnshared, openItems, type NewItem } from '../store/inbox.ts'
import { wakeLinks } from '../store/links.ts'
import { insertRecords, updateRecords } from '../store/records.ts'
import { RaceError, shows, type Change, type Following, type Muted } from './change.ts'
import { duplicateItem } from './duplicates.ts'
import { creatingStreams, type Hub } from './hub.ts'
import { inTurn } from './in-turn.ts'
import { followIdentity } from './matching/follow.ts'
import { keepFacets } from './merge/facets.ts'
import { ruleLines } from './plan/lines.ts'
import { followRules } from './rules.ts'

/**
 * The one way records are written: records, history, keys, wake-ups and the rules that follow, in the caller's
 * transaction, with a constant number of statements. All changes are of one kind, one a record.
 * `muted`: see `Following`. Returns the connections that have work now. Throws `RaceError`.
 */
export async function applyChanges(
  hub: Hub,
  q: Query,
  kind: RecordKind,
  changes: readonly Change[],
  run: number | null,
  source: Source,
  muted: Muted = false,
): Promise<ReadonlySet<string>> {
  if (changes.length === 0) return new Set()
  const at = hub.clock.now()
  const born = changes.filter((c) => c.before === null)
  const changed = changes.filter((c) => c.before !== null)
  const shown = changes.filter(shows)
  const [, written, , refused] = await inTurn(
    () =>
      insertRecords(
        q,
        kind,
        born.map((c) => c.after),
        at,
      ),
    () =>
      updateRecords(
        q,
        kind,
        changed.map((c) => c.after),
        at,
      ),
    () =>
      appendHistory(
        q,
        shown.map((c) => historyRow(kind, c, source)),
        run,
        at,
      ),
    () => swapKeys(q, kind, changes, at),
    () => followIdentity(q, kind, changes, at),
  )
  if (written.size !== changed.length) throw new RaceError('a record changed meanwhile')
  await keepFacets(q, kind, changed)
  const bornIds = new Set(born.map((c) => c.after.id))
  if (refused.some((claimed) => bornIds.has(claimed.id)))
    throw new RaceError('a record with this key was made meanwhile')
  await openItems(
    q,
    refused.map((claimed) => takenItem(kind, claimed)),
    at,
  )
  if (hub.planning !== null && source.startsWith('rule:'))
    hub.planning.draft(ruleLines(hub.planning, shown, source))
  const woken = await wakeLinks(
    q,
    shown.map((c) => ({
      recordId: c.after.id,
      origin: c.origin,
      urgent: c.urgent,
      // Its links are those of this page, and were planned for what it was born with.
      isNew: c.before === null && c.origin !== null,
      isArchived: c.after.archived,
    })),
    creatingStreams(hub, kind),
  )
  const more = await followRules(following(hub, q, run, muted), kind, shown)
  return new Set([...woken, ...more])
}

/** The transaction and run of changes, for the rules that follow from them. */
export const following = (hub: Hub, q: Query, run: number | null, muted: Muted = false): Following => ({
  hub,
  q,
  run,
  muted,
  apply: (kind, changes, source) => applyChanges(hub, q, kind, changes, run, source, muted),
})

function historyRow(kind: RecordKind, change: Change, source: Source): HistoryRow {
  const { before, after } = change
  if (before === null) {
    return { recordId: after.id, kind, op: 'create', version: 1, source, changes: after.fields }
  }
  const changes: Record<string, JsonObject> = {}
  for (const [field, value] of Object.entries(after.fields)) {
    const was = before.fields[field] ?? null
    if (same(was, value)) continue
    const why = change.why[field]
    changes[field] = {
      before: was,
      after: value,
      rule: why?.rule ?? 'edit',
      ...(why?.lost === undefined ? {} : { lost: { source: why.lost.source, value: why.lost.value } }),
      ...wordsOf(field, before, after, source),
    }
  }
  // Why a record was archived or came back is told where something other than an edit did it.
  const turned = change.why['archived']
  if (turned !== undefined && before.archived !== after.archived)
    changes['archived'] = { before: before.archived, after: after.archived, rule: turned.rule }
  const op = before.archived === after.archived ? 'update' : after.archived ? 'archive' : 'restore'
  return { recordId: after.id, kind, op, version: after.version, source, changes }
}

/** Whose word the value was, and whose it is now where that is not the writer's: an undo gives it back with the value. */
function wordsOf(field: FieldName, before: HubRecord, after: HubRecord, source: Source): JsonObject {
  const [was, says] = [before.provenance[field], after.provenance[field]?.source]
  return {
    ...(was === undefined ? {} : { was: { ...was } }),
    ...(says === undefined || says === source ? {} : { says }),
  }
}

async function swapKeys(
  q: Query,
  kind: RecordKind,
  changes: readonly Change[],
  at: number,
): Promise<readonly Refused[]> {
  const gone: Holding[] = []
  const won: Holding[] = []
  for (const { before, after } of changes) {
    const old = before === null || before.archived ? [] : keysOf(kind, before.fields)
    const now = after.archived ? [] : keysOf(kind, after.fields)
    const missing = (from: readonly Key[], key: Key) =>
      !from.some((k) => k.kind === key.kind && k.value === key.value)
    for (const key of old) if (missing(now, key)) gone.push({ key, id: after.id })
    for (const key of now) if (missing(old, key)) won.push({ key, id: after.id })
  }
  await release(q, gone)
  await closeUnshared(q, gone, at)
  return claim(q, won)
}

function takenItem(kind: RecordKind, { key, id, owner }: Refused): NewItem {
  return duplicateItem(kind, [id, owner], {
    title: `${key.value} stands on ${kind} ${id} too, but belongs to ${kind} ${owner}`,
    evidence: `the same ${key.kind}: ${key.value}`,
    by: key.value,
  })
}
