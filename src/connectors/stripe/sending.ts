import type Stripe from 'stripe'
import type { z } from 'zod'
import { outcomeOf, type Io, type Outcome, type Write } from '../connector.ts'
import { sendable } from '../vendor-words.ts'
import { stripeFor } from './client.ts'

export const BATCH = 20

/**
 * Stripe keeps the first answer to a key for a day at least; after that the same key would make a second object
 * (https://docs.stripe.com/api/idempotent_requests). An hour is left for requests on their way.
 *
 * The kept answer may be an error: a 500, or a refusal whose cause is gone by now. So a key is good for repeating a
 * request that got no answer. To try again after an uncertain outcome that `find` answered with null, or after a
 * person has dealt with a rejection, the write needs a new key; records are recognised by their id, not by the key.
 */
export const KEY_LIVES_MS = 23 * 60 * 60 * 1000

export type Send = (client: Stripe, write: Write, io: Io) => Promise<Outcome>

/** All at once, as far as `io.fetch` lets them, but those to one object in their order. */
export async function sendAll(io: Io, writes: readonly Write[], send: Send): Promise<readonly Outcome[]> {
  const client = stripeFor(io)
  const tails = new Map<string, Promise<unknown>>()
  const sent = writes.map((write) => {
    const object = write.op === 'create' ? `new ${write.key}` : write.id
    const mine = (tails.get(object) ?? Promise.resolve()).then(() =>
      attempt(() => send(client, sendable(write), io)),
    )
    // A failure of the whole connection is reported below; the next write to the object meets it by itself.
    tails.set(
      object,
      mine.catch(() => null),
    )
    return mine
  })
  const settled = await Promise.allSettled(sent)
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

async function attempt(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    const outcome = outcomeOf(error)
    // The key was used before with other parameters: that first request may have been carried out.
    return outcome.kind === 'rejected' && outcome.code === 'idempotency_error'
      ? { kind: 'uncertain', message: outcome.message }
      : outcome
  }
}

export function rejected(code: string, field: string | null, message: string): Outcome {
  return { kind: 'rejected', code, field, message }
}

/** A body or patch that this resource cannot take. */
export function unfit(error: z.ZodError): Outcome {
  const issue = error.issues[0]
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const field = [...(issue?.path ?? []), ...keys.slice(0, 1)].join('.')
  const problem = keys.length > 0 ? 'cannot be written' : (issue?.message ?? 'cannot be read')
  return rejected('unfit', field === '' ? null : field, `${field}: ${problem}`)
}
