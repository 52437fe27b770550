import type { Context } from 'hono'
import { z } from 'zod'
import type { Json, JsonObject } from '../../core/json.ts'
import { badRequest } from './errors.ts'
import { bodyAs } from './listing.ts'
import { type GraphState, shuffled } from './state.ts'

const MOST = 20
const batchBody = z.object({
  requests: z.array(
    z.object({
      id: z.string(),
      method: z.string(),
      url: z.string(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.json().optional(),
      dependsOn: z.array(z.string()).optional(),
    }),
  ),
})
type Asked = z.output<typeof batchBody>['requests'][number]

/**
 * Up to 20 requests in one; each has its own status and counts against the limits by itself, and the answers come in
 * any order. A request waits for those it depends on, and is not made where one of them failed.
 * https://learn.microsoft.com/en-us/graph/json-batching
 */
export async function answerBatch(
  state: GraphState,
  c: Context,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { requests } = await bodyAs(c, batchBody)
  if (requests.length > MOST)
    throw badRequest(`Number of batch request steps exceeds the maximum value of ${MOST}.`)
  if (new Set(requests.map(({ id }) => id)).size < requests.length)
    throw badRequest('Request Id has to be unique in a batch.')
  const { origin } = new URL(c.req.url)
  const authorization = c.req.header('authorization') ?? ''
  const answers = new Map<string, Promise<JsonObject & { status: number }>>()
  const answerFor = (asked: Asked): Promise<JsonObject & { status: number }> => {
    const known = answers.get(asked.id)
    if (known !== undefined) return known
    const answer = run(asked)
    answers.set(asked.id, answer)
    return answer
  }
  const run = async (asked: Asked) => {
    for (const needed of asked.dependsOn ?? []) {
      const before = requests.slice(0, requests.indexOf(asked)).find(({ id }) => id === needed)
      if (before === undefined)
        throw badRequest(`dependsOn of '${asked.id}' names no earlier request '${needed}'.`)
      if ((await answerFor(before)).status >= 400) return failedDependency(asked.id)
    }
    return one(asked, origin, authorization, send)
  }
  const responses: JsonObject[] = []
  // Four at a time: more would be refused for being too many at once in one mailbox.
  for (let at = 0; at < requests.length; at += 4)
    responses.push(...(await Promise.all(requests.slice(at, at + 4).map(answerFor))))
  return c.json({ responses: shuffled(state, responses) })
}

async function one(
  { id, method, url, headers = {}, body }: Asked,
  origin: string,
  authorization: string,
  send: (request: Request) => Promise<Response>,
): Promise<JsonObject & { status: number }> {
  const path = url.startsWith('/') ? url : `/${url}`
  const reply = await send(
    new Request(`${origin}/v1.0${path}`, {
      method,
      headers: { ...headers, authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  const isJson = reply.headers.get('content-type')?.includes('json') ?? false
  const bytes = Buffer.from(await reply.arrayBuffer())
  const kept = [...reply.headers].map(([name, value]): [string, Json] => [canonical(name), value])
  // [GK] What is not JSON comes as base64.
  const answer: Json | undefined =
    bytes.length === 0
      ? undefined
      : isJson
        ? z.json().parse(JSON.parse(bytes.toString()))
        : bytes.toString('base64')
  return {
    id,
    status: reply.status,
    headers: Object.fromEntries(kept),
    ...(answer === undefined ? {} : { body: answer }),
  }
}

function failedDependency(id: string): JsonObject & { status: number } {
  const error = { code: 'FailedDependency', message: 'One of the dependent requests failed.' }
  return { id, status: 424, headers: { 'Content-Type': 'application/json' }, body: { error } }
}

/** `retry-after` as it is written there: `Retry-After`. */
function canonical(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (part) => part.toUpperCase())
}
