import type { SparedFor } from '../../../src/core/undo.ts'
import { planUndo } from '../../../src/runtime/undo/plan.ts'
import { undoRun } from '../../../src/runtime/undo/undo.ts'
import { exportRows } from '../hub-steps.ts'
import { checkAll } from '../properties.ts'
import type { Run, Violation } from '../run.ts'
import { settle } from '../settle.ts'
import { copyOf, dropStrangers, putRight, spoil, wrongIn, type Rows } from './bad-import.ts'
import { titled } from './edits.ts'
import { consents, differences, inWords, snapshot, type Difference, type Snapshot } from './snapshot.ts'
import { insist, storm } from './storm.ts'

const broken = (message: string): Violation => ({ property: 'Undo', message })

/** A field, or a whole record, that an undo listed as left. */
type Left = { readonly place: string; readonly reason: SparedFor; readonly why: string; readonly run: number }
/** What somebody edited after the bad import, which an undo must not touch. */
type Later = { readonly place: string; readonly value: string; readonly refs: readonly string[] }

/**
 * A bad export is read through faults and crashes, and its runs are taken back: the hub and the systems are what they
 * were, but for what the plans listed and what others edited since. Sometimes the undo is taken back as well.
 */
export async function importAndUndo(run: Run): Promise<readonly Violation[]> {
  const { chance, ground } = run
  const before = await snapshot(run)
  const strict = await consents(run)
  const rows = copyOf(run)
  const mark = await lastRow(run)
  spoil(run)
  const spoiled = copyOf(run)
  if (chance.maybe(0.6)) await storm(run, 4)
  const later: Later[] = []
  if (chance.maybe(0.6)) {
    const restless = [...(await settle(run)), ...(await checkAll(run))]
    if (restless.length > 0) return restless
    if (chance.maybe(0.6)) later.push(...(await editLater(run)))
  }
  const runs = await importRuns(run, mark)
  if (runs.length === 0) return putBack(run, rows, spoiled, before, later)
  const bad = await snapshot(run)
  const first = await undoAll(run, runs)
  if ('wrong' in first) return [first.wrong]
  if (chance.maybe(0.5)) await storm(run, 3)
  const isTwice = later.length === 0 && chance.maybe(0.3)
  if (isTwice) {
    const restless = await settle(run)
    if (restless.length > 0) return restless
    const again = await undoAll(run, first.undos.toReversed())
    if ('wrong' in again) return [again.wrong]
    const found = compared(bad, await snapshot(run), [...first.left, ...again.left], [], 'hub')
    if (found.length > 0) return found.map((one) => broken(`undone and redone: ${inWords(one)}`))
    const third = await undoAll(run, again.undos.toReversed())
    if ('wrong' in third) return [third.wrong]
  }
  const byHand = chance.maybe(0.5)
  if (byHand) {
    putRight(run, rows, spoiled)
    void exportRows(run)
  }
  const restless = await settle(run)
  if (restless.length > 0) return restless
  if (!byHand && ground.source.heed(wrongIn(rows, spoiled)) > 0) {
    const unheard = await settle(run)
    if (unheard.length > 0) return unheard
  }
  const woken = await strangersAlive(run, rows.contacts)
  if (woken.length > 0) return woken
  if (dropStrangers(run, rows) > 0) {
    const unsettled = await settle(run)
    if (unsettled.length > 0) return unsettled
  }
  const looser = [...(await consents(run))].filter(
    ([id, state]) => strict.get(id) === 'out' && state !== 'out',
  )
  const left = first.left
  return [
    ...(await checkAll(run)),
    ...looser.map(([id, state]) => broken(`contact ${id} was out, and is ${state} after an undo`)),
    ...unjustified(left, later),
    ...compared(before, await snapshot(run), left, later, 'all').map((one) =>
      broken(`undone: ${inWords(one)}`),
    ),
    ...(await goneAfterAll(run, later)),
  ].map((one) => ({ ...one, message: `${one.message} (runs ${runs.join(', ')} at ${ground.clock.now})` }))
}

/** Nothing was read of the bad export: it is put right at its source. */
async function putBack(
  run: Run,
  rows: Rows,
  spoiled: Rows,
  before: Snapshot,
  later: readonly Later[],
): Promise<readonly Violation[]> {
  putRight(run, rows, spoiled)
  dropStrangers(run, rows)
  void exportRows(run)
  const restless = await settle(run)
  if (restless.length > 0) return restless
  return compared(before, await snapshot(run), [], later, 'all').map((one) =>
    broken(`never read: ${inWords(one)}`),
  )
}

async function lastRow({ ground }: Run): Promise<number> {
  const [row] = await ground.sql<{ id: number | null }[]>`select max(id) as id from history`
  return row?.id ?? 0
}

/** Runs of the export that changed anything, latest first. */
async function importRuns({ ground }: Run, mark: number): Promise<readonly number[]> {
  const found = await ground.sql<{ id: number }[]>`
    select distinct h.run_id as id from history h join runs r on r.id = h.run_id join streams s on s.id = r.stream_id
    where h.id > ${mark} and s.connection = 'csv' and h.op <> 'keep' and r.kind <> 'push' order by 1 desc`
  return found.map(({ id }) => id)
}

type Undos = { readonly undos: readonly number[]; readonly left: readonly Left[] }

