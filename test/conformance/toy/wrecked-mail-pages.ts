import { type Cursor, failureOf, VendorError } from '../../../src/connectors/connector.ts'
import type { Sighting } from '../../../src/connectors/mail.ts'
import { mail, pagedMail, withMail } from './wreck-mail.ts'
import type { Sabotages } from './wreck.ts'

const FORGOTTEN = new VendorError({ kind: 'cursor-expired', message: 'Forgotten.' })
const numberIn = (from: Cursor | null, field: string): number => Number(from?.[field] ?? 0)

export const WRECKED_MAIL_PAGES: Sabotages = [
  [
    'addresses as the vendor writes them',
    'mailboxes are named by their main address, in small letters, the same each time',
    () =>
      withMail({
        mailboxes: async (io) =>
          (await mail.mailboxes(io)).map((one) => ({ ...one, addresses: [one.address, 'Ann@Loft.Example'] })),
      }),
  ],
  [
    'a first page that begins to read',
    'the first live page takes its place and brings nothing',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from, ask)
          return from === null ? mail.pull(io, mailbox, page.cursor, { ...ask, want: 'backfill' }) : page
        },
      }),
  ],
  [
    'a place that is taken anew with each page of the backfill',
    'mail that arrives after the place was taken is never missed',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from, ask)
          if (ask.want === 'live') return page
          const { cursor } = await mail.pull(io, mailbox, null, ask)
          return { ...page, cursor: { ...page.cursor, since: cursor['since'] ?? 0 } }
        },
      }),
  ],
  [
    'a backfill that loses the last message of a page',
    'live and backfill together account for every message',
    () =>
      pagedMail((page, { want }) =>
        want === 'backfill' && page.more ? { ...page, sightings: page.sightings.slice(0, -1) } : page,
      ),
  ],
  [
    'a total that is less than what was listed',
    'live and backfill together account for every message',
    () =>
      pagedMail((page) =>
        page.backfill.kind === 'done' ? page : { ...page, backfill: { ...page.backfill, total: 1 } },
      ),
  ],
  [
    'all pages as one',
    'pages of mail are bounded',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const all: Sighting[] = []
          for (let at = from; ; ) {
            const page = await mail.pull(io, mailbox, at, ask)
            all.push(...page.sightings)
            at = page.cursor
            if (!page.more) return { ...page, sightings: all }
          }
        },
      }),
  ],
  [
    'a live pull that goes back a little each time',
    'a live pull with nothing new brings nothing',
    () =>
      withMail({
        pull: (io, mailbox, from, ask) =>
          mail.pull(
            io,
            mailbox,
            from === null ? null : { ...from, since: Math.max(0, numberIn(from, 'since') - 2) },
            ask,
          ),
      }),
  ],
  [
    'a place kept in memory',
    'the cursor of a mailbox is all there is to remember: each page by a new process',
    () => {
      let place: Cursor | null = null
      return withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from === null ? null : place, ask)
          place = page.cursor
          return { ...page, cursor: { page: 'next' } }
        },
      })
    },
  ],
  [
    'messages that are given out once',
    'a page of mail that is lost is read again with the same messages',
    () => {
      const given = new Set<string>()
      return pagedMail((page) => ({
        ...page,
        sightings: page.sightings.filter(({ id }) => !given.has(id) && given.add(id)),
      }))
    },
  ],
  [
    'an odd cursor that stops the mailbox',
    'a cursor of mail that cannot be read starts over',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          if (from !== null && from['since'] === undefined) throw FORGOTTEN
          return mail.pull(io, mailbox, from, ask)
        },
      }),
  ],
  [
    'a forgotten cursor that is taken up from now on',
    'a cursor that the vendor has forgotten starts over, and loses nothing',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from, ask)
          const isOver = from !== null && from['below'] === null
          return isOver && page.backfill.kind === 'waiting'
            ? { ...page, cursor: { ...page.cursor, below: null }, backfill: { kind: 'done' } }
            : page
        },
      }),
  ],
  [
    'a forgotten cursor that is thrown',
    'a cursor that the vendor has forgotten starts over, and loses nothing',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from, ask)
          const isForgotten = from !== null && from['below'] === null && page.backfill.kind === 'waiting'
          if (isForgotten) throw FORGOTTEN
          return page
        },
      }),
  ],
  [
    'a backfill that passes over all that is known',
    'what became private while nobody looked is sighted, though it is known',
    () =>
      pagedMail(async (page, { want, known }) => {
        const read = await known(page.sightings.map(({ id }) => id))
        return want === 'live'
          ? page
          : { ...page, sightings: page.sightings.filter(({ id }) => !read.has(id)) }
      }),
  ],
  [
    'a backfill of everything, whatever is asked',
    'older mail than was asked for is left out of the backfill, and no other',
    () =>
      withMail({ pull: (io, mailbox, from, ask) => mail.pull(io, mailbox, from, { ...ask, since: null }) }),
  ],
  [
    'a beginning that is taken for the end',
    'older mail than was asked for is left out of the backfill, and no other',
    () =>
      pagedMail((page, { since, want }) =>
        want === 'live' || since === null
          ? page
          : {
              ...page,
              sightings: page.sightings.filter(
                (one) => one.kind === 'gone' || one.sighted.message.envelope.at < since,
              ),
            },
      ),
  ],
  [
    'a live pull that waits for the backfill',
    'mail that arrives is sighted by the next live pull, also during a backfill',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from, ask)
          if (ask.want === 'backfill' || page.backfill.kind === 'done' || from === null) return page
          return { ...page, sightings: [], cursor: from, more: false }
        },
      }),
  ],
  [
    'a page that nobody can read on from after an outage',
    'a page that breaks off fails as a failure, and is read again without loss',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          try {
            return await mail.pull(io, mailbox, from, ask)
          } catch (error) {
            if (failureOf(error) === null || from === null) throw error
            const cursor = { ...from, below: null }
            return { sightings: [], bad: [], cursor, more: false, backfill: { kind: 'done' } }
          }
        },
      }),
  ],
  [
    'an outage that is a bug',
    'a page that breaks off fails as a failure, and is read again without loss',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          try {
            return await mail.pull(io, mailbox, from, ask)
          } catch {
            throw new TypeError('undefined is not a page')
          }
        },
      }),
  ],
]
