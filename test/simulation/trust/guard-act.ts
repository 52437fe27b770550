import { approve, reject } from '../../../src/runtime/inbox/mass-change.ts'
import { syncAll } from '../../../src/runtime/cycle.ts'
import { heldPage, type HeldRow } from '../../../src/store/held.ts'
import { listItems } from '../../../src/store/inbox.ts'
import { HELD_ABOVE } from '../configuration.ts'
import { exportRows } from '../hub-steps.ts'
import { checkAll } from '../properties.ts'
import type { Run, Violation } from '../run.ts'
import { settle } from '../settle.ts'
import { consents } from './snapshot.ts'

const broken = (message: string): Violation => ({ property: 'Guard', message })

type What = 'deletes' | 'blanks'

/** Whether what was held of a row has happened: its link has ended, or its record has lost its job title. */
async function happened(
  { ground }: Run,
  what: What,
  ids: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  const found = await ground.sql<{ id: string; gone: boolean; blank: boolean }[]>`
    select l.remote_id as id, l.state = 'gone' as gone, c.job_title is null as blank
    from links l join streams s on s.id = l.stream_id join contacts c on c.id = l.record_id
    where s.connection = 'csv' and s.name = 'contacts' and l.remote_id = any(${[...ids]})`
  return new Map(found.map(({ id, gone, blank }) => [id, what === 'deletes' ? gone : blank]))
}

/** Rows that agree with the hub, and can lose something. */
async function rowsToSpoil({ ground: { sql, source }, oracle }: Run, what: What): Promise<readonly string[]> {
  const linked = [...source.rows.contacts.keys()].filter((id) => oracle.met.has(`csv ${id}`))
  if (what === 'deletes') return linked
  const titles = await sql<{ id: string; title: string | null }[]>`
    select l.remote_id as id, c.job_title as title
    from links l join streams s on s.id = l.stream_id join contacts c on c.id = l.record_id
    where s.connection = 'csv' and s.name = 'contacts' and l.state = 'linked' and c.job_title is not null`
  const titled = new Map(titles.map(({ id, title }) => [id, title]))
  // Each is a person of their own: two rows of one would be one change.
  return linked.filter((id) => titled.get(id) === source.rows.contacts.get(id)?.['job_title'])
}

/**
 * Many rows vanish, or lose their job titles, at once. A person lets some of it through and refuses some: that happens,
 * and nothing else, through any number of passes and crashes, until the rest is decided about.
 */
