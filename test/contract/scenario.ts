import type { Outcome, Write } from '../../src/connectors/connector.ts'
import { createOf, make, send, updateOf } from '../conformance/checks/writes.ts'
import { list, pass, type Rig } from '../conformance/rig.ts'

/** Everything the runtime ever asks of a resource, once. */
export async function everything(rig: Rig): Promise<void> {
  const { connector, resource, at, io } = rig
  await connector.check(io)
  await resource.discover(io)
  const ids = await at.seed(at.threePages)
  const { cursor } = await list(rig)
  await at.edit?.act(ids[0] ?? '')
  pass(rig, 60_000)
  await list(rig, cursor)
  await resource.fetch(io, [...ids.slice(0, 2), ...at.unknownIds.slice(0, 1)])
  const url = rig.stand.webhooks?.url ?? ''
  for (const one of [url, `${url}&again`, url]) await connector.webhooks?.subscribe?.(io, one, 'a secret')
  await writeEverything(rig)
}

async function writeEverything(rig: Rig): Promise<void> {
  const { push } = rig.resource
  const stand = rig.at.push
  if (push === undefined || stand === undefined) return
  const made = await make(rig, 1)
  const batch = Array.from({ length: Math.min(push.batchMax, 60) }, (_, i) => createOf(rig, 10 + i))
  wantAll(await send(rig, ...batch))
  await push.find(rig.io, [createOf(rig, 1), createOf(rig, 9999)])
  if (stand.update !== undefined) {
    const found = await push.find(rig.io, batch)
    const updates = await Promise.all(
      found.flatMap((seen, i) =>
        seen === null || stand.update === undefined
          ? []
          : [updateOf(rig, seen.id, `u-${i}`, stand.update.patch(i))],
      ),
    )
    wantAll(await send(rig, ...updates))
  }
  if (stand.clear !== undefined)
    wantAll(await send(rig, await updateOf(rig, made.id, 'clear', stand.clear.patch)))
  const { consent } = rig.at
  for (const state of consent === undefined ? [] : (['out', 'in'] as const)) {
    const write: Write = {
      op: 'consent',
      key: `c-${state}`,
      id: made.id,
      state,
      patch: consent?.patch[state] ?? {},
    }
    await send(rig, write)
  }
  await send(rig, { op: 'archive', key: 'archive', id: made.id, version: null })
}

/** A scenario whose writes fail proves nothing about what they send. */
export function wantAll(outcomes: readonly Outcome[]): void {
  const failed = outcomes.find(({ kind }) => kind !== 'applied')
  if (failed !== undefined) throw new Error(`A write of the scenario failed: ${JSON.stringify(failed)}`)
}
