import PQueue from 'p-queue'
import PostalMime, { type Address } from 'postal-mime'
import postgres from 'postgres'
import { z } from 'zod'
import type { Task } from './wire.ts'

/** As the connector: ids by the hundred, five reads at once. */
const LISTED = 100
const WIDTH = 5

const listing = z.object({
  messages: z.array(z.object({ id: z.string() })).default([]),
  nextPageToken: z.string().optional(),
})
const wire = z.object({ id: z.string(), raw: z.string(), internalDate: z.string() })

/**
 * What anybody who logs mail must do at least: list the mailbox, read each message, parse it as MIME, and put it into
 * one plain table, a hundred at a time, the next ones read while these are written. Returns seconds.
 */
export async function plainMail({ url, vendor, address, token }: Task): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  const get = async (path: string): Promise<unknown> => {
    const reply = await fetch(`${vendor}/gmail/v1/users/${address}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return reply.json()
  }
  const readOne = async (id: string): Promise<readonly string[]> => {
    const { raw, internalDate } = wire.parse(await get(`/messages/${id}?format=raw`))
    const mail = await PostalMime.parse(Buffer.from(raw, 'base64url'))
    const { messageId = '', subject = '', text = '', html = '' } = mail
    const to = (mail.to ?? []).map(addressOf).join(' ')
    return [
      id,
      messageId,
      internalDate,
      mail.from === undefined ? '' : addressOf(mail.from),
      to,
      subject,
      text,
      html,
    ]
  }
  try {
    await sql.unsafe(
      `create table if not exists plain_mail (id text primary key, message_id text, at text, sender text, recipients text,
        subject text, text text, html text)`,
    )
    const startedAt = performance.now()
    let writing: Promise<unknown> = Promise.resolve()
    for (let page: string | undefined = ''; page !== undefined; ) {
      const more: string = page === '' ? '' : `&pageToken=${encodeURIComponent(page)}`
      const { messages, nextPageToken } = listing.parse(await get(`/messages?maxResults=${LISTED}${more}`))
      const queue = new PQueue({ concurrency: WIDTH })
      const rows = await queue.addAll(
        messages.map(
          ({ id }) =>
            () =>
              readOne(id),
        ),
      )
      await writing
      const columns = COLUMNS.map((_, i) => rows.map((row) => row[i] ?? ''))
      writing = sql.unsafe(INSERT, columns, { prepare: true }).execute()
      page = nextPageToken
    }
    await writing
    return (performance.now() - startedAt) / 1000
  } finally {
    await sql.end()
  }
}

const COLUMNS = ['id', 'message_id', 'at', 'sender', 'recipients', 'subject', 'text', 'html']
const INSERT = `insert into plain_mail (${COLUMNS.join(', ')})
  select * from unnest(${COLUMNS.map((_, i) => `$${i + 1}::text[]`).join(', ')})`

const addressOf = (one: Address): string => one.address ?? ''