export async function decideInPart(run: Run): Promise<readonly Violation[]> {
  const { chance, ground, oracle } = run
  const { source } = ground
  const first = chance.pick(['deletes', 'blanks', 'blanks'] as const)
  if (first === 'blanks') {
    for (const id of await rowsToSpoil(run, 'deletes'))
      if ((source.rows.contacts.get(id)?.['job_title'] ?? '') === '')
        source.put('contacts', id, { job_title: oracle.fresh('Title') })
    const restless = await settle(run)
    if (restless.length > 0) return restless
  }
  const wanted = await rowsToSpoil(run, first)
  // So few have a title at times that nothing would be held of them.
  const what = wanted.length > HELD_ABOVE + 2 ? first : 'deletes'
  const able = what === first ? wanted : await rowsToSpoil(run, what)
  const before = await consents(run)
  if (source.broken.some(({ hidesId }) => hidesId) || able.length <= HELD_ABOVE + 2) return []
  const ids = chance.shuffled(able).slice(0, chance.int(HELD_ABOVE + 2, able.length))
  const titles = new Map(ids.map((id) => [id, source.rows.contacts.get(id)?.['job_title'] ?? '']))
  for (const id of ids)
    if (what === 'blanks') source.put('contacts', id, { job_title: '' })
    else {
      source.hidden.add(id)
      run.vanished.add(id)
    }
  await exportRows(run)
  ground.weather.clear()
  await passes(run, 2)
  const held = await heldRows(run, what)
  const missed = ids.filter((id) => !held.some((row) => row.remoteId === id))
  if (missed.length > 0)
    return [broken(`${what} of ${missed.join(', ')} came with ${ids.length - 1} others and are not held`)]
  const yes = held.filter(() => chance.maybe(0.4))
  const no = held.filter((row) => !yes.includes(row) && chance.maybe(0.5))
  for (const [chosen, decide] of [
    [yes, approve],
    [no, reject],
  ] as const) {
    if (chosen.length === 0) continue
    const records = chosen.map((row) => row.recordId)
    const item = await itemOf(run)
    if (item === undefined) return [broken('changes are held, and no item says so')]
    const word = decide === approve ? 'approve' : 'reject'
    const done = await run.work(`${word} ${records.join(', ')}`, (hub) =>
      decide(hub, item, 'user:ann', { kind: 'only', records }),
    )
    if (done !== 'died' && done.kind === 'refused')
      return [broken(`${word} ${records.join(', ')}: ${done.message}`)]
  }
  run.decidedInPart += 1
  if (chance.maybe(0.5)) run.doom('instead of a commit', chance.int(0, 4))
  await passes(run, chance.int(2, 3))
  const done = await happened(run, what, ids)
  const wrong = held.flatMap((row): readonly Violation[] => {
    const isDone = done.get(row.remoteId ?? '') === true
    const verdict = yes.includes(row) ? 'approved' : no.includes(row) ? 'rejected' : 'not decided about'
    // A row that is gone has no link, whoever wants its record to stay.
    const isRight = verdict === 'approved' || (verdict === 'rejected' && what === 'deletes')
    return isDone === isRight
      ? []
      : [
          broken(
            `${what}: row ${row.remoteId} was ${verdict}, and ${isDone ? 'it happened' : 'it did not happen'}`,
          ),
        ]
  })
  if (wrong.length > 0) return wrong
  const rest = held.length - yes.length - no.length
  const item = await itemOf(run)
  if ((item === undefined) !== (rest === 0))
    return [broken(`${rest} changes wait, and the item is ${item === undefined ? 'closed' : 'open'}`)]
  const looser = [...(await consents(run))].filter(
    ([id, state]) => before.get(id) === 'out' && state !== 'out',
  )
  if (looser.length > 0) return [broken(`contact ${looser[0]?.[0]} was out, and is ${looser[0]?.[1]}`)]
  // What was decided about is as the source says; the rest was a mistake there.
  for (const row of held) {
    const id = row.remoteId ?? ''
    const isDecided = yes.includes(row) || no.includes(row)
    if (what === 'deletes' && isDecided) {
      source.remove('contacts', id)
      oracle.removed.add(`csv ${id}`)
    }
    if (what === 'blanks' && !yes.includes(row))
      source.put('contacts', id, { job_title: titles.get(id) ?? '' })
  }
  source.hidden.clear()
  run.vanished.clear()
  return [...(await settle(run)), ...(await checkAll(run))]
}

async function passes(run: Run, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    run.ground.clock.now += 3_600_000
    const names = run.chance.maybe(0.5) ? ['csv'] : run.ground.names
    while ((await run.work('sweep', (hub) => syncAll(hub, names, 'sweep'))) === 'died') run.note('again')
  }
}

async function heldRows({ ground }: Run, what: What): Promise<readonly HeldRow[]> {
  const [stream] = await ground.sql<{ id: number }[]>`
    select id from streams where connection = 'csv' and name = 'contacts'`
  const rows = await heldPage(ground.sql, stream?.id ?? 0, 'in', null, 1000)
  return rows.filter((row) => row.what === what && row.verdict === null)
}

async function itemOf({ ground }: Run): Promise<number | undefined> {
  const items = await listItems(ground.sql, { state: 'open', kind: 'mass_change', limit: 50 })
  const [stream] = await ground.sql<{ id: number }[]>`
    select id from streams where connection = 'csv' and name = 'contacts'`
  return items.find((item) => item.streamId === stream?.id)?.id
}
