import type { RemoteId } from '../../../src/connectors/connector.ts'
import { need, want, wantSame } from '../verdict.ts'
import type { Rig } from '../rig.ts'
import type { Check } from './check.ts'
import { make, pushOf } from './writes.ts'

export const ERASING: readonly Check[] = [
  {
    name: 'an erased object is gone, its neighbour stays, and erasing it twice is the same',
    contract: 'Push.erase: deletes for good; one that is gone already is applied, as absent.',
    per: 'resource',
    async run(rig) {
      const erase = eraserOf(rig)
      const [one, other] = [await make(rig, 1), await make(rig, 2)]
      for (const time of ['first', 'second']) {
        const outcomes = await erase([one.id])
        wantSame(
          outcomes,
          [{ kind: 'applied', observation: { kind: 'absent', id: one.id } }],
          `The ${time} erasure`,
        )
      }
      const seen = await rig.resource.fetch(rig.io, [one.id, other.id])
      want(
        seen.some((now) => now.id === one.id && now.kind === 'absent'),
        `${one.id} was erased, but is still there`,
      )
      want(
        seen.some((now) => now.id === other.id && now.kind === 'present'),
        `${other.id} was not to be erased, but is gone`,
      )
    },
  },
]

function eraserOf(rig: Rig) {
  const { push } = pushOf(rig)
  need(push.erase, 'the connector does not erase: its vendor cannot, or nobody wrote it yet')
  return (ids: readonly RemoteId[]) => push.erase?.(rig.io, ids) ?? Promise.resolve([])
}
