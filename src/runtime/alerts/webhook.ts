import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Webhook } from 'standardwebhooks'
import type { WebhookChannel } from '../../core/alerts.ts'
import type { Instant } from '../../core/json.ts'
import { checkLiteral, publicLookup, type Resolve } from './public-address.ts'
import type { Sent } from './sent.ts'

const TIMEOUT_MS = 15_000
const LONGEST_PAUSE_MS = 86_400_000

export type Message = { readonly id: string; readonly body: string }

/**
 * Sends a message, signed by Standard Webhooks: `webhook-id` is the same at every attempt, `webhook-timestamp` that of
 * the attempt. Only 2xx is success; redirects are not followed. The connection goes to public addresses alone, unless
 * the channel says otherwise. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function postWebhook(
  channel: WebhookChannel,
  secret: string,
  message: Message,
  at: Instant,
  resolve?: Resolve,
): Promise<Sent> {
  const stamp = new Date(at)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(message.body),
    'user-agent': 'Concord',
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(secret).sign(message.id, stamp, message.body),
  }
  try {
    const url = new URL(channel.url)
    const guarded = channel.allowPrivate ? {} : { lookup: publicLookup(resolve) }
    if (!channel.allowPrivate) {
      if (url.protocol !== 'https:') throw new Error('The address is not encrypted (https://).')
      checkLiteral(url.hostname)
    }
    const reply = await post(url, { method: 'POST', headers, ...guarded }, message.body)
    return outcome(reply, at)
  } catch (error) {
    return {
      kind: 'failed',
      problem: error instanceof Error ? reasonOf(error) : String(error),
      notBefore: null,
    }
  }
}

type Reply = { readonly status: number; readonly retryAfter: string | undefined }

/** Resolves with the head of the answer; its body is nobody's. Gives up when the whole takes too long. */
function post(url: URL, options: RequestOptions, body: string): Promise<Reply> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      call.destroy(new Error(`It did not answer within ${TIMEOUT_MS / 1000} seconds.`))
    }, TIMEOUT_MS)
    const call = send(url, { ...options, agent: false }, (reply: IncomingMessage) => {
      clearTimeout(late)
      resolve({ status: reply.statusCode ?? 0, retryAfter: reply.headers['retry-after'] })
      reply.destroy()
    })
    call.on('error', (error) => {
      clearTimeout(late)
      reject(error)
    })
    call.end(body)
  })
}

function outcome({ status, retryAfter }: Reply, at: Instant): Sent {
  if (status >= 200 && status < 300) return { kind: 'sent' }
  if (status === 410) return { kind: 'gone', problem: 'It answered 410: there is nobody any more.' }
  const redirect = status >= 300 && status < 400
  const problem = `It answered ${status}${redirect ? ': a redirect, which is not followed. Write the address it leads to into alerts.yaml' : ''}.`
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0
  return {
    kind: 'failed',
    problem,
    notBefore: seconds > 0 ? at + Math.min(seconds * 1000, LONGEST_PAUSE_MS) : null,
  }
}

/** Tried addresses that all fail give an AggregateError without words of its own. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null
  return first instanceof Error ? first.message : error.name
}
