import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Env } from './access.ts'
import { messageIdOf, peopleOf, rawOf, sentAtOf } from './content.ts'
import { answerDelta, type DeltaTokens } from './delta.ts'
import { badRequest, type GraphError, itemNotFound } from './errors.ts'
import { folderOf } from './folder-routes.ts'
import { editMessage, moveMessage, removeMessage } from './items.ts'
import { answerList, applied, bodyAs } from './listing.ts'
import { attachmentViews, checkSelect, type MessageAsk, messageView } from './message-view.ts'
import { backwards, type Ordered, type Span } from './ordered.ts'
import { type Clause, fits, invalidFilter, preferencesOf, type Query, readQuery } from './query.ts'
import { findFolder, type GraphState, type Message } from './state.ts'

const moveBody = z.object({ destinationId: z.string() })
const patchBody = z.strictObject({
  isRead: z.boolean().optional(),
  categories: z.array(z.string()).optional(),
})

/** https://learn.microsoft.com/en-us/graph/api/resources/message */
export function messageRoutes(state: GraphState, tokens: DeltaTokens): Hono<Env> {
  const routes = new Hono<Env>()
  const list = (c: Context<Env>, from: Ordered<Message>) => {
    const query = readQuery(new URL(c.req.url).searchParams)
    checkSelect(query.select)
    return answerList(c, search(from, query), (message, asked) => messageView(message, askOf(c, asked)))
  }

  routes.get('/messages', (c) => list(c, c.get('mailbox').byTime))
  routes.get('/messages/$count', (c) => {
    const { filter } = readQuery(new URL(c.req.url).searchParams)
    return c.text(String(search(c.get('mailbox').byTime, { filter, orderBy: [] }).length))
  })
  routes.get('/messages/delta', () => {
    throw badRequest(
      'Change tracking is not supported against this resource: it is per folder.',
      'ErrorInvalidRequest',
    )
  })
  routes.get('/mailFolders/:folder/messages', (c) =>
    list(c, folderOf(c.get('mailbox'), c.req.param('folder')).byTime),
  )
  routes.get('/mailFolders/:folder/messages/$count', (c) => {
    const { filter } = readQuery(new URL(c.req.url).searchParams)
    const { byTime } = folderOf(c.get('mailbox'), c.req.param('folder'))
    return c.text(String(search(byTime, { filter, orderBy: [] }).length))
  })
  routes.get('/mailFolders/:folder/messages/delta', (c) => {
    const folder = folderOf(c.get('mailbox'), c.req.param('folder'))
    return answerDelta(state, tokens, c, {
      feed: folder.feed,
      type: 'message',
      check: checkDelta,
      first: ({ orderBy, filter }) =>
        orderBy.length > 0 ? all(search(folder.byTime, { filter, orderBy })) : null,
      includes: (message, { filter }) => filter.every((clause) => fits(clause, property(message, clause))),
      view: (message, query, since) =>
        messageView(message, askOf(c, query), {
          isDelta: true,
          only: since === null ? null : editedSince(message, since, query.select),
        }),
    })
  })

  for (const base of ['/messages/:message', '/mailFolders/:folder/messages/:message']) {
    routes.get(base, async (c) => {
      const query = readQuery(new URL(c.req.url).searchParams)
      checkSelect(query.select)
      const message = messageOf(c)
      return c.json(await messageView(message, askOf(c, query)), 200, applied(preferencesOf(c).applied))
    })
    routes.get(`${base}/$value`, async (c) =>
      c.body(await rawOf(messageOf(c)), 200, { 'content-type': 'text/plain' }),
    )
    routes.get(`${base}/attachments`, (c) => {
      const message = messageOf(c)
      return answerList(c, attachmentViews(message), (view, { select }) =>
        select === null
          ? view
          : Object.fromEntries(
              Object.entries(view).filter(
                ([name]) => name === 'id' || name.startsWith('@') || select.includes(name),
              ),
            ),
      )
    })
    routes.patch(base, async (c) => {
      const message = messageOf(c)
      const { isRead = message.isRead, categories = message.categories } = await bodyAs(c, patchBody)
      editMessage(state, message, { isRead, categories })
      return c.json(await messageView(message, askOf(c, readQuery(new URLSearchParams()))))
    })
    routes.delete(base, (c) => {
      const message = messageOf(c)
      const bin = findFolder(message.mailbox, 'deleteditems')
      if (bin === null || message.folder === bin) removeMessage(state, message)
      else moveMessage(state, message, bin)
      return c.body(null, 204)
    })
    routes.post(`${base}/move`, async (c) => {
      const message = messageOf(c)
      const { destinationId } = await bodyAs(c, moveBody)
      moveMessage(state, message, folderOf(message.mailbox, destinationId))
      return c.json(await messageView(message, askOf(c, readQuery(new URLSearchParams()))), 201)
    })
  }
  return routes
}

