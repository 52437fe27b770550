import { strictest, type ConsentState } from '../../core/consent.ts'
import { same } from '../../core/json.ts'
import { RECORD_KINDS, type HubRecord, type RecordId } from '../../core/model.ts'
import { undoRecord } from '../../core/undo.ts'
import type { Query } from '../../store/database.ts'
import { loadLinks, type Link } from '../../store/links.ts'
import { loadRecords } from '../../store/records.ts'
import {
  archivedByHub,
  historySince,
  linkIdsOf,
  messagesOn,
  touchedAmong,
  type Touched,
} from '../../store/run-changes.ts'
import { addressesOf, consentOf, consentOver } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { titleOf } from '../title.ts'
import { changeOf, isIdle, outcomeOf, spared, type Draft, type Undoing } from './draft.ts'
import type { Decided, UndoLine } from './line.ts'
import { withoutNeeded, withoutTakenKeys } from './obstacles.ts'
import { effectsOf, withoutOwned } from './remotes.ts'

/** Clocks of two machines may differ by as much. */
const SKEW_MS = 3_600_000

/**
 * Works out the undo of some of a run's records, with a number of statements that does not depend on how many they are.
 * With `lock` the records are held until the transaction ends. Records that the undo has done already are left out.
 */
export async function decideChunk(
  hub: Hub,
  q: Query,
  work: Undoing,
  touched: readonly Touched[],
  lock: 'lock' | 'read',
): Promise<readonly Decided[]> {
  const first = await draftsOf(q, work, touched, lock)
  const links = await linksByRecord(q, first)
  const free = await withoutNeeded(hub, q, work, first, links)
  const checked = await withoutTakenKeys(q, free)
  if (checked.elsewhere.length > 0) {
    // Perhaps the run gave the key to them: then both go back together.
    const known = new Set(touched.map(({ id }) => id))
    const more = (await touchedAmong(q, work.run.id, checked.elsewhere)).filter(({ id }) => !known.has(id))
    if (more.length > 0) return decideChunk(hub, q, work, [...touched, ...more], lock)
  }
  const drafts = await withoutOwned(hub, q, checked.drafts, links)
  const restored = drafts.filter((d) => d.undo.archived === false).map((d) => d.record.id)
  const revived = new Set(await archivedByHub(q, restored))
  const consents = await consentsAfter(q, drafts)
  const effects = await effectsOf(hub, q, drafts, links, revived)
  const messages = await messagesOn(
    q,
    drafts.filter((d) => d.undo.archived === true && d.record.kind === 'contact').map((d) => d.record.id),
  )
  return drafts.map((draft): Decided => {
    const { record } = draft
    const reverted = outcomeOf(draft)
    const consent = consents.get(record.id)
    const after =
      consent === undefined ? reverted : withConsent(reverted, consent.state, work, hub.clock.now())
    const { remotes = [], allow = [] } = isIdle(draft) ? {} : (effects.get(record.id) ?? {})
    const change = isIdle(draft) ? null : changeOf(draft, after, work.run.id)
    const notes = [
      ...(consent?.note === undefined ? [] : [spared('consent', 'emailConsent', consent.note)]),
      ...messagesNote(messages.get(record.id) ?? 0),
    ]
    return {
      line: lineOf(draft, after, [...draft.undo.spared, ...notes], remotes),
      change: change === null ? null : { ...change, urgent: consent?.state === 'out' },
      revive: (links.get(record.id) ?? []).flatMap((link) => (revived.has(link.id) ? [link.id] : [])),
      allow,
    }
  })
}

