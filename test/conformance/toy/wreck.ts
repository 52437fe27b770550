import type {
  Connector,
  Observation,
  Outcome,
  Page,
  Push,
  Resource,
  Webhooks,
  Write,
} from '../../../src/connectors/connector.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { rolodex } from './connector.ts'

/** A way to write a connector wrongly. Made anew for every process, as a connector is. */
export type Sabotage = () => Connector
/** What is wrong, the check that must find it, and the connector that is wrong. */
export type Sabotages = readonly (readonly [what: string, check: string, sabotage: Sabotage])[]

export const people = part(rolodex.resources['people'])
export const push = part(people.push)
export const hooks = part(rolodex.webhooks)

export function part<T>(given: T | undefined): T {
  if (given === undefined) throw new Error('The toy lacks a part')
  return given
}

export const withPeople = (over: Partial<Resource>): Connector => ({
  ...rolodex,
  resources: { people: { ...people, ...over } },
})
export const withPush = (over: Partial<Push>) => withPeople({ push: { ...push, ...over } })
export const withHooks = (over: Partial<Webhooks>): Connector => ({
  ...rolodex,
  webhooks: { ...hooks, ...over },
})
export const rewritten = (change: (write: Write) => Write) =>
  withPush({ send: (io, writes) => push.send(io, writes.map(change)) })
export const answering = (change: (outcome: Outcome, write: Write | undefined) => Outcome) =>
  withPush({
    send: async (io, writes) => (await push.send(io, writes)).map((outcome, i) => change(outcome, writes[i])),
  })
export const paged = (change: (page: Page, from: JsonObject | null) => Page) =>
  withPeople({ pull: async (io, from) => change(await people.pull(io, from), from) })
export const shown =
  (change: (body: JsonObject) => JsonObject) =>
  (seen: Observation): Observation =>
    seen.kind === 'present' ? { ...seen, body: change(seen.body) } : seen

let ticks = 0
export const tick = () => `tick-${++ticks}`
