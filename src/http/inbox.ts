import { Hono, type Context } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../core/json.ts'
import type { Hub } from '../runtime/hub.ts'
import { performAll } from '../runtime/inbox/bulk.ts'
import { ACTIONS, isInboxKind, KINDS } from '../runtime/inbox/kinds.ts'
import { perform, type ActionInput } from '../runtime/inbox/perform.ts'
import type { ActionResult } from '../runtime/inbox/settle.ts'
import { assign, snooze, timeFrom } from '../runtime/inbox/tend.ts'
import { fullView, heldChanges, heldView, itemView } from '../runtime/inbox/view.ts'
import { inboxCounts, inboxItem, inboxItems, streamNamed } from '../runtime/status.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'

const LARGEST_PAGE = 500
const MOST = Number.MAX_SAFE_INTEGER
const kind = z.string().refine(isInboxKind, `kind must be one of ${Object.keys(KINDS).join(', ')}.`)
const listing = z.object({
  state: z.enum(['open', 'done', 'all'], 'state must be open, done or all.').default('open'),
  kind: kind.optional(),
  stream: z.string().optional(),
  record: whole('record', 1, MOST).optional(),
  assignee: z.string().optional(),
  snoozed: z.enum(['hidden', 'only', 'all'], 'snoozed must be hidden, only or all.').default('hidden'),
  below: whole('below', 1, MOST).optional(),
  limit: whole('limit', 1, LARGEST_PAGE).default(100),
})
const held = z.object({
  after: z
    .string()
    .regex(/^(deletes|blanks|optIns):[1-9]\d{0,14}$/, 'after must be the "next" of an earlier answer.')
    .optional(),
  limit: whole('limit', 1, LARGEST_PAGE).default(100),
})

const noControl = z.string().regex(/^\P{Cc}*$/u, 'must be one line of text')
const ids = z.array(z.int().positive(), 'must be a list of record ids').max(100_000)
const given = {
  records: ids.optional(),
  except: ids.optional(),
  side: z.enum(['hub', 'remote', 'value'], 'side must be hub, remote or value').optional(),
  set: z.record(z.string(), z.json()).optional(),
  survivor: z.int().positive().optional(),
  as: noControl.min(1).max(200).optional(),
}
const input = z.strictObject(given).refine((g) => g.records === undefined || g.except === undefined, {
  message: 'records and except do not go together',
})
const bulk = z.strictObject({
  ...given,
  action: z.enum(ACTIONS, `action must be one of ${ACTIONS.join(', ')}`),
  filter: z
    .strictObject({
      kind: kind.optional(),
      stream: z.string().optional(),
      record: z.int().positive().optional(),
      assignee: noControl.optional(),
    })
    .refine((filter) => Object.keys(filter).length > 0, 'filter must name which items are meant'),
  dryRun: z.boolean().default(false),
})

const SIDES = 'Say which side stands: {"side": "hub"}, {"side": "remote"} or {"side": "value", "set": {...}}.'

type Given = z.infer<typeof input>
type Filter = {
  readonly kind?: string
  readonly streamId?: number
  readonly recordId?: number
  readonly assignee?: string
}

