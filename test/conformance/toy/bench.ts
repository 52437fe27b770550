import type { Connector } from '../../../src/connectors/connector.ts'
import { sandboxFetch } from '../../../src/sandbox/faults.ts'
import { serveSandbox } from '../../../src/sandbox/serve.ts'
import type { Bench } from '../bench.ts'
import { rolodex } from './connector.ts'
import { createRolodex, KEY, PAGE, sign } from './vendor.ts'

const T0 = Date.parse('2026-03-01T09:00:00Z')
const HOOK = 'https://hub.example/webhooks/rolodex'

/** `connector` is made anew for every process, so that one which remembers things is found out. */
export function toyBench(connector: () => Connector = () => rolodex): Bench {
  return {
    name: 'rolodex',
    resources: ['people'],
    async open({ served }) {
      const clock = { now: T0 }
      const now = served ? () => Date.now() : () => clock.now
      const vendor = createRolodex(now, served ? 50 : 1_000_000)
      const server = served ? await serveSandbox(vendor.app) : null
      let edits = 0
      const person = (n: number) => ({ name: `Name ${n}`, email: `new${n}@example.com`, phone: `0${n}` })
      return {
        connector,
        secrets: { apiKey: KEY },
        settings: { baseUrl: server?.url ?? 'http://127.0.0.1:4012' },
        transport: served ? fetch : sandboxFetch(vendor.app),
        ...(served ? {} : { clock }),
        badSecrets: [{ apiKey: 'wr0ngwr0ng' }, {}],
        badSettings: [{ field: 'baseUrl', settings: {} }],
        faults: vendor.faults,
        refused: () => vendor.limiter.refused,
        resources: {
          people: {
            pageMax: PAGE,
            threePages: 50,
            seed: (count) =>
              Array.from({ length: count }, (_, i) => vendor.create({ name: `Person ${i}` }).id),
            count: () => vendor.people.size,
            edit: { path: 'note', act: (id) => void vendor.edit(id, { note: `edited ${++edits}` }) },
            remove: (id) => vendor.remove(id),
            merge: (from, into) => vendor.merge(from, into),
            plant: (name) => vendor.create({ name }).id,
            unknownIds: ['p-none', '../x', 'a?b#c'],
            expire: () => vendor.expire(),
            push: {
              body: person,
              update: { path: 'name', patch: (n) => ({ name: `Updated ${n}` }) },
              clear: { path: 'phone', patch: { phone: null } },
              removeOurs: (id) => vendor.remove(id),
              bad: { body: { ...person(1), email: 'not an address' }, field: 'email' },
              text: { path: 'name', body: (n, name) => ({ ...person(n), name }) },
              conditional: true,
              unmapped: {
                fill: (id) => void vendor.edit(id, { theirs: 'yes', vip: true }),
                whole: (id) => vendor.people.get(id),
              },
              volatile: ['version'],
            },
            consent: {
              optedOut: () => vendor.create({ name: 'Out', out: 'yes' }).id,
              state(id) {
                const person = vendor.people.get(id)
                return person?.['out'] === 'yes' ? 'out' : person?.['subscribed'] === 'yes' ? 'in' : 'unasked'
              },
              patch: { in: { out: null }, out: { out: 'yes' } },
            },
          },
        },
        webhooks: {
          url: HOOK,
          secret: null,
          signs: true,
          deliveries: () => vendor.deliveries(HOOK),
          sign: (body, secret, at) => sign(HOOK, body, secret, at),
          unknown: JSON.stringify({ id: 'evt-odd', type: 'person.teleported', person: 'p-00001' }),
          subscriptions: () => vendor.hooks.size,
        },
        close: async () => server?.close(),
      }
    },
  }
}
