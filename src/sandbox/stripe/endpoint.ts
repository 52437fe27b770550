import type { Context, Hono } from 'hono'
import { errorBody, lockTimeout, Refusal, serverError, unread } from './errors.ts'
import { decodeForm, type Tree } from './form.ts'
import { claimKey, releaseKey } from './idempotency.ts'
import { advanceDrafts } from './invoice-lifecycle.ts'
import { readParams, type z } from './params.ts'
import { mint, type StripeState } from './state.ts'
import type { Wire } from './types.ts'

export type Verb = 'GET' | 'POST' | 'DELETE'
export type Api = { app: Hono; state: StripeState }

type Run<S extends z.ZodType> = (params: z.output<S>, path: (name: string) => string) => Wire
type Reply = { status: number; body: string; headers: Record<string, string> }
type Asked = {
  method: string
  path: string
  requestId: string
  key: string | null
  tree: Tree
  fingerprint: string
}

/**
 * One API method: reads the parameters strictly, then runs without a pause, so that a request is one step
 * for everyone else. Replies to a POST are kept for its idempotency key once the run has begun.
 */
export function endpoint<S extends z.ZodType>(
  { app, state }: Api,
  verb: Verb,
  route: string,
  schema: S,
  run: Run<S>,
): void {
  app.on(verb, route, async (c) => {
    const asked = await readRequest(state, c)
    const reply = await answer(state, asked, () => {
      const params = readParams(schema, asked.tree)
      return () => run(params, (name) => c.req.param(name) ?? '')
    })
    return respond(state, c, asked, reply)
  })
}

export function refuse(state: StripeState, c: Context, refusal: Refusal): Response {
  const asked = { requestId: mint(state, 'req'), key: null }
  return respond(state, c, asked, replyOf(refusal))
}

async function readRequest(state: StripeState, c: Context): Promise<Asked> {
  const { method, path } = c.req
  const url = new URL(c.req.url)
  const body = method === 'POST' ? await c.req.text() : ''
  const encoded = [url.search.slice(1), body].filter((part) => part !== '').join('&')
  const key = method === 'POST' ? (c.req.header('idempotency-key') ?? null) : null
  const fingerprint = `${method} ${path}?${[...new URLSearchParams(encoded)]
    .map((pair) => pair.join('='))
    .sort()
    .join('&')}`
  return { method, path, requestId: mint(state, 'req'), key, tree: decodeForm(encoded), fingerprint }
}

async function answer(state: StripeState, asked: Asked, prepare: () => () => Wire): Promise<Reply> {
  try {
    const claim = claimKey(state, asked.key, asked.fingerprint)
    if (claim.kind === 'replay') {
      const { status, body, headers, requestId } = claim.reply
      return {
        status,
        body,
        headers: { ...headers, 'idempotent-replayed': 'true', 'original-request': requestId },
      }
    }
    try {
      const reply = await execute(state, asked, prepare)
      if (claim.slot !== null) claim.slot.reply = { ...reply, requestId: asked.requestId }
      return reply
    } finally {
      releaseKey(state, asked.key)
    }
  } catch (error) {
    if (error instanceof Refusal) return replyOf(error)
    throw error
  }
}

/** Throws what is refused before running; everything after that is a reply to keep. */
async function execute(state: StripeState, asked: Asked, prepare: () => () => Wire): Promise<Reply> {
  const { switches } = state
  await switches.gate?.()
  const locked = switches.lockTimeout?.(asked) ?? null
  if (locked !== null) throw lockTimeout(locked)
  const run = prepare()
  const crash = switches.crash?.(asked) ?? null
  if (crash === 'before') return replyOf(serverError())
  advanceDrafts(state)
  state.cause = { requestId: asked.requestId, idempotencyKey: asked.key }
  try {
    const reply = { status: 200, body: JSON.stringify(run(), null, 2), headers: {} }
    return crash === 'after-commit' ? replyOf(serverError()) : reply
  } catch (error) {
    if (error instanceof Refusal && error.executed) return replyOf(error)
    throw error
  } finally {
    state.cause = null
  }
}

function replyOf(refusal: Refusal): Reply {
  return { status: refusal.status, body: errorBody(refusal), headers: refusal.headers }
}

function respond(
  state: StripeState,
  c: Context,
  asked: { requestId: string; key: string | null },
  reply: Reply,
): Response {
  return new Response(reply.body, {
    status: reply.status,
    headers: {
      'content-type': 'application/json',
      'request-id': asked.requestId,
      'stripe-version': c.req.header('stripe-version') ?? state.apiVersion,
      ...(asked.key === null ? {} : { 'idempotency-key': asked.key }),
      ...reply.headers,
    },
  })
}

/** Versions are dates, since 2024 with a release name: https://docs.stripe.com/api/versioning */
export function versionProblem(version: string | undefined): Refusal | null {
  if (version === undefined || /^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(version)) return null
  return unread(`Invalid Stripe API version: ${version}`)
}
