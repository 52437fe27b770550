import { syncAll, type Passed } from '../runtime/cycle.ts'
import { waitsForPlan } from '../runtime/approval.ts'
import { connectionsOf } from '../runtime/connect.ts'
import type { Hub } from '../runtime/hub.ts'
import { approvePlan } from '../runtime/plan/decide.ts'
import { makePlan } from '../runtime/plan/make.ts'
import { countedSince, lastRun } from '../runtime/status.ts'
import { pairsFoundSince, type FoundPairs } from '../runtime/matching/list.ts'
import { chosen, withHub, type Context } from './context.ts'
import { FOUND_SHOWN, tellFound } from './duplicates.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { number, plural, quiet } from './output.ts'
import { tellPlan } from './plan.ts'
import { openProgress } from './progress.ts'

/** What became of messages. */
type Mailed = {
  readonly logged: number
  readonly filtered: number
  readonly quarantined: number
  /** Logged once, and taken out now. */
  readonly withdrawn: number
  /** Contacts they made. */
  readonly contacts: number
}

export type SyncLine = {
  readonly connection: string
  readonly read: number
  readonly created: number
  readonly linked: number
  readonly updated: number
  readonly gone: number
  readonly sent: number
  readonly conflicts: number
  readonly unreadable: number
  readonly mail: Mailed
  readonly held: readonly string[]
  /** What writes nothing before its plan was approved. */
  readonly waits: readonly string[]
  readonly problem: string | null
}

export async function sync(
  context: Context,
  names: readonly string[],
  options: { readonly sweep?: boolean },
): Promise<ExitCode> {
  const bars = openProgress(context.wiring.terminal)
  return withHub(
    context,
    async (hub) => {
      const startedAt = hub.clock.now()
      const found = () => pairsFoundSince(hub, startedAt, FOUND_SHOWN)
      const added = (await connectionsOf(hub)).map((c) => c.name)
      const wanted = await chosen(hub, added, names)
      const lines = await syncNow(hub, wanted, options.sweep === true)
      bars.stop()
      const code = tell(context, lines, await found())
      const waits = lines.filter((line) => line.waits.length > 0).map((line) => line.connection)
      if (!(await planned(context, hub, waits))) return code
      const again = await syncNow(hub, wanted, options.sweep === true)
      bars.stop()
      return tell(context, again, await found())
    },
    bars.show,
  ).finally(bars.stop)
}

/** Where streams wait and a person is there: plans them, shows the plan, and approves it if they say so. */
async function planned(context: Context, hub: Hub, names: readonly string[]): Promise<boolean> {
  const { output, wiring, actor } = context
  const { ask } = wiring.terminal
  if (names.length === 0 || ask === null || output.json || hub.stopping.aborted) return false
  const yes = async (question: string) => /^y(es)?$/i.test((await ask(`${question} [y/N] `, false)).trim())
  if (!(await yes(`Work out now what ${names.join(', ')} would do?`))) return false
  const made = await makePlan(hub, names, actor)
  await tellPlan(context, hub, made, false)
  if (!(await yes(`Approve plan ${made.id} and sync?`))) return false
  const decided = await approvePlan(hub, made.id, actor)
  output.line(decided.message)
  return decided.kind === 'done'
}

/** Syncs the connections in this process, and sums up what became of each. */
export async function syncNow(
  hub: Hub,
  names: readonly string[],
  sweep: boolean,
): Promise<readonly SyncLine[]> {
  const before = await lastRun(hub)
  const passed = await syncAll(hub, names, sweep ? 'sweep' : 'changes')
  const counted = await countedSince(hub, before)
  return names.map((name) => lineOf(name, passed, counted.get(name) ?? {}))
}

function lineOf(
  connection: string,
  passed: readonly Passed[],
  counts: Readonly<Record<string, number>>,
): SyncLine {
  const passes = passed.filter((pass) => pass.connection === connection)
  const sum = (of: (pass: Passed) => number) => passes.reduce((total, pass) => total + of(pass), 0)
  const count = (name: string) => counts[name] ?? 0
  return {
    connection,
    read: sum((pass) => pass.seen),
    created: count('created'),
    linked: count('linked'),
    updated: count('updated'),
    gone: count('gone'),
    sent: sum((pass) => pass.sent),
    conflicts: count('conflicts'),
    unreadable: count('unreadable'),
    mail: {
      logged: count('logged'),
      filtered: count('filtered'),
      quarantined: count('quarantined'),
      withdrawn: count('withdrawn'),
      contacts: count('contacts'),
    },
    held: [...new Set(passes.flatMap((pass) => pass.held))],
    waits: [...new Set(passes.flatMap((pass) => pass.waits))],
    problem: passes.find((pass) => pass.problem !== null)?.problem ?? null,
  }
}

export function tell(
  { output, wiring }: Context,
  lines: readonly SyncLine[],
  found: readonly FoundPairs[],
): ExitCode {
  const stopped = wiring.stopping.aborted
  const failed = lines.filter((line) => line.problem !== null)
  const held = lines.flatMap((line) => line.held)
  const waits = lines.flatMap((line) => line.waits)
  if (output.json) output.value({ connections: lines, duplicates: found, stopped })
  else {
    output.table(
      ['connection', 'read', 'created', 'linked', 'updated', 'gone', 'sent', 'conflicts', 'unreadable'],
      lines.map((line) => [
        line.connection,
        ...[line.read, line.created, line.linked, line.updated, line.gone].map(quiet),
        ...[line.sent, line.conflicts, line.unreadable].map(quiet),
      ]),
      [1, 2, 3, 4, 5, 6, 7, 8],
    )
    for (const { connection, mail } of lines)
      for (const said of tellMail(mail)) output.line(`Mail of ${connection}: ${said}`)
    const { paint } = output
    for (const { connection, problem } of failed)
      output.line(`${paint.red('failed')}  ${connection}: ${problem}`)
    for (const label of held)
      output.line(`${paint.yellow('held')}  ${label} would change too much at once: see \`concord inbox\``)
    for (const label of waits) output.line(`${paint.yellow('waits')}  ${waitsForPlan(label)}`)
    const questions = lines.reduce((sum, line) => sum + line.conflicts + line.unreadable, 0)
    if (questions > 0 && held.length === 0)
      output.line(`${plural(questions, 'thing')} for a person to look at: \`concord inbox\``)
    tellFound(output, found)
    if (stopped)
      output.line('Stopped before it was done. What was read and sent is kept; sync again to go on.')
  }
  if (stopped) return EXIT.stopped
  return failed.length > 0 ? EXIT.failed : held.length + waits.length > 0 ? EXIT.waiting : EXIT.ok
}

function tellMail({ logged, filtered, quarantined, withdrawn, contacts }: Mailed): readonly string[] {
  if (logged + filtered + quarantined + withdrawn === 0) return []
  const told = [
    `${number(logged)} logged`,
    `${number(filtered)} kept out`,
    ...(quarantined === 0 ? [] : [`${number(quarantined)} could not be read`]),
    ...(withdrawn === 0 ? [] : [`${number(withdrawn)} taken out`]),
    ...(contacts === 0 ? [] : [`${plural(contacts, 'contact')} made`]),
  ]
  return [`${told.join(', ')} (\`concord mail status\`).`]
}