async function draftsOf(
  q: Query,
  { run, undoRun }: Undoing,
  touched: readonly Touched[],
  lock: 'lock' | 'read',
): Promise<readonly Draft[]> {
  const records = new Map<RecordId, HubRecord>()
  for (const kind of RECORD_KINDS) {
    const ids = touched.filter((one) => one.kind === kind).map(({ id }) => id)
    for (const [id, record] of await loadRecords(q, kind, ids, lock)) records.set(id, record)
  }
  const history = await historySince(q, [...records.keys()], run.startedAt - SKEW_MS)
  return [...records.values()].flatMap((record): Draft[] => {
    const rows = history.get(record.id) ?? []
    const created = rows.some((row) => row.run === run.id && row.op === 'create')
    const draft: Draft = { record, created, undo: undoRecord(record, rows, run.id) }
    // An undo that goes on has done this one already.
    const isDone = undoRun !== null && isIdle(draft) && rows.some((row) => row.run === undoRun)
    return isDone ? [] : [draft]
  })
}

async function linksByRecord(
  q: Query,
  drafts: readonly Draft[],
): Promise<ReadonlyMap<RecordId, readonly Link[]>> {
  const ids = drafts
    .filter((draft) => !isIdle(draft) || draft.record.kind === 'invoice')
    .map(({ record }) => record.id)
  const links = await loadLinks(q, await linkIdsOf(q, ids))
  return Map.groupBy(links, (link) => link.recordId)
}

type ConsentAfter = { readonly state: ConsentState; readonly note?: string }
const LOOSEST_FIRST: readonly ConsentState[] = ['in', 'unknown', 'pending', 'out']

/** People whose addresses change: what the ledger says of the ones they have then, never looser than it was. */
async function consentsAfter(
  q: Query,
  drafts: readonly Draft[],
): Promise<ReadonlyMap<RecordId, ConsentAfter>> {
  const people = drafts
    .filter((draft) => draft.record.kind === 'contact' && !isIdle(draft))
    .map((draft) => ({ before: draft.record, after: outcomeOf(draft) }))
    .filter(
      ({ before, after }) =>
        !after.archived && (before.archived || !same(before.fields['emails'], after.fields['emails'])),
    )
  if (people.length === 0) return new Map()
  const states = await consentOver(
    q,
    people.map(({ after }) => addressesOf(after.fields)),
    [],
  )
  return new Map(
    people.flatMap(({ before, after }, i): (readonly [RecordId, ConsentAfter])[] => {
      const [now, ledger = 'unknown'] = [consentOf(before.fields), states[i]]
      if (now === ledger) return []
      const isLooser = LOOSEST_FIRST.indexOf(ledger) < LOOSEST_FIRST.indexOf(now)
      const note = `stays ${now}: an undo makes nobody's consent looser, though the ledger says ${ledger} of the addresses left`
      return [[after.id, isLooser ? { state: now, note } : { state: strictest([now, ledger]) }]]
    }),
  )
}

function withConsent(record: HubRecord, state: ConsentState, { run, by }: Undoing, at: number): HubRecord {
  if (state === consentOf(record.fields)) return record
  return {
    ...record,
    fields: { ...record.fields, emailConsent: state },
    provenance: {
      ...record.provenance,
      emailConsent: { source: by, at, rule: `undo of run ${run.id}` },
    },
  }
}

const messagesNote = (count: number) =>
  count === 0
    ? []
    : [
        spared(
          'message',
          null,
          `${count} ${count === 1 ? 'message was' : 'messages were'} logged with it and ${count === 1 ? 'stays' : 'stay'}; \`concord mail remove\` erases one`,
        ),
      ]

function lineOf(
  { record, undo }: Draft,
  after: HubRecord,
  left: UndoLine['spared'],
  remotes: UndoLine['remotes'],
): UndoLine {
  const fields = Object.entries(undo.fields).map(([field, { value }]) => ({
    field,
    from: record.fields[field] ?? null,
    to: value,
  }))
  const op =
    undo.archived === true
      ? 'archive'
      : undo.archived === false
        ? 'restore'
        : fields.length > 0
          ? 'update'
          : 'none'
  return {
    kind: record.kind,
    id: record.id,
    title: titleOf(undo.archived === true ? record : after),
    op,
    fields,
    spared: left,
    remotes,
  }
}