/** What waits for a person, and what a person may do about it. */
export function inboxRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  const by = (c: Context<Env>): string => `api:${c.get('caller')}`

  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const { state, snoozed, limit, below, ...rest } = read.query
    const filter = filterOf(hub, rest)
    if (filter === null) return problem(c, 400, noStream(hub))
    const page = below === undefined ? {} : { below }
    const now = hub.clock.now()
    const items = await inboxItems(hub, { ...filter, ...page, state, snoozed, limit, now })
    const last = items.length === limit ? items.at(-1) : undefined
    const more = new URLSearchParams({ ...c.req.query(), below: String(last?.id) })
    return c.json({
      items: items.map(itemView),
      counts: await inboxCounts(hub),
      next: last === undefined ? null : `/api/inbox?${more.toString()}`,
    })
  })

  app.post('/bulk', async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const read = bulk.safeParse(body.object)
    if (!read.success) return problem(c, 422, wordsOf(read.error))
    const filter = filterOf(hub, read.data.filter)
    if (filter === null) return problem(c, 422, noStream(hub))
    const { action, dryRun } = read.data
    if (action === 'resolve' && read.data.side === undefined) return problem(c, 422, SIDES)
    const hidden = { snoozed: 'hidden', now: hub.clock.now() } as const
    return c.json(await performAll(hub, { ...filter, ...hidden }, action, inputOf(read.data), by(c), dryRun))
  })

  const item = '/:id{[1-9][0-9]{0,14}}'
  const missing = (c: Context<Env>): Response =>
    problem(c, 404, 'The inbox has no item with this id. List them with GET /api/inbox.')
  app.get(item, async (c) => {
    const found = await inboxItem(hub, Number(c.req.param('id')))
    return found === undefined ? missing(c) : c.json(await fullView(hub, found))
  })
  app.get(`${item}/held`, async (c) => {
    const read = readQuery(c, held)
    if ('refused' in read) return read.refused
    const found = await inboxItem(hub, Number(c.req.param('id')))
    if (found === undefined) return missing(c)
    const [what, record] = read.query.after?.split(':') ?? []
    const after = what === undefined ? null : { what, recordId: Number(record) }
    const page = await heldChanges(hub, found, after, read.query.limit)
    if (page === null) return problem(c, 409, 'This item holds no changes: only mass changes do.')
    const next = page.next === null ? null : `${page.next.what}:${page.next.recordId}`
    return c.json({ changes: page.changes.map(heldView), next })
  })

  const act = async (c: Context<Env>, work: (id: number) => Promise<ActionResult>): Promise<Response> => {
    const id = Number(c.req.param('id'))
    if ((await inboxItem(hub, id)) === undefined) return missing(c)
    const result = await work(id)
    return result.kind === 'done' ? c.json({ message: result.message }) : problem(c, 409, result.message)
  }
  for (const action of ACTIONS) {
    app.post(`${item}/${action}`, async (c) => {
      const body = await optionalObject(c)
      if ('refused' in body) return body.refused
      const read = input.safeParse(body.object)
      if (!read.success) return problem(c, 422, wordsOf(read.error))
      if (action === 'resolve' && read.data.side === undefined) return problem(c, 422, SIDES)
      return act(c, (id) => perform(hub, id, action, inputOf(read.data), by(c)))
    })
  }
  app.post(`${item}/assign`, async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const read = z
      .strictObject({ assignee: noControl.trim().min(1).max(200).nullable() })
      .safeParse(body.object)
    if (!read.success) return problem(c, 422, 'Say whose it is: {"assignee": "ann"}, or null for nobody.')
    return act(c, (id) => assign(hub, id, read.data.assignee))
  })
  app.post(`${item}/snooze`, async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const read = z.strictObject({ until: z.string().nullable() }).safeParse(body.object)
    const until = read.success && read.data.until !== null ? timeFrom(read.data.until, hub.clock.now()) : null
    if (!read.success || (read.data.until !== null && until === null))
      return problem(
        c,
        422,
        'Say until when: {"until": "3d"} or {"until": "2026-12-01"}, or null to show it again.',
      )
    return act(c, (id) => snooze(hub, id, until))
  })
  return app
}

/** Most actions need nothing, so a request without a body is one with an empty object. */
async function optionalObject(
  c: Context<Env>,
): Promise<{ readonly object: JsonObject } | { readonly refused: Response }> {
  return c.req.header('content-type') === undefined ? { object: {} } : readObject(c)
}

function inputOf({ records, except, side, set, survivor, as }: Given): ActionInput {
  return {
    ...(side === undefined ? {} : { take: side }),
    ...(set === undefined ? {} : { set }),
    ...(survivor === undefined ? {} : { survivor }),
    ...(as === undefined ? {} : { as }),
    ...(records === undefined ? {} : { chosen: { kind: 'only', records } }),
    ...(except === undefined ? {} : { chosen: { kind: 'except', records: except } }),
  }
}

function filterOf(
  hub: Hub,
  given: {
    readonly kind?: string | undefined
    readonly stream?: string | undefined
    readonly record?: number | undefined
    readonly assignee?: string | undefined
  },
): Filter | null {
  const { kind, stream, record, assignee } = given
  const streamId = stream === undefined ? undefined : streamNamed(hub, stream)
  if (stream !== undefined && streamId === undefined) return null
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(streamId === undefined ? {} : { streamId }),
    ...(record === undefined ? {} : { recordId: record }),
    ...(assignee === undefined ? {} : { assignee }),
  }
}

const noStream = (hub: Hub): string =>
  `There is no such stream. Known are ${hub.targets.map((target) => target.label).join(', ')}.`

const wordsOf = (error: z.ZodError): string =>
  error.issues
    .map((issue) => [issue.path.join('.'), issue.message].filter((w) => w !== '').join(': '))
    .join('. ')