/** Either kind of id is taken, whichever is preferred; a mutable one only where the message is now. */
function messageOf(c: Context<Env>): Message {
  const mailbox = c.get('mailbox')
  const message = mailbox.messages.get(c.req.param('message') ?? '')
  const folder = c.req.param('folder')
  if (message === undefined || (folder !== undefined && findFolder(mailbox, folder) !== message.folder))
    throw itemNotFound()
  return message
}

function askOf(c: Context, { select, expand }: Query): MessageAsk {
  const { ids, body } = preferencesOf(c)
  const extended = /singleValueExtendedProperties\(\$filter=(.*)\)/i.exec(expand ?? '')?.[1] ?? ''
  return {
    ids,
    body,
    select,
    attachments: /(^|,)attachments/i.test(expand ?? ''),
    extended: [...extended.matchAll(/id eq '([^']*)'/gi)].map(([, id = '']) => id),
  }
}

/**
 * By time of arrival, latest first, unless asked otherwise. What is sorted by must be filtered by too, and first:
 * https://learn.microsoft.com/en-us/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query
 */
function search(
  from: Ordered<Message>,
  { filter, orderBy }: Pick<Query, 'filter' | 'orderBy'>,
): Span<Message> {
  const [order, ...further] = orderBy
  if (further.length > 0 || (order !== undefined && order.property !== 'receivedDateTime')) throw tooComplex()
  if (order !== undefined && filter.length > 0 && filter[0]?.property !== 'receivedDateTime')
    throw tooComplex()
  const { least, before } = bounds(filter)
  const others = filter.filter(({ property: name }) => name !== 'receivedDateTime')
  const inTime = from.between(least, before)
  const found =
    others.length === 0
      ? inTime
      : all(inTime).filter((message) => others.every((clause) => fits(clause, property(message, clause))))
  return order?.isDescending === false ? found : backwards(found)
}

function all<T>(span: Span<T>): readonly T[] {
  return span.slice(0, span.length)
}

/** What clauses on the time of arrival, which is shown in whole seconds, come to: from `least`, before `before`. */
function bounds(filter: readonly Clause[]): { least: number; before: number } {
  let [least, before] = [-Infinity, Infinity]
  for (const { property: name, operator, value } of filter) {
    if (name !== 'receivedDateTime') continue
    if (typeof value !== 'number' || operator === 'ne') throw invalidFilter(name)
    const up = Math.ceil(value / 1000) * 1000
    const next = Math.floor(value / 1000) * 1000 + 1000
    if (operator === 'ge' || operator === 'eq') least = Math.max(least, up)
    if (operator === 'gt') least = Math.max(least, next)
    if (operator === 'lt') before = Math.min(before, up)
    if (operator === 'le' || operator === 'eq') before = Math.min(before, next)
  }
  return { least, before }
}

function tooComplex(): GraphError {
  return badRequest('The restriction or sort order is too complex for this operation.', 'InefficientFilter')
}

function property(message: Message, { property: name }: Clause): string | number | boolean | null {
  const whole = (at: number) => Math.floor(at / 1000) * 1000
  switch (name) {
    case 'receivedDateTime':
      return whole(message.receivedAt)
    case 'sentDateTime':
      return whole(sentAtOf(message.letter) ?? message.receivedAt)
    case 'lastModifiedDateTime':
      return whole(message.modifiedAt)
    case 'createdDateTime':
      return whole(message.createdAt)
    case 'internetMessageId':
      return messageIdOf(message.letter)
    case 'conversationId':
      return message.conversationId
    case 'subject':
      return message.letter.subject ?? ''
    case 'isDraft':
      return message.isDraft
    case 'isRead':
      return message.isRead
    case 'hasAttachments':
      return message.letter.attachments.length > 0
    case 'from/emailAddress/address':
      return peopleOf(message.letter, 'from')[0]?.address ?? null
    default:
      throw invalidFilter(name)
  }
}

/** What delta takes: https://learn.microsoft.com/en-us/graph/delta-query-messages */
function checkDelta({ select, filter, orderBy }: Query): void {
  checkSelect(select?.filter((name) => name !== 'meetingMessageType') ?? null)
  for (const { property: name, operator } of filter) {
    if (name !== 'receivedDateTime' || (operator !== 'ge' && operator !== 'gt'))
      throw badRequest(
        `'$filter' on ${name} ${operator} is not supported with change tracking.`,
        'ErrorInvalidUrlQueryFilter',
      )
  }
  const [order, ...others] = orderBy
  if (
    others.length > 0 ||
    (order !== undefined && !(order.property === 'receivedDateTime' && order.isDescending))
  )
    throw badRequest("The only '$orderby' supported with change tracking is receivedDateTime desc.")
}

function editedSince({ edits }: Message, since: number, select: readonly string[] | null): readonly string[] {
  const names = [...(edits ?? [])].flatMap(([name, at]) => (at > since ? [name] : []))
  return select === null ? names : names.filter((name) => select.includes(name))
}
