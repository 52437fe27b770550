import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { type Admitted, admit } from './access.ts'
import { forbidden, invalid, notFound } from './errors.ts'
import { project } from './fields.ts'
import { listHistory } from './list-history.ts'
import { listMessages } from './list-messages.ts'
import { type Format, messageWire, partIdIn } from './message-wire.ts'
import { countIn, knowing, optional } from './params.ts'
import { partNamed, partsOf } from './parts.ts'
import type { Meter, Method } from './quota.ts'
import type { GmailState, Label, Stored } from './state.ts'

const format = z.enum(['minimal', 'full', 'raw', 'metadata'])
const HISTORY_TYPES = ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved']
const WATCH_LIFE_MS = 7 * 86_400_000

const watchBody = z.strictObject({
  topicName: z.string(),
  labelIds: z.array(z.string()).default([]),
  labelFilterBehavior: z.enum(['include', 'exclude', 'INCLUDE', 'EXCLUDE']).optional(),
  labelFilterAction: z.enum(['include', 'exclude', 'INCLUDE', 'EXCLUDE']).optional(),
})

type Handler = (admitted: Admitted, query: URLSearchParams, c: Context) => object | Promise<object>

/** https://developers.google.com/workspace/gmail/api/reference/rest */
export function mailRoutes(state: GmailState, meter: Meter): Hono {
  const routes = new Hono()
  const method = (name: Method, known: readonly string[], handle: Handler) => async (c: Context) => {
    const query = knowing(c, known)
    const body = await handle(admit(state, meter, c, name), query, c)
    const fields = query.get('fields')
    return c.json(fields === null ? body : project(body, fields))
  }
  const at = (path: string): string => `/gmail/v1/users/:userId${path}`

  routes.get(
    at('/profile'),
    method('getProfile', [], ({ mailbox }) => ({
      emailAddress: mailbox.address,
      messagesTotal: mailbox.byId.size,
      threadsTotal: mailbox.threads.size,
      historyId: String(mailbox.historyId),
    })),
  )

  routes.get(
    at('/labels'),
    method('labels.list', [], ({ mailbox }) => ({ labels: [...mailbox.labels.values()].map(labelWire) })),
  )

  routes.get(
    at('/labels/:id'),
    method('labels.get', [], ({ mailbox }, _query, c) => {
      const label = mailbox.labels.get(c.req.param('id') ?? '')
      if (label === undefined) throw notFound()
      const held = mailbox.byDate.filter(({ labels }) => labels.includes(label.id))
      const unread = held.filter(({ labels }) => labels.includes('UNREAD'))
      return { ...labelWire(label), messagesTotal: held.length, messagesUnread: unread.length }
    }),
  )

  routes.get(
    at('/messages'),
    method(
      'messages.list',
      ['q', 'labelIds', 'includeSpamTrash', 'maxResults', 'pageToken'],
      ({ mailbox, seesContent }, query) => {
        const q = query.get('q') ?? ''
        if (q !== '' && !seesContent) throw forbidden("Metadata scope does not support 'q' parameter")
        return listMessages(mailbox, {
          q,
          labelIds: query.getAll('labelIds'),
          includeSpamTrash: query.get('includeSpamTrash') === 'true',
          maxResults: countIn(query, 500, 100),
          pageToken: optional(query, 'pageToken'),
          now: state.now(),
        })
      },
    ),
  )

  routes.get(
    at('/messages/:id'),
    method('messages.get', ['format', 'metadataHeaders'], (admitted, query, c) => {
      const stored = admitted.mailbox.byId.get(c.req.param('id') ?? '')
      if (stored === undefined) throw notFound()
      if (state.switches.missing?.(stored.id, admitted.mailbox.address) === true) throw notFound()
      return wire(admitted, stored, query)
    }),
  )

  routes.get(
    at('/messages/:id/attachments/:attachment'),
    method('messages.attachments.get', [], ({ mailbox }, _query, c) => {
      const stored = mailbox.byId.get(c.req.param('id') ?? '')
      if (stored === undefined) throw notFound()
      const part = partNamed(partsOf(stored.raw), partIdIn(c.req.param('attachment') ?? ''))
      if (part === null || part.filename === '') throw invalid('Invalid attachment token')
      return { size: part.bytes.length, data: part.bytes.toString('base64url') }
    }),
  )

  routes.get(
    at('/threads/:id'),
    method('threads.get', ['format', 'metadataHeaders'], (admitted, query, c) => {
      const id = c.req.param('id') ?? ''
      const ids = admitted.mailbox.threads.get(id)?.ids
      if (ids === undefined) throw notFound()
      const held = [...ids].flatMap((one) => admitted.mailbox.byId.get(one) ?? [])
      const historyId = String(Math.max(...held.map((stored) => stored.historyId)))
      return { id, historyId, messages: held.map((stored) => wire(admitted, stored, query)) }
    }),
  )

  routes.get(
    at('/history'),
    method(
      'history.list',
      ['startHistoryId', 'historyTypes', 'labelId', 'maxResults', 'pageToken'],
      ({ mailbox }, query) => {
        const types = query.getAll('historyTypes')
        const odd = types.find((type) => !HISTORY_TYPES.includes(type))
        if (odd !== undefined) throw invalid(`Invalid value at 'history_types', "${odd}"`)
        return listHistory(state, mailbox, {
          start: optional(query, 'startHistoryId'),
          types,
          labelId: optional(query, 'labelId'),
          maxResults: countIn(query, 500, 100),
          pageToken: optional(query, 'pageToken'),
        })
      },
    ),
  )

  routes.get(
    at('/settings/sendAs'),
    method('settings.sendAs.list', [], ({ mailbox }) => ({
      sendAs: [
        {
          sendAsEmail: mailbox.address,
          displayName: mailbox.name,
          replyToAddress: '',
          signature: '',
          isPrimary: true,
          isDefault: true,
        },
        ...mailbox.aliases.map(({ address, name }) => ({
          sendAsEmail: address,
          displayName: name,
          replyToAddress: '',
          signature: '',
          treatAsAlias: true,
          verificationStatus: 'accepted',
        })),
      ],
    })),
  )

  routes.post(
    at('/watch'),
    method('watch', [], async ({ mailbox }, _query, c) => {
      const body = watchBody.safeParse(await c.req.json<unknown>().catch(() => null))
      if (!body.success) throw invalid('Invalid JSON payload received.')
      const { topicName, labelIds, labelFilterBehavior, labelFilterAction } = body.data
      if (!/^projects\/[^/]+\/topics\/[^/]+$/.test(topicName))
        throw invalid(`Invalid topicName does not match projects/*/topics/*`)
      const topic = state.topics.get(topicName)
      if (topic === undefined) throw notFoundTopic(topicName)
      if (!topic.granted)
        throw forbidden(
          `Error sending test message to Cloud PubSub ${topicName} : User not authorized to perform this action.`,
        )
      const behaviour = (labelFilterBehavior ?? labelFilterAction ?? 'include').toLowerCase()
      const expiresAt = state.now() + WATCH_LIFE_MS
      mailbox.watch = {
        topic: topicName,
        labelIds,
        behaviour: behaviour === 'exclude' ? 'exclude' : 'include',
        expiresAt,
      }
      return { historyId: String(mailbox.historyId), expiration: String(expiresAt) }
    }),
  )

  routes.post(at('/stop'), async (c) => {
    knowing(c, [])
    admit(state, meter, c, 'stop').mailbox.watch = null
    return c.body(null, 204)
  })

  return routes
}

function wire({ seesContent }: Admitted, stored: Stored, query: URLSearchParams): object {
  const asked = format.safeParse((query.get('format') ?? 'full').toLowerCase())
  if (!asked.success) throw invalid(`Invalid value at 'format', "${query.get('format')}"`)
  const wanted: Format = asked.data
  if (!seesContent && (wanted === 'full' || wanted === 'raw'))
    throw forbidden(`Metadata scope doesn't allow format ${wanted.toUpperCase()}`)
  return messageWire(stored, wanted, query.getAll('metadataHeaders'))
}

function labelWire({ id, name, type }: Label): object {
  return type === 'system'
    ? { id, name, type }
    : { id, name, type, messageListVisibility: 'show', labelListVisibility: 'labelShow' }
}

function notFoundTopic(topicName: string): Error {
  return invalid(
    `Error sending test message to Cloud PubSub ${topicName} : Resource not found (resource=${topicName.split('/').at(-1)}).`,
  )
}
