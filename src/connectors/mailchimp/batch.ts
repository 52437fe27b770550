import { failureOf, type Failure, type Io } from '../connector.ts'
import { sendable } from '../vendor-words.ts'
import { ask, request } from './api.ts'
import { readResults } from './batch-results.ts'
import type { MemberCall } from './exchange.ts'
import type { Sleep } from './index.ts'
import type { Target } from './settings.ts'
import { batch as batchSchema } from './wire.ts'

export type BatchResult =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** The operation was not carried out. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The operation may have been carried out. */
  | { readonly kind: 'unknown'; readonly message: string }

/** Milliseconds before each look; five minutes in all, and then the outcome counts as unknown. */
const WAITS: readonly number[] = [500, 1_000, 2_000, 4_000, ...Array.from({ length: 29 }, () => 10_000)]

/**
 * Runs up to 500 operations as one batch, and gives what became of each, by its key. `refused`: the vendor did not
 * take the batch, so nothing was done and single calls may do it.
 * https://mailchimp.com/developer/marketing/guides/run-async-requests-batch-endpoint/
 */
export async function runBatch(
  io: Io,
  target: Target,
  calls: readonly MemberCall[],
  sleep: Sleep,
): Promise<ReadonlyMap<string, BatchResult> | 'refused'> {
  const all = (result: BatchResult) => new Map(calls.map((call) => [call.key, result]))
  let id: string
  try {
    id = await start(io, target, calls)
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null || failure.kind === 'auth') throw error
    if (failure.kind === 'rejected' || failure.kind === 'missing') return 'refused'
    return all(
      mayHaveStarted(failure) ? { kind: 'unknown', message: failure.message } : { kind: 'failed', error },
    )
  }
  try {
    const resultsUrl = await finished(io, target, id, sleep)
    if (resultsUrl !== null) return await readResults(io, target, resultsUrl)
    if (io.stopping?.aborted === true)
      return all({ kind: 'unknown', message: `The hub stopped before it heard what became of batch ${id}.` })
    await stop(io, target, id)
    return all({ kind: 'unknown', message: `Batch ${id} took too long and was stopped.` })
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null) throw error
    return all({ kind: 'unknown', message: `What became of batch ${id} is unknown. ${failure.message}` })
  }
}

async function start(io: Io, target: Target, calls: readonly MemberCall[]): Promise<string> {
  const operations = calls.map(({ key, method, path, query, body }) => ({
    operation_id: key,
    method,
    path,
    ...(query === undefined ? {} : { params: query }),
    ...(body === undefined ? {} : { body: JSON.stringify(sendable(body)) }),
  }))
  const call = { method: 'POST', path: '/batches', body: { operations } } as const
  return (await ask(io, target, call, batchSchema)).id
}

function mayHaveStarted(failure: Failure): boolean {
  return 'committed' in failure && failure.committed === 'unknown'
}

/** Where the results are; null: not within the time given, or the hub stops. A look that fails is looked at again. */
async function finished(io: Io, target: Target, id: string, sleep: Sleep): Promise<string | null> {
  const { stopping } = io
  for (const ms of WAITS) {
    await Promise.race([sleep(ms), ...(stopping === undefined ? [] : [abortOf(stopping)])])
    if (stopping?.aborted === true) return null
    try {
      const path = `/batches/${encodeURIComponent(id)}`
      const seen = await ask(io, target, { method: 'GET', path }, batchSchema)
      if (seen.status === 'finished' && seen.response_body_url) return seen.response_body_url
    } catch (error) {
      const kind = failureOf(error)?.kind
      if (kind !== 'throttled' && kind !== 'unavailable' && kind !== 'malformed') throw error
    }
  }
  return null
}

function abortOf(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** So that an old write does not arrive after a newer one. Only an attempt: the outcome is unknown either way. */
async function stop(io: Io, target: Target, id: string): Promise<void> {
  try {
    await request(io, target, { method: 'DELETE', path: `/batches/${encodeURIComponent(id)}` })
  } catch (error) {
    if (failureOf(error) === null) throw error
  }
}
