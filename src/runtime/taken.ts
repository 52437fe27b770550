import { keysOf, STRONG } from '../core/identity.ts'
import type { Push } from '../connectors/connector.ts'
import { holders } from '../store/identities.ts'
import { linkedRecords } from '../store/links.ts'
import type { Hub, Target } from './hub.ts'
import type { PushStep } from './push-plan.ts'

/**
 * An upsert finds its object by a key. Where that key belongs to another record, whose object the remote has, creating
 * this record would write over that object: such creates wait until a person has settled whose key it is (the inbox
 * shows the duplicate).
 */
export async function withoutTaken(
  hub: Hub,
  target: Target,
  push: Push,
  steps: readonly PushStep[],
): Promise<readonly PushStep[]> {
  if (push.dedupe.kind !== 'upsert' || push.dedupe.by !== 'key') return steps
  const kind = target.stream.record
  const keys = steps.flatMap((step) => {
    if (step.kind !== 'write' || step.write.op !== 'create') return []
    const key = keysOf(kind, step.write.sent).find((one) => STRONG[one.kind])
    return key === undefined ? [] : [{ key, step, recordId: step.write.recordId }]
  })
  if (keys.length === 0) return steps
  const held = await holders(
    hub.session.q,
    kind,
    keys.map(({ key }) => key),
  )
  const present = await linkedRecords(
    hub.session.q,
    target.id,
    held.map(({ id }) => id),
  )
  const owners = new Map(held.filter(({ id }) => present.has(id)).map(({ key, id }) => [key.value, id]))
  const taken = new Map<PushStep, string>()
  for (const { key, step, recordId } of keys) {
    const owner = owners.get(key.value)
    if (owner !== undefined && owner !== recordId)
      taken.set(step, `${key.value} belongs to ${kind} ${owner}, which ${target.label} has already`)
  }
  return steps.map((step) => {
    const problem = taken.get(step)
    if (problem === undefined || step.kind !== 'write') return step
    const { linkId, wake } = step.write
    return { kind: 'settle', settlement: { id: linkId, wake, state: 'filtered', problem }, base: null }
  })
}
