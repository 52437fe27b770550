import { type Connector, type Io, VendorError } from '../../connectors/connector.ts'
import type { Instant, JsonObject } from '../../core/json.ts'
import type { Clock } from '../clock.ts'
import { chosenAuth, type Secrets, textSetting } from './auth.ts'
import { call, type Caller } from './call.ts'
import type { Reply, Wire } from './exchange.ts'
import { openLanes } from './lanes.ts'
import { openBearer, type TokenStore } from './oauth.ts'
import { outgoing } from './outgoing.ts'
import { openScrubber } from './redact.ts'
import type { RequestLog } from './request-log.ts'
import { openStops } from './stops.ts'

export type ClientOptions = {
  readonly connector: Connector
  readonly connection: string
  /** Decrypted credentials by field name. */
  readonly secrets: Secrets
  /**
   * Read here: `baseUrl` on this machine lets requests go to this machine; `tokenUrl`, `scopes` and what the connector's
   * URLs name; `directoryAdmin`, whom a service account acts for where `Io.as` names nobody.
   */
  readonly settings: JsonObject
  readonly transport: typeof fetch
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly log: RequestLog
  /** Keeps a pause that is too long to wait for; it outlives the process. */
  pauseUntil(until: Instant): Promise<void>
  /** For oauth2 connections. */
  readonly tokens?: TokenStore
  /** Graceful stop: requests that run finish, waiting ones give up. */
  readonly signal?: AbortSignal
  /** For one request with its reply's body. Default 30 000. */
  readonly timeoutMs?: number
}

/** Counts since the client was opened. `requests` are sent ones, retries and refreshes included. */
export type ClientStats = { readonly requests: number; readonly throttled: number; readonly retries: number }
export type Client = { readonly io: Io; readonly stats: ClientStats }

const TIMEOUT_MS = 30_000
const USERS_MAX = 5_000
const NULL_BODY = new Set([204, 205, 304])

/**
 * Everything a connector sends, with the limits, retries, pauses, tokens and the request log of one connection.
 *
 * Keep one client per connection for as long as the process runs: it remembers what the vendor still counts.
 * `io.fetch` throws a `VendorError` for whatever is not 2xx or 304, and a `TypeError` for what is no request. It adds
 * `authorization: Bearer` for oauth2 unless the request brings its own or says `credentials: 'omit'`; keys are the
 * connector's to add.
 */
export function openClient(options: ClientOptions): Client {
  const { connector, clock, random, secrets, settings } = options
  const wire = openWire(options)
  const stop = options.signal ?? new AbortController().signal
  const stops = openStops(stop)
  const lanes = openLanes(connector.limits, clock)
  const chosen = chosenAuth(connector.auth, secrets)
  const views = new Map<string, Io>()
  const own = callerFor(null, wire)
  const io = ioOf(own)

  function callerFor(user: string | null, through: Wire): Caller {
    const { tokens } = options
    const bearer =
      chosen.kind === 'none'
        ? null
        : openBearer(
            { auth: chosen.auth, secrets, settings, tokens, random, stop, wire: through },
            chosen.grant,
            user,
          )
    const pauseUntil = (until: Instant) => options.pauseUntil(until)
    return { wire: through, connector, lanes, user, random, bearer, pauseUntil }
  }

  /** Only those are remembered that were used last; one that is forgotten works on, and asks for its token anew. */
  function viewOf(user: string): Io {
    if (chosen.kind === 'none' || chosen.grant === 'code') return io
    if (
      chosen.grant === 'jwt' &&
      user.toLowerCase() === textSetting(settings, 'directoryAdmin')?.toLowerCase()
    )
      return io
    const view = views.get(user) ?? ioOf(chosen.grant === 'jwt' ? ofUser(user) : { ...own, user })
    views.delete(user)
    views.set(user, view)
    const [oldest] = views.keys()
    if (views.size > USERS_MAX && oldest !== undefined) views.delete(oldest)
    return view
  }

  /** A scrubber of its own: with everybody's tokens in one, each reply would be searched for thousands. */
  function ofUser(user: string): Caller {
    return callerFor(user, { ...wire, scrubber: openScrubber(Object.values(secrets)) })
  }

  function ioOf(caller: Caller): Io {
    return {
      fetch: async (input, init) => {
        const request = await outgoing(input, init)
        const waiting = stops.open(request.signal)
        try {
          return toResponse(await call(caller, request, waiting.signal))
        } finally {
          waiting.release()
        }
      },
      now: () => clock.now(),
      secrets,
      settings,
      as: viewOf,
      async token() {
        if (caller.bearer !== null) return caller.bearer.current()
        const message = `${options.connection} has no credentials that bring an access token. Fix: authorise it with \`concord connections add ${options.connection}\`.`
        throw new VendorError({ kind: 'auth', message })
      },
      stopping: stop,
    }
  }
  return { io, stats: wire.stats }
}

/** What requests of a connection are sent with, also before there is one to speak of. */
export function openWire(
  options: Pick<
    ClientOptions,
    'connection' | 'transport' | 'clock' | 'timeoutMs' | 'log' | 'secrets' | 'settings'
  >,
): Wire {
  return {
    connection: options.connection,
    transport: options.transport,
    clock: options.clock,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    log: options.log,
    scrubber: openScrubber(Object.values(options.secrets)),
    settingsBaseUrl: textSetting(options.settings, 'baseUrl'),
    stats: { requests: 0, throttled: 0, retries: 0 },
  }
}

const toResponse = ({ status, headers, bytes }: Reply) =>
  new Response(NULL_BODY.has(status) ? null : bytes, { status, headers })
