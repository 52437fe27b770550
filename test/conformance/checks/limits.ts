import { list } from '../rig.ts'
import { need, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { createOf, send } from './writes.ts'

export const LIMITS: readonly Check[] = [
  {
    name: 'the declared limits keep the vendor from ever answering 429',
    contract:
      'Connector.limits: "permits requests in any windowMs, or concurrent at once", at or below the vendor’s.',
    per: 'connector',
    served: true,
    async run(rig) {
      need(rig.stand.transport, 'the connector makes no requests')
      const refused = need(rig.stand.refused, 'the vendor has no limit')
      want(rig.connector.limits.length > 0, 'The connector declares no limits')
      const ids = await rig.at.seed(40)
      const writes = Array.from({ length: 20 }, (_, i) => createOf(rig, i))
      await Promise.all([list(rig), rig.resource.fetch(rig.io, ids), send(rig, ...writes)])
      wantSame(refused(), 0, 'The vendor turned requests away')
      wantSame(rig.client.stats.throttled, 0, 'The client met a 429')
      want(
        rig.client.stats.requests >= 20,
        `Only ${rig.client.stats.requests} requests were sent: nothing was proven`,
      )
    },
  },
]
