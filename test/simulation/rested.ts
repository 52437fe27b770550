import { createHash } from 'node:crypto'
import { loadRecords } from '../../src/store/records.ts'
import type { Ground } from './ground.ts'
import { recordsByRef } from './properties.ts'
import type { Run } from './run.ts'

/** What people do from here on is measured by how things stand now. */
export async function rested(run: Run): Promise<void> {
  run.note(`settled ${hashOf(await state(run.ground))}`)
  const records = await recordsByRef(run)
  const contacts = await loadRecords(run.ground.sql, 'contact', [...new Set(records.values())])
  const agreed = [...contacts.values()].flatMap((c) =>
    Object.entries(c.fields).map(([field, value]) => [`${c.id} ${field}`, value] as const),
  )
  run.oracle.settled(records.keys(), new Map(agreed), run.ground.clock.now)
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** What it all came to, for the digest. */
async function state({ sql, mailchimp, stripe }: Ground): Promise<string> {
  const contacts = await sql`
    select id, version, emails, given_name, family_name, job_title, company_name, phones, email_consent, archived_at
    from contacts order by id`
  const links =
    await sql`select id, stream_id, record_id, remote_id, state, wake, settled from links order by id`
  const outbox = await sql`select key, op, state, attempts from outbox order by id`
  const invoices = await sql`select id, deal_id, status, total, paid from invoices order by id`
  const members = mailchimp.admin
    .members()
    .map(({ email, status, mergeFields }) => [email, status, ...mergeFields])
  const customers = stripe.admin.customers()
  const sightings = await sql`
    select stream_id, remote_id, verdict, reason, content, message_id from sightings order by 1, 2`
  const messages = await sql`select id, thread_id, state, content, direction from messages order by id`
  return JSON.stringify({ contacts, links, outbox, invoices, members, customers, sightings, messages })
}
