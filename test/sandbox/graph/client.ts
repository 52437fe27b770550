import { z } from 'zod'
import { sandboxFetch } from '../../../src/sandbox/faults.ts'
import { createGraphSandbox, type GraphOptions } from '../../../src/sandbox/graph/index.ts'
import { type Letter, letter, person } from '../../../src/sandbox/mail/letter.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'

export const START = Date.parse('2026-03-02T08:00:00Z')
export const ANN = 'ann@contoso.example'
export const BEN = 'ben@contoso.example'
export const IMMUTABLE = { prefer: 'IdType="ImmutableId"' }

const GRAPH = 'https://graph.microsoft.com'
const reply = z.record(z.string(), z.unknown())
export const page = z.object({
  value: z.array(z.looseObject({ id: z.string() })),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
})
export type Page = z.output<typeof page>
export type Item = Page['value'][number]

/** A sandbox of two mailboxes, and a client with Ann's token. */
export function graph(options: Partial<GraphOptions> = {}) {
  const clock = { now: START }
  const sandbox = createGraphSandbox({
    now: () => clock.now,
    random: seeded(11),
    users: [ANN, BEN],
    ...options,
  })
  const send = sandboxFetch(sandbox.app)
  const bearer = sandbox.token(ANN)
  const call = async (
    method: string,
    path: string,
    given: { body?: unknown; headers?: Record<string, string>; token?: string } = {},
  ) => {
    const response = await send(path.startsWith('https://') ? path : `${GRAPH}${path}`, {
      method,
      headers: { authorization: `Bearer ${given.token ?? bearer}`, ...given.headers },
      ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, response, text, body: isJson ? reply.parse(JSON.parse(text)) : {} }
  }
  const get = async (path: string, headers: Record<string, string> = {}) => call('GET', path, { headers })
  const list = async (path: string, headers: Record<string, string> = {}): Promise<Page> =>
    page.parse((await get(path, headers)).body)
  /** Every page of a round. */
  const round = async (path: string, headers: Record<string, string> = IMMUTABLE) => {
    const pages: Page[] = []
    for (let next: string | undefined = path; next !== undefined; ) {
      const one: Page = await list(next, headers)
      pages.push(one)
      next = one['@odata.nextLink']
    }
    const link = pages.at(-1)?.['@odata.deltaLink'] ?? ''
    return { pages, items: pages.flatMap(({ value }) => value), link }
  }
  return { ...sandbox, clock, send, call, get, list, round }
}

let made = 0

export function mail(fields: Partial<Letter> = {}): Letter {
  made += 1
  return letter({
    from: person('bob@customer.example', 'Bob'),
    to: [person(ANN)],
    subject: `Subject ${made}`,
    text: 'Hello',
    messageId: `m${made}@customer.example`,
    date: START,
    ...fields,
  })
}

export const isRemoved = (item: Item) => '@removed' in item

export function codeOf(body: Record<string, unknown>): string {
  return z.object({ error: z.object({ code: z.string() }) }).parse(body).error.code
}
