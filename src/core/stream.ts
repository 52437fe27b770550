import type { Alerts } from './alerts.ts'
import type { ConsentReading, ConsentState } from './consent.ts'
import type { Thresholds } from './duplicates.ts'
import type { Governance } from './governance/rules.ts'
import type { GuardLimits } from './guard.ts'
import type { KeyKind } from './identity.ts'
import type { Json, JsonObject } from './json.ts'
import type { Lens } from './lens.ts'
import type { MailConfig } from './mail/rules.ts'
import type { FieldName, Fields, RecordId, RecordKind } from './model.ts'
import type { Retention } from './privacy.ts'
import type { Survivorship } from './survivorship.ts'

/**
 * How a remote object names another record: by one of its keys, by its `name`, by its hub `id`, or by the remote id
 * it has in another stream of the same connection (`{stream}`).
 */
export type RefBy = 'email' | 'domain' | 'name' | 'id' | { readonly stream: string }
export type RemoteRef = { readonly record: RecordKind; readonly by: RefBy; readonly key: string }
export type HubRef = { readonly record: RecordKind; readonly by: RefBy; readonly id: RecordId }

/** Answers the references of one page, looked up beforehand in one query per kind. */
export type Refs = {
  toId(ref: RemoteRef): RecordId | undefined
  toKey(ref: HubRef): string | undefined
}
export const NO_REFS: Refs = { toId: () => undefined, toKey: () => undefined }

/** Consent as one remote object states it, and how to state it back. */
export type ConsentLens = {
  readonly channel: string
  readonly audience: string
  /** The states this remote is told; `out` should always be among them where the remote can say it. */
  readonly sends: readonly ConsentState[]
  read(body: Json): ConsentReading | null
  /** The merge patch that states `in` or `out`. */
  write(state: 'in' | 'out'): JsonObject
}

/** How long a stream may bring nothing before somebody is told: as learned from itself, never, or so long. */
export type Quiet =
  | { readonly kind: 'learned' }
  | { readonly kind: 'never' }
  | { readonly kind: 'after'; readonly ms: number }

/** One object kind over one connection, compiled from the configuration. */
export type Stream = {
  readonly connection: string
  readonly name: string
  readonly resource: string
  readonly record: RecordKind
  readonly direction: 'in' | 'out' | 'both'
  /** Fingerprint of all that decides what it writes: mapping, filters, policies; not of schedules and guards. */
  readonly shape: string
  /** Fingerprint of what of it decides which remote objects come in at all. */
  readonly arrivals: string
  /** Cron, in UTC. */
  readonly schedule: string
  /** Cron of the full sweep, which finds what hints and cursors lost. */
  readonly sweep: string
  readonly match: readonly KeyKind[]
  /** The vendor's edit times may decide `newest`. */
  readonly trustTimes: boolean
  /** Whether an unknown remote object becomes a record. */
  readonly createInHub: boolean
  /** `demand`: only once another stream needs it there (an invoice needs its customer). */
  readonly createAtRemote: 'always' | 'never' | 'demand'
  /** What a delete at the remote does to the record. */
  readonly deletes: 'archive' | 'unlink'
  /** What an archived record does to its remote object. */
  readonly archives: 'archive' | 'keep'
  /** What becomes of the second of two remote objects whose records were merged. */
  readonly merges: 'keep' | 'archive'
  readonly guard: GuardLimits
  readonly quiet: Quiet
  /** When records that come through it and look like others are merged or asked about. */
  readonly duplicates: Thresholds
  readonly consent: ConsentLens | null
  /** Which remote objects come in. Opt-outs pass all the same. */
  filterIn(body: Json): boolean
  /** Which records are created at the remote. Opt-outs pass all the same. */
  filterOut(fields: Fields): boolean
  /** The conditions that `filterOut` joins, in the words of the configuration; to tell which one is not met. */
  readonly conditions?: readonly { readonly text: string; holds(fields: Fields): boolean }[]
  /** The references a remote object or a record makes through this stream's lenses. */
  remoteRefs(body: Json): readonly RemoteRef[]
  hubRefs(fields: Fields): readonly HubRef[]
  /** The lenses, with references answered by `refs`. An unanswered reference reads as absent. */
  lenses(refs: Refs): readonly Lens[]
}

/** The rule that turns a won deal into invoices at one connection. */
export type InvoicingRule = {
  /** The connection whose stream of invoices issues them. */
  readonly connection: string
  readonly dueDays: number
  readonly memo: string | null
  /** Deals that a connection brings already won: most were invoiced elsewhere long ago. */
  readonly alreadyWon: 'skip' | 'invoice'
  /** Shares add up to 1. One item `full` of share 1 is the plain case. */
  readonly schedule: readonly { readonly item: string; readonly share: number }[]
}

export type Pipeline = {
  readonly name: string
  readonly stages: readonly {
    readonly name: string
    readonly outcome: 'open' | 'won' | 'lost'
    /** What a deal must have to come to the stage, and to go on from it. */
    readonly enter?: readonly FieldName[]
    readonly exit?: readonly FieldName[]
  }[]
  /** `required`: an open deal has a next step, with a day when it is due. */
  readonly nextStep?: 'required' | 'optional'
}

/** The whole active configuration, compiled. */
export type Configuration = {
  readonly connections: readonly {
    readonly name: string
    readonly connector: string
    readonly settings: JsonObject
    readonly streams: readonly Stream[]
    /** Null where its mail, if it has any, is not read. */
    readonly mail: MailConfig | null
  }[]
  readonly pipelines: readonly Pipeline[]
  readonly invoicing: InvoicingRule | null
  readonly alerts: Alerts
  /** How long what nobody needs any more is kept. */
  readonly retention: Retention
  /** What good data is: picklists, required fields, names. */
  readonly governance: Governance
  /** `ask`: a stream writes nothing before a person has approved a plan of what it would do. */
  readonly approvals: 'ask' | 'none'
  /** Of records that came through no stream. */
  readonly duplicates: Thresholds
  /** Whose value stands where two records are merged. */
  readonly survivorship: Survivorship
  /** ISO 3166-1 alpha-2; reads phone numbers written without a country. */
  readonly defaultCountry: string
  readonly defaultCurrency: string
}
