import { approvePlan, rejectPlan, type Decided } from '../runtime/plan/decide.ts'
import type { Hub } from '../runtime/hub.ts'
import {
  allLines,
  linesOf,
  PLAN_OPS,
  planOf,
  plansOf,
  samplesOf,
  type LineQuery,
  type Plan,
} from '../runtime/plan/read.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { writeLines } from './export-lines.ts'
import { ago, plural } from './output.ts'
import { lineText, planJson, showSummary, tellDecided, waitingIn } from './plan-words.ts'

const SAMPLES = 3

export async function listAllPlans(
  context: Context,
  { limit }: { readonly limit: number },
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const plans = await plansOf(hub, limit)
    if (output.json) output.value(plans.map(planJson))
    else if (plans.length === 0) output.line('No plan was made yet: `concord plan`.')
    else
      output.table(
        ['plan', 'state', 'connections', 'made', 'by', 'decided by'],
        plans.map((one) => [
          String(one.id),
          one.state,
          one.connections.join(', '),
          ago(one.createdAt, hub.clock.now()),
          one.by,
          one.decidedBy ?? '',
        ]),
      )
    return EXIT.ok
  })
}

export type ShowOptions = {
  readonly stream?: string
  readonly side?: string
  readonly op?: string
  readonly out?: string
  readonly after: number
  readonly limit: number
}

/** One plan: its counts with samples; its lines, page by page, where a part is asked for; all of them into a file. */
export async function showPlan(context: Context, text: string, options: ShowOptions): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const found = await existing(hub, text)
    const query = queryOf(found, options)
    if (options.out !== undefined) {
      const count = await writeLines(options.out, allLines(hub, found.id, query))
      if (output.json) output.value({ id: found.id, file: options.out, lines: count })
      else
        output.line(
          `${plural(count, 'line')} of plan ${found.id} ${count === 1 ? 'is' : 'are'} in ${options.out}.`,
        )
      return EXIT.ok
    }
    const isPart = [query.stream, query.side, query.op].some((one) => one !== undefined) || options.after > 0
    const lines = isPart
      ? await linesOf(hub, found.id, query, options.after, options.limit)
      : await samplesOf(hub, found.id, SAMPLES)
    const last = lines.at(-1)
    const next = isPart && lines.length === options.limit && last !== undefined ? last.n : null
    if (output.json) output.value({ ...planJson(found), lines, next })
    else tell(context, found, lines.map(lineText), isPart, next)
    return found.state === 'open' && waitingIn(found.summary).length > 0 ? EXIT.waiting : EXIT.ok
  })
}

function tell(
  { output }: Context,
  found: Plan,
  lines: readonly string[],
  isPart: boolean,
  next: number | null,
): void {
  const decided = found.decidedBy === null ? '' : ` by ${found.decidedBy}`
  output.line(`Plan ${found.id} of ${found.connections.join(', ')}: ${found.state}${decided}.`)
  if (found.summary.problem !== null) output.line(found.summary.problem)
  if (!isPart) {
    output.line()
    showSummary(output, found.summary)
  }
  output.line()
  for (const line of lines) output.line(line)
  if (lines.length === 0) output.line('No such lines. Those of older plans are not kept.')
  if (next !== null) output.line(`… more: --after ${next}`)
  if (!isPart && lines.length > 0)
    output.line('A few of each. All of them: --out plan.csv; a part: --stream, --side, --op.')
}

export async function approve(
  context: Context,
  text: string,
  { stream }: { readonly stream: readonly string[] },
): Promise<ExitCode> {
  return withHub(context, async (hub) =>
    told(context, await approvePlan(hub, idOf(text), context.actor, stream)),
  )
}

export async function reject(context: Context, text: string): Promise<ExitCode> {
  return withHub(context, async (hub) => told(context, await rejectPlan(hub, idOf(text), context.actor)))
}

function told({ output }: Context, decided: Decided): ExitCode {
  if (decided.kind === 'refused') throw failure(decided.message)
  if (output.json) output.value({ streams: decided.streams, message: decided.message })
  else tellDecided(output, decided)
  return EXIT.ok
}

function idOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw badInput(`"${text}" is not the number of a plan`, '`concord plan list` shows them.')
  return Number(text)
}

async function existing(hub: Hub, text: string): Promise<Plan> {
  const found = await planOf(hub, idOf(text))
  if (found === undefined) throw badInput(`There is no plan ${text}`, '`concord plan list` shows them.')
  return found
}

function queryOf(plan: Plan, { stream, side, op }: ShowOptions): LineQuery {
  const label =
    stream === undefined ? undefined : plan.covers.find((one) => one === stream || one.endsWith(`/${stream}`))
  if (stream !== undefined && label === undefined)
    throw badInput(`Plan ${plan.id} has no stream ${stream}`, `It covers ${plan.covers.join(', ')}.`)
  const known = PLAN_OPS.find((one) => one === op)
  if (op !== undefined && known === undefined)
    throw badInput(`--op is "${op}"`, `Use one of ${PLAN_OPS.join(', ')}.`)
  if (side !== undefined && side !== 'hub' && side !== 'remote')
    throw badInput(`--side is "${side}"`, 'Use hub or remote.')
  return { stream: label, side, op: known }
}
