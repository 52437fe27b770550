import type { Connector, Io } from '../../connectors/connector.ts'
import type { Instant, JsonObject } from '../../core/json.ts'
import type { Clock } from '../clock.ts'
import { call, type Caller } from './call.ts'
import { type Bearer, openBearer, type TokenStore } from './oauth.ts'
import type { Reply, Wire } from './exchange.ts'
import { outgoing } from './outgoing.ts'
import { openPacer } from './pacer.ts'
import { openScrubber } from './redact.ts'
import type { RequestLog } from './request-log.ts'
import { openSlots } from './slots.ts'
import { openStops } from './stops.ts'

export type ClientOptions = {
  readonly connector: Connector
  readonly connection: string
  /** Decrypted credentials by field name. */
  readonly secrets: Readonly<Record<string, string>>
  /** Read here: `baseUrl` on this machine lets requests go to this machine; `tokenUrl` overrides the connector's. */
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
  const { connector, clock, random } = options
  const wire: Wire = {
    connection: options.connection,
    transport: options.transport,
    clock,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    log: options.log,
    scrubber: openScrubber(Object.values(options.secrets)),
    settingsBaseUrl: textSetting(options.settings, 'baseUrl'),
    stats: { requests: 0, throttled: 0, retries: 0 },
  }
  const stop = options.signal ?? new AbortController().signal
  const stops = openStops(stop)
  const caller: Caller = {
    wire,
    classify: (reply, now) => connector.classify(reply, now),
    slots: openSlots(concurrencyOf(connector)),
    pacer: openPacer(windowsOf(connector), clock),
    random,
    bearer: bearerOf(options, wire, stop),
    pauseUntil: (until) => options.pauseUntil(until),
    paused: { until: 0 },
  }
  const io: Io = {
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
    secrets: options.secrets,
    settings: options.settings,
    as: () => io,
    token: async () => (await caller.bearer?.current()) ?? '',
    stopping: stop,
  }
  return { io, stats: wire.stats }
}

function bearerOf(options: ClientOptions, wire: Wire, stop: AbortSignal): Bearer | null {
  const { auth } = options.connector
  if (auth.kind !== 'oauth2') return null
  const { secrets, tokens, random } = options
  return openBearer({
    auth,
    secrets,
    tokens,
    random,
    wire,
    stop,
    tokenUrl: textSetting(options.settings, 'tokenUrl'),
  })
}

const concurrencyOf = ({ limits }: Connector) =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...limits.flatMap((limit) => ('concurrent' in limit ? [limit.concurrent] : [])),
  )
const windowsOf = ({ limits }: Connector) => limits.flatMap((limit) => ('permits' in limit ? [limit] : []))

function textSetting(settings: JsonObject, name: string): string | null {
  const value = settings[name]
  return typeof value === 'string' && value !== '' ? value : null
}

const toResponse = ({ status, headers, bytes }: Reply) =>
  new Response(NULL_BODY.has(status) ? null : bytes, { status, headers })
