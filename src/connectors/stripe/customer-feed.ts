import { bad, present, type Feed } from './feed.ts'
import { customerWire, problemOf, stubWire } from './wire.ts'

export const customerFeed: Feed = {
  object: 'customer',
  eventTypes: ['customer.created', 'customer.updated', 'customer.deleted'],
  subject: (of) => (of.object === 'customer' ? of.id : null),
  list: (client, params) => client.customers.list(params),
  retrieve: (client, id) => client.customers.retrieve(id),
  async sight(_client, raw) {
    const stub = stubWire.safeParse(raw)
    if (stub.success) return { kind: 'seen', observation: { kind: 'absent', id: stub.data.id } }
    const read = customerWire.safeParse(raw)
    if (!read.success) return bad(customerFeed, raw, problemOf(read.error))
    const { object: _, ...body } = read.data
    return present(body.id, body)
  },
}
