import { explainedOf, foundOf, healedOf, leftOf } from '../core/reconcile.ts'
import { connectionsOf } from '../runtime/connect.ts'
import { syncAll } from '../runtime/cycle.ts'
import { lastComparisons, type StreamReconciliation } from '../runtime/reconcile.ts'
import { chosen, withHub, type Context } from './context.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { ago, iso, number, quiet, tame } from './output.ts'
import { openProgress } from './progress.ts'

/** Counts source and hub against each other, stream by stream, and heals what differs. */
export async function reconcile(
  context: Context,
  names: readonly string[],
  options: { readonly sweep: boolean },
): Promise<ExitCode> {
  const bars = openProgress(context.wiring.terminal)
  return withHub(
    context,
    async (hub) => {
      const added = (await connectionsOf(hub)).map((c) => c.name)
      const connections = await chosen(hub, added, names)
      const passed = options.sweep ? await syncAll(hub, connections, 'sweep') : []
      bars.stop()
      const rows = await lastComparisons(hub, connections)
      const problems = passed.flatMap(({ connection, problem }) =>
        problem === null ? [] : [{ connection, problem }],
      )
      const held = passed.flatMap((pass) => pass.held)
      const { output, wiring } = context
      if (output.json) output.value({ streams: rows.map(comparisonJson), problems, held })
      else {
        show(context, rows, hub.clock.now())
        for (const { connection, problem } of problems)
          output.line(`${output.paint.red('failed')}  ${connection}: ${tame(problem)}`)
        for (const label of new Set(held))
          output.line(
            `${output.paint.yellow('held')}  ${label} would change too much at once: see \`concord inbox\``,
          )
      }
      if (wiring.stopping.aborted) return EXIT.stopped
      if (problems.length > 0) return EXIT.failed
      return held.length > 0 || rows.some(({ drift }) => leftOf(drift).length > 0) ? EXIT.waiting : EXIT.ok
    },
    bars.show,
  ).finally(bars.stop)
}

function show({ output }: Context, rows: readonly StreamReconciliation[], now: number): void {
  if (rows.length === 0) {
    output.line('Nothing was compared yet: `concord reconcile` does it, and so does every sweep.')
    return
  }
  output.table(
    ['stream', 'source', 'hub before', 'kept out', 'unreadable', 'apart', 'healed', 'left', 'compared'],
    rows.map(({ stream, source, hub, drift, at }) => [
      stream,
      number(source),
      number(hub),
      quiet(drift.in?.filtered ?? 0),
      quiet(drift.in?.unreadable ?? 0),
      quiet(foundOf(drift)),
      quiet(healedOf(drift)),
      quiet(leftOf(drift).reduce((sum, { count }) => sum + count, 0)),
      ago(at, now),
    ]),
    [1, 2, 3, 4, 5, 6, 7],
  )
  for (const { stream, drift } of rows) {
    const { in: inward } = drift
    if (inward?.first === true)
      output.line(`${stream}: read for the first time, ${number(inward.missing)} objects.`)
    else if (inward !== null && foundOf(drift) > 0) {
      const parts = [
        [inward.missing, 'missing here'],
        [inward.changed, 'changed'],
        [inward.gone + inward.kept, 'gone there'],
      ] as const
      const told = parts.flatMap(([count, what]) => (count === 0 ? [] : [`${number(count)} ${what}`]))
      const missed = inward.missed === 0 ? '' : `; ${number(inward.missed)} of it should have been reported`
      output.line(`${stream}: ${told.join(', ')}${missed}.`)
    }
    for (const { count, what, fix } of leftOf(drift))
      output.line(`${output.paint.yellow('left')}  ${stream}: ${number(count)} ${what}. ${fix}`)
    for (const { count, what } of explainedOf(drift)) output.line(`${stream}: ${number(count)} ${what}.`)
  }
}

function comparisonJson({ stream, at, source, hub, drift, runId }: StreamReconciliation): object {
  const [found, healed] = [foundOf(drift), healedOf(drift)]
  return { stream, at: iso(at), source, hub, found, healed, left: leftOf(drift), drift, run: runId }
}
