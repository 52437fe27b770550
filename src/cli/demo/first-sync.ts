import { syncAll } from '../../runtime/cycle.ts'
import type { Hub, Progress } from '../../runtime/hub.ts'
import { approvePlan } from '../../runtime/plan/decide.ts'
import { makePlan } from '../../runtime/plan/make.ts'
import type { PlanSummary } from '../../runtime/plan/summary.ts'
import { hubStatus } from '../../runtime/status.ts'
import { describeKind } from '../inbox-words.ts'
import { number, plural, quiet } from '../output.ts'
import { openBars, type Totals } from './bars.ts'
import { Interrupted, NotSo } from './scene.ts'
import { seconds, type Stage } from './stage.ts'
import type { DemoWiring } from './wiring.ts'
import { mailRows, MAIL_BAR, togetherBy } from './mail-counts.ts'
import { CONNECTIONS, SYSTEMS } from './world.ts'

/** Where the hub's progress goes at the moment. */
export type ProgressHolder = { show: (event: Progress) => void }

/** Plans the first sync, shows the plan and approves it: before that nothing is written anywhere. */
export async function showPlan(hub: Hub, stage: Stage): Promise<PlanSummary> {
  const from = performance.now()
  const { id, summary } = await makePlan(hub, CONNECTIONS, BY)
  const took = seconds(performance.now() - from)
  stage.heading('What the first sync would do')
  stage.say(
    `Worked out in ${took} in a transaction that was rolled back; nothing was sent. Mail is only read, so nothing has to be foreseen of it.`,
  )
  stage.say()
  showLines(summary, stage)
  const decided = await approvePlan(hub, id, BY)
  if (decided.kind === 'refused') throw new NotSo(decided.message)
  stage.say()
  stage.say(
    `Approved: \`concord plan approve ${id}\`. Until then no stream would have written, here or there.`,
  )
  return summary
}

const BY = 'user:demo'
const SENT = ['create', 'update', 'consent', 'archive']
const WIDTHS = [20, 6, 7, 7, 8, 7, 8, 8, 6]

/** Two lines of headings, so that the table fits 80 columns. */
function showLines({ streams }: PlanSummary, { output }: Stage): void {
  const { paint, line } = output
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[0] ?? 0) : cell.padStart(WIDTHS[i] ?? 0))).join('')
  line(paint.dim(`${' '.repeat(28)}${'in the hub'.padStart(20)}${'at the system'.padStart(23)}`))
  const heads = ['  stream', 'read', 'new', 'linked', 'changed', 'new', 'changed', 'consent', 'ask']
  line(paint.bold(row(heads)))
  for (const { stream, read, hub, remote, held } of streams) {
    const counts = [
      ...['create', 'link', 'update'].map((op) => hub[op] ?? 0),
      ...['create', 'update', 'consent'].map((op) => remote[op] ?? 0),
    ]
    const asks = (hub['conflict'] ?? 0) + (hub['unreadable'] ?? 0)
    const told = row([`  ${stream}`, ...[read, ...counts, asks].map(quiet)])
    line(held.length > 0 ? `${told}  ${paint.yellow('held')}` : told)
  }
}

/** Runs it, with progress. */
export async function runFirstSync(
  hub: Hub,
  stage: Stage,
  { terminal }: DemoWiring,
  progress: ProgressHolder,
  { plan, mails }: { readonly plan: PlanSummary; readonly mails: number },
): Promise<void> {
  stage.heading('The first sync')
  const bars = openBars(terminal, totalsOf(plan, mails))
  progress.show = togetherBy((event) => bars.show(event))
  const from = performance.now()
  const passes = await syncAll(hub, CONNECTIONS, 'changes').finally(() => {
    bars.stop()
    progress.show = () => undefined
  })
  if (hub.stopping.aborted) throw new Interrupted('stopped')
  const problem = passes.find((pass) => pass.problem !== null)
  if (problem !== undefined) throw new NotSo(`${problem.connection}: ${problem.problem}`)
  await summarise(hub, stage, performance.now() - from)
  const held = passes.flatMap((pass) => pass.held)
  if (held.length > 0) throw new NotSo(`${held.join(', ')} would change too much at once and is held.`)
}

/** How much there is to read and to send, by stream: the plan has counted it. Nobody has counted the mail. */
function totalsOf({ streams }: PlanSummary, mails: number): Totals {
  return new Map([
    ...streams.map(
      ({ stream, read, remote }) =>
        [stream, { read, send: SENT.reduce((sum, op) => sum + (remote[op] ?? 0), 0) }] as const,
    ),
    [MAIL_BAR, { read: mails, send: 0 }],
  ])
}

async function summarise(hub: Hub, stage: Stage, tookMs: number): Promise<void> {
  const status = await hubStatus(hub)
  const [counted] = await hub.db.sql<{ sent: number; out: number; everywhere: number }[]>`
    select (select count(*) from outbox where state = 'applied') as sent,
      (select count(*) from contacts where email_consent = 'out') as out,
      (select count(*) from (
        select l.record_id from links l join streams s on s.id = l.stream_id join contacts c on c.id = l.record_id
        where l.state = 'linked' and s.connection = any(${[...SYSTEMS]}) group by 1 having count(distinct s.connection) = 3) known) as everywhere`
  const { contact, company, deal, invoice } = status.records
  const rows: [string, string][] = [
    [
      'records',
      [
        plural(contact, 'contact'),
        plural(company, 'company', 'companies'),
        plural(deal, 'deal'),
        plural(invoice, 'invoice'),
      ].join(', '),
    ],
    ...status.connections.flatMap(({ name, streams }): [string, string][] => {
      const linked = streams.filter((stream) => stream.linked > 0)
      const told = linked.map((stream) => `${number(stream.linked)} ${stream.stream.split('/')[1] ?? ''}`)
      return told.length === 0 ? [] : [[`linked in ${name}`, told.join(', ')]]
    }),
    ['in all three', plural(counted?.everywhere ?? 0, 'person', 'people')],
    ['opted out', plural(counted?.out ?? 0, 'person', 'people')],
    ['writes sent', number(counted?.sent ?? 0)],
    ...(await mailRows(hub)),
    ['inbox', inboxText(status.inbox)],
    ['time', seconds(tookMs)],
  ]
  stage.say()
  for (const [name, value] of rows) stage.row(name, value)
}

function inboxText(counts: Readonly<Record<string, number>>): string {
  const kinds = Object.entries(counts).map(([kind, count]) => countOf(kind, count))
  return kinds.length === 0 ? 'empty' : kinds.join(', ')
}

/** Kinds that are counted; the others are said as they are. */
const COUNTED = new Set(['conflict', 'duplicate', 'mass_change', 'rejected_write', 'uncertain_outcome'])

function countOf(kind: string, count: number): string {
  const word = describeKind(kind)
  return COUNTED.has(kind) ? plural(count, word) : `${number(count)} ${word}`
}
