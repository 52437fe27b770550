import type { Connector, Outcome, Push, Resource, Write } from '../../src/connectors/connector.ts'
import type { Sql } from '../../src/store/database.ts'
import type { Connectors } from './configuration.ts'

/** A bug planted on purpose, from outside: the simulation must find it. */
export type Plant = {
  /** The properties that may be found broken by it. */
  readonly breaks: readonly string[]
  readonly connectors?: (connectors: Connectors) => Connectors
  readonly request?: (request: Request) => Request | Promise<Request>
  /** Steps that are to happen more often, so that the bug is met soon. */
  readonly weights?: Readonly<Record<string, number>>
  /** After every pass. */
  readonly afterPass?: (sql: Sql) => Promise<void>
}

function withPushes(connectors: Connectors, change: (push: Push) => Push): Connectors {
  const resource = (plain: Resource): Resource =>
    plain.push === undefined ? plain : { ...plain, push: change(plain.push) }
  const connector = (plain: Connector): Connector => {
    const resources = Object.entries(plain.resources).map(([name, one]) => [name, resource(one)] as const)
    return { ...plain, resources: Object.fromEntries(resources) }
  }
  return Object.fromEntries(Object.entries(connectors).map(([name, one]) => [name, connector(one)]))
}

/** The answer to a write is forgotten: what it made of the object is then met as if somebody had edited it. */
function forgetful(write: Write, outcome: Outcome): Outcome {
  if (outcome.kind !== 'applied' || outcome.observation.kind === 'absent' || write.op !== 'update')
    return outcome
  return { kind: 'applied', observation: { ...outcome.observation, version: null, body: write.observed } }
}

async function withStatus(request: Request): Promise<Request> {
  const isProfile = request.method === 'PATCH' && /\/members\/[^/]+$/.test(new URL(request.url).pathname)
  if (!isProfile) return request
  const body: unknown = JSON.parse(await request.clone().text())
  if (typeof body !== 'object' || body === null || 'status' in body) return request
  return new Request(request, { method: 'PATCH', body: JSON.stringify({ ...body, status: 'subscribed' }) })
}

export const PLANTS: Readonly<Record<string, Plant>> = {
  'dropped base': {
    breaks: ['No lost edit', 'Convergence', 'Echo silence'],
    afterPass: async (sql) =>
      void (await sql`update links set base = '{}' where state = 'linked' and base::text <> '{}'`),
  },
  'create sent again': {
    breaks: ['Exactly-once creation'],
    connectors: (connectors) =>
      withPushes(connectors, (push) => ({ ...push, find: async (_io, creates) => creates.map(() => null) })),
    afterPass: async (sql) => {
      await sql`
        update links set state = 'pending', settled = wake - 1, not_before = null
        where id in (select link_id from outbox where op = 'create' and state in ('sending', 'uncertain'))`
      await sql`
        update outbox set state = 'abandoned' where op = 'create' and state in ('sending', 'uncertain')`
    },
  },
  'echo taken for an edit': {
    breaks: ['No lost edit', 'Convergence', 'Echo silence'],
    // It shows where the hub is edited again before it has seen its own write.
    weights: { tug: 60 },
    connectors: (connectors) =>
      withPushes(connectors, (push) => ({
        ...push,
        async send(io, writes) {
          const outcomes = await push.send(io, writes)
          return outcomes.map((outcome, i) => {
            const write = writes[i]
            return write === undefined ? outcome : forgetful(write, outcome)
          })
        },
      })),
  },
  'profile with a status': { breaks: ['Consent'], request: withStatus },
}
