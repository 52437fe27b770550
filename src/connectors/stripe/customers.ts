import type { Resource } from '../connector.ts'
import { CUSTOMER_FIELDS } from './customer-body.ts'
import { customerFeed } from './customer-feed.ts'
import { eraseCustomers, findCustomers, sendToCustomer } from './customer-push.ts'
import { fetchNow, pull } from './pull.ts'
import { sendAll, BATCH, KEY_LIVES_MS } from './sending.ts'

/** Bodies are https://docs.stripe.com/api/customers/object, cut down to the fields of `discover` and the id. */
export const customers: Resource = {
  deletes: 'reported',
  push: {
    batchMax: BATCH,
    dedupe: { kind: 'key', keyLivesMs: KEY_LIVES_MS },
    send: (io, writes) => sendAll(io, writes, sendToCustomer),
    find: findCustomers,
    keepsArchived: 'Stripe cannot archive customers, and deleting one ends what it pays for',
    erase: eraseCustomers,
  },
  discover: async () => CUSTOMER_FIELDS,
  pull: (io, from) => pull(customerFeed, io, from),
  fetch: (io, ids) => fetchNow(customerFeed, io, ids),
}
