import { syncAll } from '../../src/runtime/cycle.ts'
import { approve } from '../../src/runtime/inbox/mass-change.ts'
import { listItems } from '../../src/store/inbox.ts'
import type { Sql } from '../../src/store/database.ts'
import { HELD_ABOVE } from './configuration.ts'
import { authorise, exportRows } from './hub-steps.ts'
import type { Run, Violation } from './run.ts'

const ROUNDS = 14
const ROUND_MS = 3 * 3_600_000
/** A look at three mailboxes in which nothing happened: tokens, folders and labels, and what changed in each of them. */
const IDLE_REQUESTS = 40

/**
 * People stop, the weather clears, and time passes: the hub must come to rest within some rounds, and then send and
 * write nothing more.
 */
export async function settle(run: Run): Promise<readonly Violation[]> {
  const { ground } = run
  ground.weather.clear()
  await authorise(run)
  run.heedRows()
  await exportRows(run)
  let before = ''
  for (let round = 1; round <= ROUNDS; round++) {
    ground.clock.now += ROUND_MS
    const sentBefore = writesSent(ground.sent)
    const passes = await run.work(`settle ${round}`, (hub) =>
      syncAll(hub, ground.names, round % 2 === 1 ? 'sweep' : 'changes'),
    )
    if (passes === 'died') throw new Error('nobody was to die any more')
    const wrote = writesSent(ground.sent) > sentBefore || run.trace.length === 0
    const held = await guardHeld(run)
    if (held.length > 0) return held
    const adopted = ground.source.adopt()
    const answered = await answerMassChanges(run)
    if (adopted > 0) await exportRows(run)
    const after = await fingerprint(ground.sql)
    const isQuiet = after === before && !wrote && adopted === 0 && !answered
    before = after
    if (isQuiet && round >= 2) return atRest(run, before)
  }
  const due = await ground.sql`
    select s.connection, s.name, l.state, l.problem from links l join streams s on s.id = l.stream_id
    where l.wake > l.settled order by l.id limit 5`
  const message = `still busy after ${ROUNDS} rounds; waiting: ${JSON.stringify(due)}`
  return [{ property: 'Convergence', message }]
}

/** One more full cycle and sweep: nothing is sent, no record, link or history row is written. */
async function atRest(run: Run, before: string): Promise<readonly Violation[]> {
  const { ground } = run
  for (const mode of ['changes', 'sweep'] as const) {
    ground.clock.now += ROUND_MS
    run.note('quiet')
    await run.process.mortal.live(() => syncAll(run.process.hub, ground.names, mode))
    const writes = ground.sent.filter(isWrite)
    if (writes.length > 0)
      return [{ property: 'Echo silence', message: `at rest, yet sent ${writes.slice(0, 3).join('; ')}` }]
    const asked = ground.sent.filter((line) => /^(gmail|outlook) /.test(line)).length
    if (asked > IDLE_REQUESTS)
      return [{ property: 'Mail', message: `at rest, yet ${asked} requests went to mailboxes` }]
    const after = await fingerprint(ground.sql)
    if (after === before) continue
    const [was, is] = [before.split('\n'), after.split('\n')]
    const tables = is.filter((line, i) => line !== was[i]).map((line) => line.split(' ')[0])
    return [{ property: 'Echo silence', message: `at rest, yet ${mode} wrote ${tables.join(', ')}` }]
  }
  return []
}

/** To mailboxes nothing is ever written (`mail/`); asking for tokens and for notifications is none. */
const isWrite = (line: string): boolean => !/^(\w+ (GET|HEAD)|gmail \w+|outlook \w+) /.test(line)
const writesSent = (sent: readonly string[]): number => sent.filter(isWrite).length

/** What the guard has held goes through only once somebody says that this is right, neither at once nor bit by bit. */
async function guardHeld({ ground, vanished, decidedInPart }: Run): Promise<readonly Violation[]> {
  const [runs] = await ground.sql<{ n: number }[]>`
    select count(*)::int as n from runs where (counts->>'gone')::int > ${HELD_ABOVE} and kind <> 'mail'`
  const items = await listItems(ground.sql, { state: 'all', kind: 'mass_change', limit: 10_000 })
  // A row that is gone has no link any more, whoever wants its record to stay.
  const approved = items.filter((item) => /^(approved|rejected)/.test(item.resolution ?? ''))
  if ((runs?.n ?? 0) > approved.length + decidedInPart)
    return [
      {
        property: 'Guard',
        message: `${runs?.n} mass changes went through, ${approved.length} were approved`,
      },
    ]
  const slipped = items.find((item) => item.resolution === 'a later pass went through')
  const [gone] = await ground.sql<{ n: number }[]>`
    select count(*)::int as n from links l join streams s on s.id = l.stream_id
    where s.connection = 'csv' and s.name = 'contacts' and l.state = 'gone' and l.remote_id = any(${[...vanished]})`
  // One may have been missed by itself before.
  return slipped === undefined || ground.source.hidden.size === 0 || (gone?.n ?? 0) < 2
    ? []
    : [{ property: 'Guard', message: `"${slipped.title}" was held, and went through in parts` }]
}

/** A person either finds the mass change right, or corrects the export. */
async function answerMassChanges(run: Run): Promise<boolean> {
  const items = await listItems(run.ground.sql, { state: 'open', kind: 'mass_change', limit: 50 })
  const corrects = run.ground.source.hidden.size > 0 && run.chance.maybe(0.5)
  if (corrects) {
    run.ground.source.hidden.clear()
    run.vanished.clear()
    await exportRows(run)
    return true
  }
  for (const { id } of items) await run.work(`approve ${id}`, (hub) => approve(hub, id, 'user:ann'))
  if (items.length > 0 && run.ground.source.hidden.size > 0) {
    for (const id of run.ground.source.hidden) {
      run.ground.source.remove('contacts', id)
      run.oracle.removed.add(`csv ${id}`)
    }
    run.ground.source.hidden.clear()
    run.vanished.clear()
  }
  return items.length > 0
}

/** One line a table; `xmin` also tells of rows that were written again as they were. */
export async function fingerprint(sql: Sql): Promise<string> {
  const tables = ['contacts', 'companies', 'deals', 'invoices', 'links', 'history', 'outbox', 'consents']
  const ofMail = ['activities', 'messages', 'message_participants', 'sightings', 'mail_thread_ids']
  const parts = [...tables, ...ofMail].map(
    (table) =>
      `select '${table}' as name, md5(coalesce(string_agg(t.xmin::text || t::text, '' order by t::text), '')) as sum from ${table} t`,
  )
  const found = await sql.unsafe<{ name: string; sum: string }[]>(parts.join(' union all '))
  return found.map(({ name, sum }) => `${name} ${sum}`).join('\n')
}