async function undoAll(run: Run, runs: readonly number[]): Promise<Undos | { readonly wrong: Violation }> {
  const left: Left[] = []
  const undos: number[] = []
  for (const id of runs) {
    const planned = await run.work(`plan the undo of run ${id}`, (hub) =>
      planUndo(hub, id, 'user:ann', async (lines) => {
        for await (const { kind, id: record, spared } of lines)
          for (const { field, reason, why } of spared)
            left.push({
              place: `${kind} ${record}${field === null ? '' : ` ${field}`}`,
              reason,
              why,
              run: id,
            })
      }),
    )
    if (planned !== 'died' && planned.kind === 'refused')
      return { wrong: broken(`run ${id} cannot be undone: ${planned.message}`) }
    const done = await insist(run, `undo run ${id}`, (hub) => undoRun(hub, id, 'user:ann'))
    if (done.kind === 'undone') undos.push(done.run)
    else {
      // It died after its last write: who asks again is told so.
      const [row] = await run.ground.sql<{ id: number }[]>`
        select id from runs where undoes = ${id} and state = 'done'`
      if (row === undefined) return { wrong: broken(`run ${id} was not undone: ${done.message}`) }
      undos.push(row.id)
    }
  }
  return { undos, left }
}

/** Somebody corrects something at another system, or in the hub's stead, after all have heard of the bad import. */
async function editLater(run: Run): Promise<readonly Later[]> {
  const { chance, ground, oracle } = run
  const people = await ground.sql<{ id: number; connection: string; ref: string }[]>`
    select l.record_id as id, s.connection, l.remote_id as ref from links l join streams s on s.id = l.stream_id
    join contacts c on c.id = l.record_id
    where s.name in ('members', 'customers') and l.state = 'linked' and c.archived_at is null order by l.id`
  if (people.length === 0) return []
  // Mostly somebody whose title the export has spoilt: that is the field both would have a word on.
  const titles = await ground.sql<{ id: number }[]>`
    select distinct record_id as id from history
    where kind = 'contact' and source = 'csv' and changes::jsonb -> 'jobTitle' ->> 'after' like 'Wrong%'`
  const spoilt = people.filter(({ id }) => titles.some((one) => one.id === id))
  const { id, connection, ref } = chance.pick(spoilt.length > 0 && chance.maybe(0.7) ? spoilt : people)
  const value = oracle.fresh('Title')
  if (!titled(run, connection, ref, value)) return []
  run.note(`${connection} ${ref} jobTitle = ${value} after all`)
  const restless = await settle(run)
  if (restless.length > 0) throw new Error(JSON.stringify(restless))
  const refs = await ground.sql<{ ref: string }[]>`
    select case s.connection when 'csv' then 'csv contacts' else s.connection end || ' ' || l.remote_id as ref
    from links l join streams s on s.id = l.stream_id where l.record_id = ${id} and l.remote_id is not null`
  return [{ place: `contact ${id} jobTitle`, value, refs: refs.map((row) => row.ref) }]
}

/** What was left out for a reason that there is not. */
function unjustified(left: readonly Left[], later: readonly Later[]): readonly Violation[] {
  return left
    .filter(({ place, reason }) => {
      const isEdited = later.some((one) => one.place === place || one.place.startsWith(`${place} `))
      return (reason === 'changed' || reason === 'confirmed' || reason === 'owned') && !isEdited
    })
    .map(({ place, reason, why, run }) =>
      broken(`run ${run} left ${place} (${reason}: ${why}), though nobody else said anything`),
    )
}

async function goneAfterAll(run: Run, later: readonly Later[]): Promise<readonly Violation[]> {
  const now = await snapshot(run)
  return later
    .filter(({ place, value }) => now.get(place) !== JSON.stringify(value))
    .map(({ place, value }) =>
      broken(`${place} was made ${value} after the import, and is ${now.get(place)} after its undo`),
    )
}

/** People whom only the bad import knew are archived, also while their rows are listed. */
async function strangersAlive(
  { ground }: Run,
  known: ReadonlyMap<string, unknown>,
): Promise<readonly Violation[]> {
  const found = await ground.sql<{ id: number; ref: string }[]>`
    select c.id, l.remote_id as ref from links l join streams s on s.id = l.stream_id join contacts c on c.id = l.record_id
    where s.connection = 'csv' and s.name = 'contacts' and l.remote_id is not null and c.archived_at is null`
  return found
    .filter(({ ref }) => ref.startsWith('w') && !known.has(ref))
    .map(({ id, ref }) => broken(`contact ${id} of row ${ref} is there again after its import was undone`))
}

const TITLES = [' job_title', ' JOBTITLE'] as const

function compared(
  before: Snapshot,
  after: Snapshot,
  left: readonly Left[],
  later: readonly Later[],
  where: 'hub' | 'all',
): readonly Difference[] {
  return differences(before, after).filter(({ place, was, is }) => {
    const words = place.split(' ')
    const isHub = ['contact', 'company', 'deal', 'invoice'].includes(words[0] ?? '')
    if (where === 'hub' && !isHub) return false
    const field = place.replace(/ says$/, '')
    if (later.some((one) => one.place === field)) return false
    // A source that was put right says by itself what the undo gave back to somebody.
    if (place.endsWith(' says') && is === 'csv') return false
    if (later.some(({ refs }) => refs.some((ref) => TITLES.some((title) => place === `${ref}${title}`))))
      return false
    if (left.some((one) => one.place === field || field.startsWith(`${one.place} `))) return false
    // People whom only the import knew stay, archived.
    if (was === 'nothing' && /^(contact|deal) \d+ archived$/.test(place) && is === 'true') return false
    return !(was === 'nothing' && /^link csv\/contacts w\d+$/.test(place))
  })
}
