import { isObject, type JsonObject } from '../core/json.ts'
import type { Decided } from '../runtime/plan/decide.ts'
import type { Plan, StoredLine } from '../runtime/plan/read.ts'
import type { PlanSummary, StreamSummary } from '../runtime/plan/summary.ts'
import { describeKind } from './inbox-words.ts'
import { clip, iso, number, plural, quiet, shown, tame, type Output } from './output.ts'

type Done = Extract<Decided, { kind: 'done' }>

const HUB = ['create', 'link', 'update', 'archive'] as const
const REMOTE = ['create', 'update', 'consent', 'archive'] as const
const of = (counts: Readonly<Record<string, number>>, name: string): number => counts[name] ?? 0

/** A plan's counts on both sides, what is left out and why, and what waits for a person. */
export function showSummary(output: Output, summary: PlanSummary): void {
  const { paint } = output
  const { streams } = summary
  output.table(
    ['', '', 'in the hub:', '', '', '', 'at the remote:', '', '', ''],
    [
      ['stream', 'read', ...HUB, ...REMOTE].map((c) => paint.bold(c)),
      ...streams.map((line) => [
        line.held.length > 0 ? `${line.stream} (held)` : line.stream,
        quiet(line.read),
        ...HUB.map((op) => quiet(of(line.hub, op))),
        ...REMOTE.map((op) => quiet(of(line.remote, op))),
      ]),
    ],
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  showMail(output, summary)
  showQuestions(output, summary)
  for (const line of streams) showRest(output, line)
}

function showMail(output: Output, { mail }: PlanSummary): void {
  for (const { connection, waits, mailboxes, rules, problem } of mail) {
    output.line()
    output.line(`Mail of ${connection} is not in here: only a sync reads it.`)
    if (!waits) continue
    if (problem !== null) output.line(`  Its mailboxes could not be listed: ${problem}`)
    else
      output.line(`  ${plural(mailboxes.length, 'mailbox', 'mailboxes')}: ${clip(mailboxes.join(', '), 400)}`)
    for (const rule of rules) output.line(`  ${rule}`)
  }
}

function showQuestions(output: Output, { streams, questions, samples }: PlanSummary): void {
  const { paint } = output
  const conflicts = streams.reduce((sum, line) => sum + of(line.hub, 'conflict'), 0)
  const unreadable = streams.reduce((sum, line) => sum + of(line.hub, 'unreadable'), 0)
  const asked = Object.values(questions).reduce((sum, n) => sum + n, 0)
  output.line()
  if (conflicts + unreadable + asked === 0) {
    output.line('No conflicts, nothing unreadable, no questions.')
    return
  }
  output.line(`${plural(conflicts, 'conflict')}, ${plural(unreadable, 'unreadable value')}.`)
  if (asked > 0) output.line(`${plural(asked, 'question')} it would put into the inbox:`)
  for (const { kind, title } of samples.slice(0, 10))
    output.line(`  ${paint.yellow(describeKind(kind))}  ${clip(tame(title), 160)}`)
  if (asked > 10) output.line(`  … and ${number(asked - 10)} more`)
}

function showRest(output: Output, line: StreamSummary): void {
  const { paint } = output
  for (const [why, count] of Object.entries(line.reasons))
    output.line(`${line.stream} leaves out ${number(count)}: ${why}.`)
  for (const side of line.held) {
    const { deletes, blanks, optIns } = line.harm[side]
    const told = [`removes ${deletes}`, `empties fields of ${blanks}`, `opts in ${optIns}`].filter(
      (_, i) => [deletes, blanks, optIns][i] !== 0,
    )
    const where = side === 'in' ? 'in the hub' : 'at the remote'
    output.line(
      `${paint.yellow('held')}  ${line.stream} ${told.join(', ')} ${where}: more than its guard lets through unseen. Approving the plan lets this much through.`,
    )
  }
  if (line.problem !== null)
    output.line(`${paint.red('failed')}  ${line.stream}: ${line.problem} It is no part of the plan.`)
}

/** What a decision came to, and what carries an approval out. */
export function tellDecided(output: Output, { message, streams }: Done): void {
  output.line(message)
  const connections = [...new Set(streams.map((label) => label.split('/')[0]))]
  if (connections.length > 0)
    output.line(
      `\`concord sync ${connections.join(' ')}\` does it; a running \`concord start\` does it by itself.`,
    )
}

/** What waits for this plan. */
export const waitingIn = ({ streams, mail }: PlanSummary): readonly string[] => [
  ...streams.filter((one) => one.waits && one.problem === null).map((one) => one.stream),
  ...mail.filter((one) => one.waits).map((one) => `${one.connection}/mail`),
]

const OPS: Readonly<Record<string, string>> = { consent: 'tell consent', filtered: 'leave out' }

/** One line of a plan: what, of whom, and the fields. */
export function lineText({ stream, side, op, title, changes, why, harm }: StoredLine): string {
  const fields = Object.entries(changes).map(([field, change]) => `${field}: ${changeText(change)}`)
  const said = [...fields, ...(why === null ? [] : [why]), ...(harm === null ? [] : [`guarded (${harm})`])]
  const where = side === 'hub' ? 'hub' : stream.split('/')[0]
  return clip(
    `${where}  ${OPS[op] ?? op}  ${tame(title)}${said.length === 0 ? '' : `  ${tame(said.join('; '))}`}`,
    400,
  )
}

function changeText(change: JsonObject[string] | undefined): string {
  if (!isObject(change)) return shown(change)
  return `${shown(change['before'])} → ${shown(change['after'])}`
}

export const planJson = ({ summary, ...plan }: Plan) => ({
  ...plan,
  createdAt: iso(plan.createdAt),
  decidedAt: iso(plan.decidedAt),
  ...summary,
})
