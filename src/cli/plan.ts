import { connectionsOf } from '../runtime/connect.ts'
import type { Hub } from '../runtime/hub.ts'
import { approvePlan } from '../runtime/plan/decide.ts'
import { makePlan, type MadePlan } from '../runtime/plan/make.ts'
import { chosen, withHub, type Context } from './context.ts'
import { EXIT, failure, type ExitCode } from './exit.ts'
import { showSummary, tellDecided, waitingIn } from './plan-words.ts'
import { openProgress } from './progress.ts'

/** What a sync would do; nothing is written but the plan, and nothing is sent. */
export async function plan(
  context: Context,
  names: readonly string[],
  { approve }: { readonly approve?: boolean } = {},
): Promise<ExitCode> {
  const bars = openProgress(context.wiring.terminal)
  return withHub(
    context,
    async (hub) => {
      const added = (await connectionsOf(hub)).map((c) => c.name)
      const made = await makePlan(hub, await chosen(hub, added, names), context.actor)
      bars.stop()
      return tellPlan(context, hub, made, approve === true)
    },
    bars.show,
  ).finally(bars.stop)
}

/** Shows a plan that was just made, and approves it where that was asked for. */
export async function tellPlan(
  context: Context,
  hub: Hub,
  { id, summary }: MadePlan,
  approve: boolean,
): Promise<ExitCode> {
  const { output, actor } = context
  const waits = waitingIn(summary)
  const held = summary.streams.some((line) => line.held.length > 0)
  const failed = summary.streams.some((line) => line.problem !== null)
  if (!output.json) {
    output.line(`Plan ${id}: what a sync would do now. Nothing was written, nothing was sent.`)
    output.line()
    showSummary(output, summary)
  }
  const decided = approve ? await approvePlan(hub, id, actor) : null
  if (output.json) output.value({ id, ...summary, waits, approved: decided?.kind === 'done' })
  else if (decided?.kind === 'done') tellDecided(output, decided)
  else if (waits.length > 0) {
    output.line()
    output.line(
      `${waits.join(', ')} ${waits.length === 1 ? 'writes' : 'write'} nothing before it is approved:`,
    )
    output.line(
      `  \`concord plan show ${id}\` shows every line, \`concord plan approve ${id}\` lets it through.`,
    )
  } else {
    output.line(`\`concord plan show ${id}\` shows every line.`)
    if (decided === null && !failed && !held)
      output.line('Nothing of it has to be approved: `concord sync` does it.')
  }
  if (decided?.kind === 'refused') throw failure(decided.message)
  if (failed) return EXIT.failed
  if (decided !== null) return EXIT.ok
  const asks = Object.keys(summary.questions).length > 0
  return waits.length > 0 || held || asks ? EXIT.waiting : EXIT.ok
}
