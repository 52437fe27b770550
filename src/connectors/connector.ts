import type { ConsentState } from '../core/consent.ts'
import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import type { AuthSpec } from './auth.ts'
import type { Mail } from './mail.ts'

export type * from './auth.ts'

/** A vendor's own id of an object. */
export type RemoteId = string
/** Where the next `pull` goes on: any JSON the connector likes; kept by the runtime in the page's transaction. */
export type Cursor = JsonObject

/**
 * What a connector may do. Capability is presence: a resource without `push` is read-only, a connector without
 * `webhooks` is polled. Nothing here keeps state between calls; everything sent goes through `io.fetch`.
 */
export type Connector = {
  readonly id: string
  readonly auth: AuthSpec
  readonly limits: readonly RateLimit[]
  /** By name, as streams name them: `members`, `customers`. */
  readonly resources: Readonly<Record<string, Resource>>
  readonly webhooks?: Webhooks
  /** Absent: it has no mail. */
  readonly mail?: Mail
  /** What a request costs, and whose limits it counts against, where `limits` are counted in units or per mailbox. Pure. */
  meter?(request: MeteredRequest): Metered
  /** Proves that the credentials work. Throws a `VendorError` of kind `auth` where they do not. */
  check(io: Io): Promise<{ readonly accountId: string; readonly label: string }>
  /** What a reply that is not 2xx means. Pure. */
  classify(reply: HttpReply, now: Instant): Failure
}

/** `user` is whom `Io.as` named, null for the connection itself. */
export type MeteredRequest = { readonly method: string; readonly url: URL; readonly user: string | null }

/**
 * `key` says whose `limits` count the request (one mailbox, one project), '' is the connection; `units` how many permits
 * it takes. A vendor that asks to wait holds up this key alone.
 */
export type Metered = { readonly key: string; readonly units: number }

/** `fetch`, with the priority that the standard has for it (https://fetch.spec.whatwg.org/#request-priority). */
export type Fetch = (
  input: string | URL | Request,
  init?: RequestInit & { readonly priority?: 'high' | 'low' | 'auto' },
) => Promise<Response>

/** `permits` requests (or units, see `meter`) in any `windowMs`, or `concurrent` at once, per connection. */
export type RateLimit =
  | { readonly permits: number; readonly windowMs: number }
  | { readonly concurrent: number }

/**
 * What the runtime gives to a connector.
 *
 * `fetch` is the standard one, with limits, retries, Retry-After, tokens and the request log behind it. It resolves
 * only for 2xx (and 304) replies; everything else is thrown as a `VendorError` with what `classify` made of it, so a
 * connector never looks at a status. It retries what is safe to send twice: GET, HEAD, PUT, DELETE, and any request
 * with an `Idempotency-Key` header. A request with `priority: 'low'` takes four fifths of a limit at most, and waits
 * until no other request of its key does. The priority is read from `init`: a `Request` drops it, and so do SDKs that
 * make their own `init`, so a connector gives these a fetch that adds it.
 */
export type Io = {
  readonly fetch: Fetch
  now(): Instant
  /** Decrypted credentials by field name. Never logged. */
  readonly secrets: Readonly<Record<string, string>>
  /** The connection's own settings from its YAML: account, list id, folder. */
  readonly settings: JsonObject
  /**
   * The same client acting for one user of a domain, by address; the same object where credentials are one user's. A
   * user that the vendor lets nobody act for (unknown, suspended) is a failure of kind `rejected` with the code `user`.
   */
  as(user: string): Io
  /** A current access token, for protocols other than HTTP. Throws a `VendorError` of kind `auth` where there is none. */
  token(): Promise<string>
  /** Aborts when the hub stops. `fetch` heeds it by itself; a connector that waits between requests ends its wait. */
  readonly stopping?: AbortSignal
}

export type HttpReply = {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  readonly method: string
  readonly url: string
}

/** Why a request did not succeed. `committed` says whether the vendor may have carried it out all the same. */
export type Failure =
  | { readonly kind: 'auth'; readonly message: string }
  | { readonly kind: 'throttled'; readonly retryAt: Instant; readonly message: string }
  | { readonly kind: 'unavailable'; readonly committed: 'no' | 'unknown'; readonly message: string }
  | { readonly kind: 'malformed'; readonly committed: 'no' | 'unknown'; readonly message: string }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'stale'; readonly message: string }
  | { readonly kind: 'cursor-expired'; readonly message: string }
  | {
      readonly kind: 'rejected'
      readonly code: string
      readonly field: string | null
      readonly message: string
    }

