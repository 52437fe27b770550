import type { Connector, RawRequest, RemoteId } from '../../src/connectors/connector.ts'
import type { Instant, JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'
import type { FaultSwitch } from '../../src/sandbox/faults.ts'
import type { Letter } from '../../src/sandbox/mail/letter.ts'

/** What the suite needs to know of a connector's mail: how to get a vendor with mailboxes, and how to be their owners. */
export type MailBench = {
  readonly name: string
  /** A vendor of its own, whose mailboxes are empty. Throws `Lacking` where there can be none here, saying why. */
  open(): Promise<MailStand>
  /** Once all checks are done. */
  close?(): Promise<void>
}

type Eventually<T> = T | Promise<T>

/** One vendor, for one check. Mailboxes are named by address; parts that are optional skip their checks. */
export type MailStand = {
  /** As a process that has just started has it. */
  connector(): Connector
  readonly secrets: Readonly<Record<string, string>>
  readonly settings: JsonObject
  /** How requests reach the vendor. Absent: the connector speaks another protocol than HTTP. */
  readonly transport?: typeof fetch
  /** The vendor's clock and the hub's. Absent: the real one. */
  readonly clock?: { now: number }
  readonly badSecrets?: readonly Readonly<Record<string, string>>[]
  /** Settings that cannot work, over those that do, each with the name of the one to correct. */
  readonly badSettings?: readonly { readonly field: string; readonly settings: JsonObject }[]
  readonly faults?: FaultSwitch
  /** The mailbox that checks go by; its owner sends from this address. */
  readonly address: string
  /** Another one that the same connection reads. */
  readonly other?: string
  /** One that looks right, and that the credentials do not reach. */
  readonly nobody?: Mailbox
  /** The most messages one page may bring: what bounds the hub's memory, and what a crash has read again. */
  readonly pageMax: number
  /** So many messages make three pages of a backfill at least. */
  readonly threePages: number
  /** Ids that look right and name nothing. */
  readonly unknownIds: readonly RemoteId[]
  /** It arrives, now or at `at`. */
  deliver(mailbox: string, letter: Letter, at?: Instant): Eventually<RemoteId>
  /** Its owner sends it: the id of the copy that is kept. */
  send(mailbox: string, letter: Letter): Eventually<RemoteId>
  draft?(mailbox: string, letter: Letter): Eventually<RemoteId>
  /** Gives it the label, or moves it into the folder `name`, which is made where there is none. The id it has then. */
  file(mailbox: string, id: RemoteId, name: string): Eventually<RemoteId>
  /** Takes the label away again, or moves it back into the inbox. */
  unfile(mailbox: string, id: RemoteId, name: string): Eventually<RemoteId>
  /** The label or folder of a message gets another name. The id the message has then. */
  rename?(mailbox: string, id: RemoteId, name: string, to: string): Eventually<RemoteId>
  spam(mailbox: string, id: RemoteId): Eventually<RemoteId>
  trash(mailbox: string, id: RemoteId): Eventually<RemoteId>
  /** Deletes it for good. */
  remove(mailbox: string, id: RemoteId): Eventually<void>
  /** A message arrives that cannot be read, whatever the connector does. */
  unreadable?(mailbox: string): Eventually<RemoteId>
  /** Lets so much time pass, or so much happen, that a cursor from before can no longer be used. */
  expire?(mailbox: string): Eventually<void>
  /** All that is in the mailbox, with whatever a program that only reads must leave alone. */
  contents(mailbox: string): Eventually<unknown>
  readonly webhooks?: MailWebhookStand
  close?(): Promise<void>
}

export type MailWebhookStand = {
  /** What the hub gives to `subscribe`; the vendor calls it. */
  readonly url: string
  /** The hub's own secret; null where the vendor signs with keys. */
  readonly secret: string | null
  /** What the vendor publishes, where it signs with keys. */
  keys?(): Promise<JsonObject>
  /** Takes what waits to be delivered, as it would arrive now, oldest first. */
  deliveries(): Promise<readonly RawRequest[]>
  /** The same notice as others could have made it: another key, another sender, none. */
  forgeries?(genuine: RawRequest): Promise<readonly { readonly what: string; readonly raw: RawRequest }[]>
  /** Settings of other connections, which a notice for this one must not be taken for. */
  readonly elsewhere?: readonly { readonly what: string; readonly settings: JsonObject }[]
  /** How long a notice that was recorded may be sent again, where the vendor signs the time. */
  readonly livesMs?: number
  /** How the vendor asks whether anybody is there, where it does. */
  readonly handshake?: RawRequest
  /** The vendor gives the subscription up, and says so. */
  lapse?(mailbox: string): Eventually<void>
}

/** What the owner of a mailbox does, and its vendor by chance. */
export type MailActs = Pick<
  MailStand,
  | 'deliver'
  | 'send'
  | 'draft'
  | 'file'
  | 'unfile'
  | 'rename'
  | 'spam'
  | 'trash'
  | 'remove'
  | 'unreadable'
  | 'contents'
>
