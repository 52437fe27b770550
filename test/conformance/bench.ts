import type { Connector, CreateWrite, RawRequest, RemoteId } from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { FaultSwitch } from '../../src/sandbox/faults.ts'

/**
 * What the conformance suite needs to know of one connector: how to get a vendor, and how to be somebody who works at
 * that vendor. Capability is presence: a check whose part is missing here is skipped, and says what it lacked.
 */
export type Bench = {
  readonly name: string
  /** The resources to check, by the connector's names for them. */
  readonly resources: readonly string[]
  /** The shipped mapping, by its file in `config/`. */
  readonly mapping?: string
  /** A vendor of its own, empty. `served`: behind a real server and a real clock, with the vendor's real limits. */
  open(how: { readonly served: boolean }): Promise<Stand>
}

/** One vendor, for one check. */
export type Stand = {
  /** As a process that has just started has it. */
  connector(): Connector
  readonly secrets: Readonly<Record<string, string>>
  readonly settings: JsonObject
  /** How requests reach the vendor. Absent: the connector makes none. */
  readonly transport?: typeof fetch
  /** The vendor's clock and the hub's. Absent where served. */
  readonly clock?: { now: number }
  readonly badSecrets?: readonly Readonly<Record<string, string>>[]
  /** Settings that cannot work, each with the name of the one to correct. */
  readonly badSettings?: readonly { readonly field: string; readonly settings: JsonObject }[]
  readonly faults?: FaultSwitch
  /** How many requests the vendor's limiter turned away. */
  refused?(): number
  readonly webhooks?: WebhookStand
  readonly resources: Readonly<Record<string, ResourceStand>>
  close?(): Promise<void>
}

type Eventually<T> = T | Promise<T>

export type ResourceStand = {
  /** The most objects one page may hold: what bounds the hub's memory. */
  readonly pageMax: number
  /** So many objects make three pages at least. */
  readonly threePages: number
  /** Puts objects at the vendor, as if they had been there for hours. Their ids. */
  seed(count: number): Eventually<readonly RemoteId[]>
  /** How many objects there are at the vendor, whoever made them. */
  count(): Eventually<number>
  /** Somebody at the vendor changes the field `path` of an object to another value each time. */
  readonly edit?: { readonly path: string; act(id: RemoteId): Eventually<void> }
  /** Somebody at the vendor deletes an object for good. */
  remove?(id: RemoteId): Eventually<void>
  /** Somebody at the vendor merges an object into another one, and the vendor says so. */
  merge?(from: RemoteId, into: RemoteId): Eventually<void>
  /** Somebody at the vendor makes an object with this text in it. */
  plant?(text: string): Eventually<RemoteId>
  /** Ids that look right and name nothing. */
  readonly unknownIds: readonly RemoteId[]
  /** Lets so much time pass, or so much happen, that a cursor from before can no longer be used. */
  expire?(): Eventually<void>
  readonly push?: PushStand
  readonly consent?: ConsentStand
}

export type PushStand = {
  /** The body of the n-th create; all differ in what the vendor tells them apart by. */
  body(n: number): JsonObject
  /** Changes the field `path` of an object that a create of ours made. */
  readonly update?: { readonly path: string; patch(n: number): JsonObject }
  /** A merge patch that empties the field `path`. */
  readonly clear?: { readonly path: string; readonly patch: JsonObject }
  /** Somebody at the vendor deletes an object that a create of ours made. */
  removeOurs?(id: RemoteId): Eventually<void>
  /** A body that the vendor (or the connector) refuses, and the field it is refused for. */
  readonly bad?: { readonly body: JsonObject; readonly field: string }
  /** A body with a free text, and where it is found again. `reads` is what the vendor makes of it. */
  readonly text?: {
    readonly path: string
    body(n: number, text: string): JsonObject
    reads?(text: string): string
  }
  /** The vendor, or the connector, refuses to write over what changed since `version`. */
  readonly conditional: boolean
  /** Somebody at the vendor fills fields that no mapping names; gives the whole object as the vendor has it. */
  readonly unmapped?: { fill(id: RemoteId): Eventually<void>; whole(id: RemoteId): Eventually<unknown> }
  /** What changes in `whole` with every write, by path. */
  readonly volatile?: readonly string[]
}

export type ConsentStand = {
  /** A person who opted out at the vendor by themselves. */
  optedOut(): Eventually<RemoteId>
  /** As the vendor has it. */
  state(id: RemoteId): Eventually<'in' | 'out' | 'unasked'>
  /** What a consent write to the vendor carries. */
  readonly patch: { readonly in: JsonObject; readonly out: JsonObject }
  /** The body of a create for the person that `id` is, where a create may meet who is there already. */
  again?(id: RemoteId): Eventually<CreateWrite['body']>
}

export type WebhookStand = {
  /** What the hub gives to `subscribe`; the vendor calls it. */
  readonly url: string
  /** The hub's own secret, for vendors that make none. */
  readonly secret: string | null
  /** The vendor signs the bytes and the time, so that a changed or an old delivery shows. */
  readonly signs: boolean
  /** Takes what waits to be delivered, as it would arrive now, oldest first. */
  deliveries(): readonly RawRequest[]
  /** What the vendor would send with this body, at this time. */
  sign(body: string, secret: string, at: number): RawRequest
  /** The body of an event of a kind that nobody has heard of. */
  readonly unknown: string
  /** How the vendor asks whether anybody is there, where it does. */
  readonly handshake?: RawRequest
  /** How many times the vendor would call `url` for one event. */
  subscriptions(): number
}