export class VendorError extends Error {
  readonly failure: Failure
  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options)
    this.name = 'VendorError'
    this.failure = failure
  }
}

/** The `Failure` behind an error, also where an SDK wrapped it (`cause` or `detail`); null for a bug. */
export function failureOf(error: unknown): Failure | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if (at instanceof VendorError) return at.failure
    at = at.cause ?? ('detail' in at ? at.detail : undefined)
  }
  return null
}

/** An opaque version a vendor gives an object (an ETag, an edit sequence); equal versions mean equal objects. */
export type Version = string

export type Observation =
  | {
      readonly kind: 'present'
      readonly id: RemoteId
      readonly version: Version | null
      /** Only where the vendor's time of the last edit can be trusted. */
      readonly modifiedAt: Instant | null
      readonly body: JsonObject
      /** The record a create of ours was for, where the object itself says so: it is that one, whatever its keys. */
      readonly madeFor?: RecordId
    }
  /** `mergedInto`: the vendor merged it into that object, which lives on. */
  | { readonly kind: 'absent'; readonly id: RemoteId; readonly mergedInto?: RemoteId }

/** A row or object that cannot be an observation at all. `where` finds it: `people.csv line 12`, `customer cus_1`. */
export type BadRow = {
  readonly where: string
  readonly id: RemoteId | null
  readonly problem: string
  readonly raw: string
}

export type Page = {
  readonly observations: readonly Observation[]
  readonly bad: readonly BadRow[]
  /** Kept with the page. */
  readonly cursor: Cursor
  /** More pages wait now; false: caught up, `cursor` is where the next cycle starts. */
  readonly more: boolean
  /** Set on the last page of a complete listing: what was not listed since its first page is gone. */
  readonly listed?: 'everything'
  /** How many objects the whole pass will bring, where the vendor tells. For progress and the guard. */
  readonly total?: number
}

export type FieldInfo = { readonly path: string; readonly label: string; readonly required: boolean }

export type Resource = {
  /** `swept`: the vendor does not report deletes; what a complete listing no longer shows is gone. */
  readonly deletes: 'reported' | 'swept'
  readonly push?: Push
  /** Other ids that hints and other parts of the vendor have for an object, by its body. */
  aliases?(body: JsonObject): readonly RemoteId[]
  /** The remote fields that mappings may name. */
  discover(io: Io): Promise<readonly FieldInfo[]>
  /** One page. `from` null: everything, from the start. Throws `cursor-expired` to be called again with null. */
  pull(io: Io, from: Cursor | null): Promise<Page>
  /** The named objects as they are now, in any order; `absent` for those that are gone. */
  fetch(io: Io, ids: readonly RemoteId[]): Promise<readonly Observation[]>
}

export type Push = {
  /** The most writes one `send` takes. */
  readonly batchMax: number
  /**
   * How a create stays single: `key`: the vendor replays the answer to a known key (for `keyLivesMs`), `upsert`: the
   * object's id follows from the write (`by: 'key'`: from the record's email address or domain, so that another record
   * with the same one would write over it; `by: 'record'`: from the record's id), `lookup`: only `find` can tell.
   */
  readonly dedupe:
    | { readonly kind: 'key'; readonly keyLivesMs: number }
    | { readonly kind: 'upsert'; readonly by: 'key' | 'record' }
    | { readonly kind: 'lookup' }
  /** What is written is handed over to people or programs, and shows in the object only once they have taken it in. */
  readonly isHandoff?: boolean
  /** Why `archive` does not take an object away, in words; absent: it does. Streams cannot ask for it after a merge then. */
  readonly keepsArchived?: string
  /** Why the vendor takes no edits of an object, in words; null where it does. Such edits are not even tried. */
  frozen?(body: JsonObject): string | null
  /** One outcome per write, in their order. */
  send(io: Io, writes: readonly Write[]): Promise<readonly Outcome[]>
  /** For creates whose outcome is unknown: the objects they made, null where they made none. In their order. */
  find(io: Io, creates: readonly CreateWrite[]): Promise<readonly (Observation | null)[]>
  /**
   * Deletes objects for good, with all that the vendor keeps about them, because the people they are about asked for it.
   * Never used for anything else. One outcome an id, in their order; one that is gone already is `applied`, as absent.
   * Absent: the vendor's API cannot, and a person does it by hand.
   */
  erase?(io: Io, ids: readonly RemoteId[]): Promise<readonly Outcome[]>
}

