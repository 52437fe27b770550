import { type Api, endpoint } from './endpoint.ts'
import { notFound, unread } from './errors.ts'
import { eventWire, oldestReachable } from './events.ts'
import { listWire, pageOf } from './listing.ts'
import { boolean, expand, list, paging, text, timeRange, z } from './params.ts'
import type { StripeState } from './state.ts'
import type { StripeEvent, Wire } from './types.ts'
import { thinEvent } from './webhooks.ts'

const listing = z.strictObject({
  ...paging,
  ...expand,
  created: timeRange.optional(),
  delivery_success: boolean.optional(),
  type: text().optional(),
  types: list(text()).optional(),
})

/** https://docs.stripe.com/api/events and, for thin payloads, https://docs.stripe.com/api/v2/core/events */
export function eventRoutes(api: Api): void {
  const { state } = api
  endpoint(api, 'GET', '/v1/events', listing, (params) => listEvents(state, params))
  endpoint(api, 'GET', '/v1/events/:id', z.strictObject(expand), (_, path) =>
    eventWire(state, reachable(state, path('id'))),
  )
  endpoint(api, 'GET', '/v2/core/events/:id', z.strictObject({}), (_, path) =>
    thinEvent(reachable(state, path('id'))),
  )
}

function listEvents(state: StripeState, params: z.output<typeof listing>): Wire {
  if (params.type !== undefined && params.types !== undefined)
    throw unread('You may only specify one of these parameters: type, types.', {
      code: 'parameters_exclusive',
    })
  if (params.types !== undefined && params.types.length > 20)
    throw unread('You can pass at most 20 event types.', { param: 'types' })
  const wanted = params.types ?? (params.type === undefined ? null : [params.type])
  const page = pageOf(state.events, params, {
    kind: 'event',
    created: {
      from: Math.max(params.created?.from ?? Number.NEGATIVE_INFINITY, oldestReachable(state)),
      to: params.created?.to ?? Number.POSITIVE_INFINITY,
    },
    keep: (event) =>
      (wanted === null || wanted.some((type) => matches(type, event.type))) &&
      (params.delivery_success === undefined || params.delivery_success === !state.undelivered.has(event.id)),
  })
  const rows = page.rows.map((event) => eventWire(state, event))
  return listWire('/v1/events', rows, page.hasMore)
}

/** `*` stands for any rest: `customer.*`. */
function matches(wanted: string, type: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : wanted === type
}

function reachable(state: StripeState, id: string): StripeEvent {
  const event = state.events.get(id)
  if (event === undefined || event.created < oldestReachable(state)) throw notFound('event', id)
  return event
}
