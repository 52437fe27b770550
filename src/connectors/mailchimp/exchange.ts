import { type Io, VendorError } from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, type Call, committed, CONCURRENT, parseReply } from './api.ts'
import { type BatchResult, runBatch } from './batch.ts'
import { classify } from './classify.ts'
import type { Sleep } from './index.ts'
import type { Target } from './settings.ts'
import { member, type Member } from './wire.ts'

/** A call that is answered with a member. `key` is unique among the calls of one exchange. */
export type MemberCall = Call & { readonly key: string }
export type Answer =
  | { readonly kind: 'member'; readonly member: Member }
  | { readonly kind: 'failed'; readonly error: unknown }

/**
 * From here on a batch is worth its waiting: it takes several seconds however small it is, and single calls go ten at
 * a time.
 */
export const BATCH_FROM = 50

/** One answer per call, in order. What the answers are does not depend on how the calls went out. */
export async function exchange(
  io: Io,
  target: Target,
  calls: readonly MemberCall[],
  sleep: Sleep,
): Promise<readonly Answer[]> {
  if (calls.length >= BATCH_FROM) {
    const results = await runBatch(io, target, calls, sleep)
    if (results !== 'refused') return calls.map((call) => answerOf(io, call, results.get(call.key)))
  }
  return inParallel(calls, CONCURRENT, async (call): Promise<Answer> => {
    try {
      return { kind: 'member', member: await ask(io, target, call, member) }
    } catch (error) {
      return { kind: 'failed', error }
    }
  })
}

/** A batch that succeeded says nothing about its operations: each has a status of its own. */
function answerOf(io: Io, call: MemberCall, result: BatchResult | undefined): Answer {
  try {
    if (result === undefined || result.kind === 'unknown') {
      const message = result?.message ?? 'The results of the batch do not tell of this write.'
      throw new VendorError({ kind: 'unavailable', committed: committed(call.method), message })
    }
    if (result.kind === 'failed') throw result.error
    const { status, body } = result
    if (status < 200 || status > 299) {
      const reply = { status, headers: new Headers(), body, method: call.method, url: call.path }
      throw new VendorError(classify(reply, io.now()))
    }
    return { kind: 'member', member: parseReply(body, call, member) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}