export type CreateWrite = {
  readonly op: 'create'
  /**
   * Made before the first call. Repeated attempts use it again, until `find` has shown for long enough that none of
   * them made anything: vendors replay stored failures of a key as well.
   */
  readonly key: string
  readonly recordId: RecordId
  readonly body: JsonObject
  readonly consent: ConsentState
}
export type Write =
  | CreateWrite
  | {
      readonly op: 'update'
      readonly key: string
      readonly id: RemoteId
      readonly version: Version | null
      /** A merge patch: only what changes. */
      readonly patch: JsonObject
      /** The object as last seen. */
      readonly observed: JsonObject
    }
  /** Tells the vendor an opt-out or an explicit opt-in. Sent by itself and before profile updates. */
  | {
      readonly op: 'consent'
      readonly key: string
      readonly id: RemoteId
      readonly state: 'in' | 'out'
      readonly patch: JsonObject
    }
  | { readonly op: 'archive'; readonly key: string; readonly id: RemoteId; readonly version: Version | null }

export type Outcome =
  | { readonly kind: 'applied'; readonly observation: Observation }
  /** The object changed under us: observe it again and plan again. */
  | { readonly kind: 'stale' }
  | {
      readonly kind: 'rejected'
      readonly code: string
      readonly field: string | null
      readonly message: string
    }
  | { readonly kind: 'retry'; readonly at: Instant | null; readonly message: string }
  /** The call may have happened: look it up, never resend blindly. */
  | { readonly kind: 'uncertain'; readonly message: string }

/** What to make of one write's failure. Throws on again what concerns the whole connection (`auth`) or is a bug. */
export function outcomeOf(error: unknown): Outcome {
  const failure = failureOf(error)
  if (failure === null || failure.kind === 'auth' || failure.kind === 'cursor-expired') throw error
  switch (failure.kind) {
    case 'throttled':
      return { kind: 'retry', at: failure.retryAt, message: failure.message }
    case 'unavailable':
    case 'malformed':
      return failure.committed === 'unknown'
        ? { kind: 'uncertain', message: failure.message }
        : { kind: 'retry', at: null, message: failure.message }
    case 'missing':
    case 'stale':
      return { kind: 'stale' }
    case 'rejected':
      return { kind: 'rejected', code: failure.code, field: failure.field, message: failure.message }
  }
}

export type RawRequest = {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body: Uint8Array
}

/** A webhook is a hint that something changed; the object itself is fetched. */
export type Hint = { readonly resource: string; readonly id: RemoteId }

export type Receipt =
  | { readonly kind: 'handshake'; readonly status: number; readonly body: string }
  /** `eventId` makes repeated deliveries one; `status` is the answer the vendor wants. */
  | {
      readonly kind: 'hints'
      readonly eventId: string
      readonly hints: readonly Hint[]
      readonly status: number
    }
  | { readonly kind: 'refused'; readonly status: 400 | 401; readonly reason: string }

export type WebhookContext = {
  readonly settings: JsonObject
  /** What `keysUrl` serves (RFC 7517), cached by the runtime; null where there is none. */
  readonly keys: JsonObject | null
}

export type Webhooks = {
  /** Where the vendor publishes the keys its calls are signed with; `settings.keysUrl` overrides it for sandboxes. */
  readonly keysUrl?: string
  /** The vendor signs nothing: the secret travels in the URL it is given, as `?secret=`. */
  readonly secretInUrl?: true
  /** Verifies on the raw bytes and reads the hints. No I/O; `secret` is the connection's webhook secret. */
  receive(raw: RawRequest, secret: string, now: Instant, context: WebhookContext): Receipt | Promise<Receipt>
  /**
   * Asks the vendor to call `url`. `secret` is ours, for vendors that send back what they are given; null where the
   * vendor makes one, which is then returned.
   */
  subscribe?(
    io: Io,
    url: string,
    secret: string | null,
  ): Promise<{ readonly secret: string | null; readonly renewBefore: Instant | null }>
}
