import { allow, approveShapes } from '../../store/streams.ts'
import { decidePlan, lockPlan, type PlanRow } from '../../store/plans.ts'
import { queueSync, wakeMail } from '../../store/wake.ts'
import { gatesOf, isOpen, type Gate } from '../approval.ts'
import { iso, type Hub } from '../hub.ts'
import { summaryFrom } from './summary.ts'

/** What was worked out longer ago is worked out again: by now it would be something else. An approval lasts as long. */
export const PLAN_VALID_HOURS = 24
const VALID_MS = PLAN_VALID_HOURS * 3_600_000

export type Decided =
  | {
      readonly kind: 'done'
      /** Labels of the streams, and `connection/mail`, that may write now. */
      readonly streams: readonly string[]
      readonly message: string
    }
  | { readonly kind: 'refused'; readonly message: string }

const refused = (message: string): Decided => ({ kind: 'refused', message })

/**
 * Lets the streams of a plan write as it shows, all or those named; the guard lets through what the plan counted.
 * Refuses where the configuration or the account has changed since, where the plan is too old, and where somebody
 * decided already. Asks for a pass over the connections.
 */
export async function approvePlan(
  hub: Hub,
  id: number,
  by: string,
  only: readonly string[] = [],
): Promise<Decided> {
  const gates = await gatesOf(hub)
  return hub.db.sql.begin(async (tx): Promise<Decided> => {
    const plan = await lockPlan(tx, id)
    const fault = plan === undefined ? noPlan(id) : whyNot(plan)
    if (plan === undefined || fault !== null) return refused(fault ?? noPlan(id))
    const again = `\`concord plan ${plan.connections.join(' ')}\` makes a new one.`
    if (hub.clock.now() - plan.createdAt > VALID_MS)
      return refused(
        `Plan ${id} was made at ${iso(plan.createdAt)}, more than ${PLAN_VALID_HOURS} hours ago: much may have changed since. ${again}`,
      )
    const chosen = choose(plan, only)
    if (typeof chosen === 'string') return refused(chosen)
    const summary = summaryFrom(plan.summary)
    const sick = summary.streams.filter((one) => one.problem !== null).map((one) => one.stream)
    const covered = chosen.filter((label) => !sick.includes(label))
    if (covered.length === 0 && chosen.length > 0)
      return refused(
        `${chosen.join(', ')} could not be read when plan ${id} was made: there is nothing to approve. ${again}`,
      )
    const wanted = covered.flatMap((label) => gates.find((gate) => gate.label === label) ?? [])
    const moved = covered.filter((label) => !isAsPlanned(plan, wanted, label))
    if (moved.length > 0)
      return refused(
        `The configuration or the account of ${moved.join(', ')} has changed since plan ${id} was made. Nothing was approved. ${again}`,
      )
    const opened = wanted.filter((gate) => !isOpen(gate))
    await approveShapes(tx, wanted)
    const until = hub.clock.now() + VALID_MS
    for (const { stream, held, harm } of summary.streams) {
      const gate = wanted.find((one) => one.label === stream)
      if (gate !== undefined)
        for (const side of held) await allow(tx, gate.id, side, { ...harm[side], until })
    }
    const left = Object.keys(plan.shapes).filter(
      (label) =>
        !wanted.some((gate) => gate.label === label) &&
        gates.some((gate) => gate.label === label && !isOpen(gate)),
    )
    if (left.length === 0) await decidePlan(tx, id, 'approved', by, hub.clock.now())
    const names = new Set(wanted.map((gate) => gate.connection))
    for (const name of names) await queueSync(tx, name, false)
    await wakeMail(tx, new Set(wanted.filter((gate) => gate.kind === 'mail').map((gate) => gate.connection)))
    const told =
      opened.length === 0
        ? 'Nothing of it waited.'
        : `${opened.map((g) => g.label).join(', ')} may write now.`
    const rest = left.length === 0 ? '' : ` ${left.join(', ')} still wait.`
    return {
      kind: 'done',
      streams: wanted.map((gate) => gate.label),
      message: `Plan ${id} is approved. ${told}${rest}`,
    }
  })
}

/** Closes a plan without letting anything through. */
export async function rejectPlan(hub: Hub, id: number, by: string): Promise<Decided> {
  return hub.db.sql.begin(async (tx): Promise<Decided> => {
    const plan = await lockPlan(tx, id)
    const fault = plan === undefined ? noPlan(id) : whyNot(plan)
    if (plan === undefined || fault !== null) return refused(fault ?? noPlan(id))
    await decidePlan(tx, id, 'rejected', by, hub.clock.now())
    return {
      kind: 'done',
      streams: [],
      message: `Plan ${id} is rejected. What waited for it goes on waiting.`,
    }
  })
}

const noPlan = (id: number): string => `There is no plan ${id}. \`concord plan list\` shows them.`

function whyNot({ id, state, decidedBy, decidedAt, connections }: PlanRow): string | null {
  const again = `\`concord plan ${connections.join(' ')}\` makes a new one.`
  switch (state) {
    case 'open':
      return null
    case 'running':
      return `Plan ${id} is still being worked out.`
    case 'failed':
      return `Plan ${id} did not come to its end. ${again}`
    case 'approved':
    case 'rejected':
      return `Plan ${id} was ${state} by ${decidedBy ?? 'somebody'} at ${decidedAt === null ? 'some time' : iso(decidedAt)} already.`
  }
}

/** The labels that are meant; in words, where one of them is none of the plan's. */
function choose({ id, shapes }: PlanRow, only: readonly string[]): readonly string[] | string {
  const labels = Object.keys(shapes)
  if (only.length === 0) return labels
  const found = only.map((name) => labels.filter((label) => label === name || label.split('/')[1] === name))
  const wrong = only.find((_, i) => found[i]?.length !== 1)
  if (wrong === undefined) return [...new Set(found.flat())]
  return `Plan ${id} has no one stream "${wrong}". It covers ${labels.join(', ')}.`
}

const isAsPlanned = (plan: PlanRow, gates: readonly Gate[], label: string): boolean =>
  gates.some((gate) => gate.label === label && gate.shape === plan.shapes[label])
