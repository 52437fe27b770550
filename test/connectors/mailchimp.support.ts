import { z } from 'zod'
import { classify } from '../../src/connectors/mailchimp/classify.ts'
import { createMailchimp } from '../../src/connectors/mailchimp/index.ts'
import {
  type Connector,
  type CreateWrite,
  type Cursor,
  type Io,
  type Observation,
  type Outcome,
  type Page,
  type Resource,
  VendorError,
  type Write,
} from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

export const T0 = Date.parse('2026-03-01T09:00:00Z')

export type Sent = {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly signed: boolean
}
export type World = {
  readonly vendor: MailchimpSandbox
  readonly connector: Connector
  readonly members: Resource
  readonly io: Io
  /** Every request that left, oldest first. */
  readonly sent: Sent[]
  readonly clock: { now: number }
}

/** The connector and a vendor in one process, with a clock of their own. */
export function world(options: { readonly pageMax?: number; readonly settings?: JsonObject } = {}): World {
  const clock = { now: T0 }
  const random = seeded(7)
  const { pageMax } = options
  const vendor = createMailchimpSandbox({
    now: () => clock.now,
    random,
    ...(pageMax === undefined ? {} : { pageMax }),
  })
  const connector = createMailchimp({ sleep: async (ms) => void (clock.now += ms) })
  const members = connector.resources['members']
  if (members === undefined) throw new Error('The connector has no members')
  const sent: Sent[] = []
  const settings = { list: vendor.audience.id, baseUrl: 'http://127.0.0.1:4010', ...options.settings }
  const io: Io = {
    fetch: thrown(recorded(sandboxFetch(vendor.app), sent), () => clock.now),
    now: () => clock.now,
    secrets: { apiKey: 'sandbox-us1' },
    settings,
    as: () => io,
    token: async () => '',
  }
  return { vendor, connector, members, io, sent, clock }
}

/** An `Io` whose vendor answers what the test says. */
export function handMade(
  answer: (request: Request) => Response | Promise<Response>,
  settings: JsonObject = {},
): Io {
  const io: Io = {
    fetch: thrown(
      async (input, init) => answer(new Request(input, init)),
      () => T0,
    ),
    now: () => T0,
    secrets: { apiKey: 'sandbox-us1' },
    settings: { list: 'list1', baseUrl: 'http://127.0.0.1:4010', ...settings },
    as: () => io,
    token: async () => '',
  }
  return io
}

/** As the runtime's: other replies than 2xx are thrown as what the connector makes of them. */
function thrown(inner: typeof fetch, now: () => number): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    let response: Response
    try {
      response = await inner(request)
    } catch (cause) {
      const committed = request.method === 'GET' ? 'no' : 'unknown'
      throw new VendorError({ kind: 'unavailable', committed, message: 'no answer' }, { cause })
    }
    if (response.ok) return response
    const { method, url } = request
    const { status, headers } = response
    throw new VendorError(classify({ status, headers, body: await response.text(), method, url }, now()))
  }
}

function recorded(inner: typeof fetch, sent: Sent[]): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { pathname, search } = new URL(request.url)
    const body = await request.clone().text()
    sent.push({
      method: request.method,
      path: `${pathname}${search}`,
      body,
      signed: request.headers.has('authorization'),
    })
    return inner(request)
  }
}

/** Pulls until caught up; `between` runs after each page. */
export async function pullAll(
  { members, io }: Pick<World, 'members' | 'io'>,
  from: Cursor | null = null,
  between: (page: Page, index: number) => void = () => {},
) {
  const pages: Page[] = []
  let cursor = from
  for (;;) {
    const page = await members.pull(io, cursor)
    pages.push(page)
    between(page, pages.length - 1)
    cursor = page.cursor
    if (!page.more) break
    if (pages.length > 500) throw new Error('The listing does not end')
  }
  const last = pages.at(-1)
  const seen = new Map(pages.flatMap((page) => page.observations).map((o) => [o.id, o]))
  const emails = [...seen.values()].map((o) => z.string().parse(bodyOf(o)['email_address'])).toSorted()
  return { pages, cursor, seen, emails, complete: last?.listed === 'everything' }
}

export async function send({ members, io }: Pick<World, 'members' | 'io'>, ...writes: Write[]) {
  if (members.push === undefined) throw new Error('The members cannot be pushed')
  return members.push.send(io, writes)
}

export function bodyOf(observation: Observation | null | undefined): JsonObject {
  if (observation?.kind !== 'present') throw new Error('Nobody is there')
  return observation.body
}

export function appliedBody(outcome: Outcome | undefined): JsonObject {
  if (outcome?.kind !== 'applied') throw new Error(`Not applied: ${JSON.stringify(outcome)}`)
  return bodyOf(outcome.observation)
}

let keys = 0
const nextKey = () => `key-${++keys}`

export function create(
  email: string,
  more: JsonObject = {},
  consent: CreateWrite['consent'] = 'unknown',
): CreateWrite {
  const body = { email_address: email, ...more }
  return { op: 'create', key: nextKey(), recordId: keys, body, consent }
}

export async function update(w: World, email: string, patch: JsonObject): Promise<Write> {
  const observed = await seenNow(w, email)
  return {
    op: 'update',
    key: nextKey(),
    id: idOf(observed),
    version: null,
    patch,
    observed: bodyOf(observed),
  }
}

export async function consent(w: World, email: string, state: 'in' | 'out'): Promise<Write> {
  const patch = { status: state === 'in' ? 'subscribed' : 'unsubscribed' }
  return { op: 'consent', key: nextKey(), id: idOf(await seenNow(w, email)), state, patch }
}

export async function archive(w: World, email: string): Promise<Write> {
  return { op: 'archive', key: nextKey(), id: idOf(await seenNow(w, email)), version: null }
}

export async function seenNow({ members, io }: World, email: string): Promise<Observation> {
  const [observation] = (await members.push?.find(io, [create(email)])) ?? []
  if (observation === undefined || observation === null) throw new Error(`${email} is not there`)
  return observation
}

function idOf(observation: Observation): string {
  return observation.id
}
