import { changeKey, type HarmfulChange } from '../core/guard.ts'
import { forgetRecords, isListed } from '../store/held.ts'
import type { Link } from '../store/links.ts'
import type { Hub, Target } from './hub.ts'
import type { PushStep } from './push-plan.ts'
import type { RunLog } from './run.ts'

type WriteStep = Extract<PushStep, { kind: 'write' }>

/**
 * Nothing that is hard to take back is sent before the guard has seen the whole wave. What it holds waits by itself:
 * the rest, opt-outs before all, goes on. `without` plans links again without their opt-in.
 */
export async function passGuard(
  hub: Hub,
  target: Target,
  run: RunLog,
  steps: readonly PushStep[],
  without: (links: readonly Link[]) => Promise<readonly PushStep[]>,
  due: readonly Link[],
): Promise<readonly PushStep[]> {
  const { q } = hub.session
  const harmful = steps.flatMap((step) => (step.kind === 'write' && step.harm !== null ? [step.harm] : []))
  const at = new Set(harmful.map((change) => change.recordId))
  // Whoever is planned without harm now is not held any more.
  if (!hub.preview && (await isListed(q, target.id, 'out')))
    await forgetRecords(
      q,
      target.id,
      'out',
      due.map((link) => link.recordId).filter((id) => !at.has(id)),
    )
  if (harmful.length === 0) return steps
  const judged = await run.judge('out', q, harmful)
  const held = new Map([
    ...judged.withheld.map(
      (change) => [changeKey(change), 'it waits for an approval: `concord inbox`'] as const,
    ),
    ...judged.rejected.map((change) => [changeKey(change), 'a person has refused it'] as const),
  ])
  await run.hold('out', q, judged.withheld, false)
  // What a person has let through is not counted once it is sent.
  const approved = new Set(judged.approved.map(changeKey))
  const judgedSteps = steps.map((step) =>
    step.kind === 'write' && step.harm !== null && approved.has(changeKey(step.harm))
      ? { ...step, harm: null }
      : step,
  )
  if (held.size === 0) return judgedSteps
  run.count({ withheld: judged.withheld.length })
  const problemOf = (step: PushStep) =>
    step.kind === 'write' && step.harm !== null ? held.get(changeKey(step.harm)) : undefined
  const settled = (step: WriteStep, problem: string): PushStep => ({
    kind: 'settle',
    settlement: { id: step.write.linkId, wake: step.write.wake, problem },
    base: null,
  })
  const profiles = new Set(
    judgedSteps.flatMap((step) =>
      step.kind === 'write' && step.harm?.what === 'optIns' && problemOf(step) !== undefined
        ? [step.write.linkId]
        : [],
    ),
  )
  // Behind an opt-in that may not go there may be a profile that has to.
  const again = await without(due.filter((link) => profiles.has(link.id)))
  const rest = judgedSteps.filter((step) => step.kind !== 'write' || !profiles.has(step.write.linkId))
  return [...rest, ...again].map((step) => {
    if (step.kind !== 'write') return step
    const problem = problemOf(step) ?? (isNew(step.harm, harmful) ? 'it waits behind an approval' : undefined)
    return problem === undefined ? step : settled(step, problem)
  })
}

/** Harm that was planned after the guard had looked. */
const isNew = (harm: HarmfulChange | null, judged: readonly HarmfulChange[]): boolean =>
  harm !== null && !judged.some((one) => changeKey(one) === changeKey(harm))
