import type { Resource } from '../connector.ts'
import { INVOICE_FIELDS } from './invoice-body.ts'
import { invoiceFeed } from './invoice-feed.ts'
import { findInvoices, sendToInvoice } from './invoice-push.ts'
import { fetchNow, pull } from './pull.ts'
import { BATCH, KEY_LIVES_MS, sendAll } from './sending.ts'

/** Bodies: see `invoiceBody`. A create issues the invoice, see `issue`. */
export const invoices: Resource = {
  deletes: 'reported',
  push: {
    batchMax: BATCH,
    dedupe: { kind: 'key', keyLivesMs: KEY_LIVES_MS },
    send: (io, writes) => sendAll(io, writes, sendToInvoice),
    find: findInvoices,
  },
  discover: async () => INVOICE_FIELDS,
  pull: (io, from) => pull(invoiceFeed, io, from),
  fetch: (io, ids) => fetchNow(invoiceFeed, io, ids),
}
