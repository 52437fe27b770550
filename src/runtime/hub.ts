import type { Logger } from 'pino'
import type { Instant } from '../core/json.ts'
import type { MailConfig } from '../core/mail/rules.ts'
import type { Configuration, InvoicingRule, Pipeline, Stream } from '../core/stream.ts'
import type { Connector, Io, Push, Resource } from '../connectors/connector.ts'
import type { Mail } from '../connectors/mail.ts'
import type { Database, Query, Tx } from '../store/database.ts'
import type { Hasher } from '../store/mail/key.ts'
import type { Vault } from '../store/secrets.ts'
import type { Clock } from './clock.ts'
import type { Planning } from './plan/planning.ts'

/** Where statements run: in transactions of their own, or all inside one that a preview rolls back. */
export type Session = {
  readonly q: Query
  begin<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}

/** A stream with the row that holds its state, its connection's connector and its resource. */
export type Target = {
  readonly id: number
  readonly stream: Stream
  readonly connector: Connector
  readonly resource: Resource
  /** Where the stream writes to its remote; null for streams that only read. */
  readonly push: Push | null
  /** `connection/stream`, for people. */
  readonly label: string
}

/** The mail of a connection whose configuration has it read. */
export type MailTarget = {
  readonly connection: string
  readonly connector: Connector
  readonly mail: Mail
  readonly config: MailConfig
}

/** What every part of the runtime is given. One a process; nothing in it is global. */
export type Hub = {
  readonly db: Database
  readonly session: Session
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly uuid: () => string
  readonly log: Logger
  readonly vault: Vault
  readonly configuration: Configuration
  /**
   * Version of its configuration, or a newer one that this Concord cannot read; null where it came from nowhere that
   * versions are kept.
   */
  readonly knownVersion: () => number | null
  readonly targets: readonly Target[]
  readonly mails: readonly MailTarget[]
  /** Turns addresses and ids of mail into what may be stored of them; made at the first call. */
  mailHash(): Promise<Hasher>
  /** The client of a connection; throws where the connection was not added. */
  io(connection: string): Promise<Io>
  /** Stops waiting and starting work; what runs is finished. */
  readonly stopping: AbortSignal
  readonly progress: (event: Progress) => void
  /** Vendors are not written to. */
  readonly preview: boolean
  /** Takes down what a preview comes to; null otherwise. */
  readonly planning: Planning | null
}

export type Progress =
  | {
      readonly kind: 'observed'
      readonly target: Pick<Target, 'label'>
      readonly seen: number
      readonly total: number | null
    }
  | {
      readonly kind: 'sent'
      readonly target: Pick<Target, 'label'>
      readonly sent: number
      readonly waiting: number | null
    }

export function databaseSession(db: Database): Session {
  // The driver types the result of `begin` by unwrapping arrays of promises; ours are plain values.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { q: db.sql, begin: async <T>(work: (tx: Tx) => Promise<T>) => (await db.sql.begin(work)) as T }
}

export function nestedSession(tx: Tx): Session {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return { q: tx, begin: async <T>(work: (inner: Tx) => Promise<T>) => (await tx.savepoint(work)) as T }
}

export function targetsOf(hub: Hub, connection: string): readonly Target[] {
  return hub.targets.filter((target) => target.stream.connection === connection)
}

/** The stream that invoices are issued through, with the rule; null where none is configured. */
export function invoicingOf(
  hub: Hub,
): { readonly rule: InvoicingRule; readonly pipelines: readonly Pipeline[] } | null {
  const rule = hub.configuration.invoicing
  return rule === null ? null : { rule, pipelines: hub.configuration.pipelines }
}

/** Streams that give every new record of a kind a link of its own, to be created at their remote. */
export function creatingStreams(hub: Hub, kind: Stream['record']): readonly number[] {
  return hub.targets
    .filter((t) => t.push !== null && t.stream.record === kind && t.stream.createAtRemote === 'always')
    .map((t) => t.id)
}

export const iso = (at: Instant): string => new Date(at).toISOString()
