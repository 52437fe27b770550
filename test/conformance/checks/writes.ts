import type { CreateWrite, Outcome, Push, RemoteId, Write } from '../../../src/connectors/connector.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { PushStand } from '../bench.ts'
import type { Rig } from '../rig.ts'
import { applied, need, present, want, wantSame } from '../verdict.ts'

/** The two halves a writing check needs. */
export function pushOf(rig: Rig): { readonly push: Push; readonly stand: PushStand } {
  const push = need(rig.resource.push, 'the resource has no push: it is read-only')
  return { push, stand: need(rig.at.push, 'the stand cannot make bodies to write') }
}

export function createOf(rig: Rig, n: number, body?: JsonObject): CreateWrite {
  const { stand } = pushOf(rig)
  return {
    op: 'create',
    key: `key-${n}`,
    recordId: 1000 + n,
    body: body ?? stand.body(n),
    consent: 'unknown',
  }
}

/** Sends, and holds the connector to one outcome per write. */
export async function send(rig: Rig, ...writes: readonly Write[]): Promise<readonly Outcome[]> {
  const { push } = pushOf(rig)
  const outcomes = await push.send(rig.io, writes)
  wantSame(outcomes.length, writes.length, `${writes.length} writes got ${outcomes.length} outcomes`)
  want(
    writes.every((_, i) => outcomes[i] !== undefined),
    'A write was left without an outcome',
  )
  return outcomes
}

/** An object of ours, as the vendor answered it. */
export async function make(rig: Rig, n: number, body?: JsonObject) {
  const write = createOf(rig, n, body)
  const [outcome] = await send(rig, write)
  return present(applied(outcome, `The create ${write.key}`), 'What a create made')
}

export async function seeNow(rig: Rig, id: RemoteId) {
  const [now] = await rig.resource.fetch(rig.io, [id])
  return present(now, id)
}

export async function updateOf(rig: Rig, id: RemoteId, key: string, patch: JsonObject): Promise<Write> {
  const { version, body: observed } = await seeNow(rig, id)
  return { op: 'update', key, id, version, patch, observed }
}
