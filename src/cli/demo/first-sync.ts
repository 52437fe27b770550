import { syncAll } from '../../runtime/cycle.ts'
import type { Hub, Progress } from '../../runtime/hub.ts'
import { previewSync, type Preview } from '../../runtime/preview.ts'
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

/** Shows what the first sync would do; nothing is written and nobody is written to. */
export async function showPreview(hub: Hub, stage: Stage): Promise<Preview> {
  const from = performance.now()
  const preview = await previewSync(hub, SYSTEMS)
  const took = seconds(performance.now() - from)
  stage.heading('What the first sync would do')
  stage.say(
    `Worked out in ${took} in a transaction that was rolled back; nothing was sent. Mail is only read, so nothing has to be foreseen of it.`,
  )
  stage.say()
  showLines(preview, stage)
  return preview
}

const WIDTHS = [20, 6, 7, 7, 8, 7, 8, 8, 6]

/** Two lines of headings, so that the table fits 80 columns. */
function showLines({ lines }: Preview, { output }: Stage): void {
  const { paint, line } = output
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[0] ?? 0) : cell.padStart(WIDTHS[i] ?? 0))).join('')
  line(paint.dim(`${' '.repeat(28)}${'in the hub'.padStart(20)}${'at the system'.padStart(23)}`))
  const heads = ['  stream', 'read', 'new', 'linked', 'changed', 'new', 'changed', 'consent', 'ask']
  line(paint.bold(row(heads)))
  for (const { stream, read, hub, remote, conflicts, unreadable, held } of lines) {
    const counts = [read, hub.create, hub.link, hub.update, remote.create, remote.update, remote.consent]
    const told = row([`  ${stream}`, ...[...counts, conflicts + unreadable].map(quiet)])
    line(held ? `${told}  ${paint.yellow('held')}` : told)
  }
}

/** Runs it, with progress. */
export async function runFirstSync(
  hub: Hub,
  stage: Stage,
  { terminal }: DemoWiring,
  progress: ProgressHolder,
  { preview, mails }: { readonly preview: Preview; readonly mails: number },
): Promise<void> {
  stage.heading('The first sync')
  const bars = openBars(terminal, totalsOf(preview, mails))
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

/** How much there is to read and to send, by stream: the preview has counted it. Nobody has counted the mail. */
function totalsOf({ lines }: Preview, mails: number): Totals {
  return new Map([
    ...lines.map(
      ({ stream, read, remote }) =>
        [stream, { read, send: remote.create + remote.update + remote.consent + remote.archive }] as const,
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
