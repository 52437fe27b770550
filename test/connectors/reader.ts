import type { Io } from '../../src/connectors/connector.ts'
import type { Mail, MailAsk, MailPage, Sighting } from '../../src/connectors/mail.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'

/** What a hub does with pages, as far as a mail connector can tell: it keeps cursors and knows what it read. */
export type Reader = {
  /** In the order of the last sighting. */
  readonly read: Map<string, Sighting>
  readonly bad: Map<string, string>
  readonly pages: MailPage[]
  cursor: JsonObject | null
  since: number | null
  /** Ids that the hub says it need not read again. */
  knows: (id: string) => boolean
  page(want: MailAsk['want']): Promise<MailPage>
  /** Pages until nothing more of it waits. */
  drain(want: MailAsk['want'], most?: number): Promise<readonly MailPage[]>
}

export function readerOf(mail: Mail, io: Io, mailbox: Mailbox): Reader {
  const reader: Reader = {
    read: new Map(),
    bad: new Map(),
    pages: [],
    cursor: null,
    since: null,
    knows: (id) => reader.read.has(id) || reader.bad.has(id),
    async page(want) {
      const page = await mail.pull(io, mailbox, reader.cursor, {
        want,
        since: reader.since,
        known: async (ids) => new Set(ids.filter((id) => reader.knows(id))),
      })
      for (const sighting of page.sightings) {
        reader.read.delete(sighting.id)
        reader.read.set(sighting.id, sighting)
      }
      for (const { id, problem } of page.bad) reader.bad.set(id ?? '', problem)
      // A cursor is kept as JSON.
      reader.cursor = JSON.parse(JSON.stringify(page.cursor)) as JsonObject
      reader.pages.push(page)
      return page
    },
    async drain(want, most = 500) {
      const pages: MailPage[] = []
      for (;;) {
        const page = await reader.page(want)
        pages.push(page)
        if (!page.more) return pages
        if (pages.length >= most) throw new Error(`${want} does not come to an end`)
      }
    },
  }
  return reader
}
