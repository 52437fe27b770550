import type { RemoteId } from '../../../src/connectors/connector.ts'
import { elapse, type MailRig, Reading } from '../mail-rig.ts'
import { need, short, want, wantSame } from '../verdict.ts'
import { HOUR, type MailCheck, MINUTE, question, readAll, seed } from './mail-check.ts'

const EVERY_ID = 'MailPage.sightings: "Every id that was listed is in here or in `bad`".'

export const MAIL_PAGES: readonly MailCheck[] = [
  {
    name: 'mailboxes are named by their main address, in small letters, the same each time',
    contract: 'Mailbox: "addresses in small letters"; streams, rules and people name it by its main one.',
    async run(rig) {
      const { stand, mail, io } = rig
      const all = await mail.mailboxes(io)
      for (const address of [stand.address, ...(stand.other === undefined ? [] : [stand.other])])
        wantSame(all.find((one) => one.address === address)?.address, address, `mailboxes gave ${short(all)}`)
      for (const { id, address, addresses } of all) {
        want(id !== '', `The mailbox of ${address} has no id`)
        want(addresses.includes(address), `${address} is not among its own addresses ${short(addresses)}`)
        const odd = addresses.filter((one) => one !== one.toLowerCase() || !one.includes('@'))
        wantSame(odd, [], `Addresses of ${address} that are none in small letters`)
      }
      wantSame(new Set(all.map(({ id }) => id)).size, all.length, 'Two mailboxes have one id')
      const again = rig.restarted()
      wantSame(await again.mail.mailboxes(again.io), all, 'mailboxes answered differently the second time')
    },
  },
  {
    name: 'the first live page takes its place and brings nothing',
    contract: 'MailAsk.want: live "with no cursor, only where to go on from later".',
    async run(rig) {
      await seed(rig, 3)
      const page = await new Reading(rig, await rig.box()).page('live')
      wantSame([page.sightings, page.bad], [[], []], 'The first live page brings what was there before')
      wantSame(page.more, false, 'The first live page says that more waits, where nothing has come since')
      wantSame(page.backfill.kind, 'waiting', 'With three messages there, the backfill')
    },
  },
  {
    name: 'mail that arrives after the place was taken is never missed',
    contract:
      'MailAsk.want: the place is "taken before anything is listed", so that what comes between is seen.',
    async run(rig) {
      const { stand } = rig
      await seed(rig, stand.threePages)
      const reading = new Reading(rig, await rig.box())
      await reading.page('live')
      const ids = [await stand.deliver(stand.address, question(rig))]
      await reading.page('backfill')
      elapse(rig, MINUTE)
      // Between two pages of a backfill that goes on to older mail, and never comes back.
      ids.push(await stand.deliver(stand.address, question(rig)))
      await reading.page('backfill')
      await reading.everything(async (n) => {
        if (n < 3) ids.push(await stand.deliver(stand.address, question(rig)))
      })
      await reading.later()
      wantSame(reading.unaccounted(ids), [], 'Mail that arrived meanwhile was missed')
    },
  },
  {
    name: 'live and backfill together account for every message',
    contract: EVERY_ID,
    async run(rig) {
      const ids = await seed(rig, rig.stand.threePages)
      const reading = await readAll(rig)
      const pages = reading.pages.filter((one) => one.want === 'backfill').map(({ page }) => page)
      want(
        pages.length >= 3,
        `${ids.length} messages came on ${pages.length} page(s) of backfill, not on three`,
      )
      wantSame(reading.unaccounted(ids), [], 'No page said anything about messages that are there')
      for (const id of ids) reading.sighted(id, 'A message that was there from the start')
      for (const { backfill } of pages) {
        if (backfill.kind === 'done') continue
        const { listed, total } = backfill
        want(total === null || total >= listed, `${listed} were listed of ${total} in all`)
      }
      wantSame(pages.at(-1)?.more, false, 'The last page of the backfill says that more waits')
    },
  },
  {
    name: 'pages of mail are bounded',
    contract: 'MailAsk.want: "one small page"; the hub keeps it in memory, and reads it again after a crash.',
    async run(rig) {
      const { stand } = rig
      const reading = new Reading(rig, await rig.box())
      await reading.everything()
      elapse(rig, HOUR)
      for (let n = 0; n < stand.threePages; n++) await stand.deliver(stand.address, question(rig))
      await reading.later()
      const fresh = new Reading(rig, await rig.box())
      await fresh.everything()
      for (const { want: wanted, page } of [...reading.pages, ...fresh.pages]) {
        const size = page.sightings.length + page.bad.length
        want(
          size <= stand.pageMax,
          `A page of ${wanted} has ${size} messages; the most it may have is ${stand.pageMax}`,
        )
      }
    },
  },
  {
    name: 'a live pull with nothing new brings nothing',
    contract:
      'MailAsk.want: live is "what changed since the cursor"; all else is read, and paid for, for nothing.',
    async run(rig) {
      await seed(rig, 3)
      const reading = await readAll(rig)
      await reading.later()
      const before = reading.pages.length
      elapse(rig, HOUR)
      await reading.live()
      await reading.live()
      wantSame(reading.since(before), [], 'An idle live pull brings messages that nobody touched')
    },
  },
  {
    name: 'the cursor of a mailbox is all there is to remember: each page by a new process',
    contract: 'Mail.pull: "The cursor holds both ways of reading and is JSON of the connector’s own".',
    run: (rig) => accounted(rig, 'restart', 'A restart at a page boundary loses messages'),
  },
  {
    name: 'a page of mail that is lost is read again with the same messages',
    contract: 'The page and its cursor are stored together or not at all, so a cursor is used again.',
    run: (rig) => accounted(rig, 'twice', 'Reading pages again loses messages'),
  },
  {
    name: 'a cursor of mail that cannot be read starts over',
    contract: 'Mail.pull: a cursor that is of no use "is not an error: that part starts over".',
    async run(rig) {
      const ids = await seed(rig, 3)
      const reading = new Reading(rig, await rig.box())
      for (const cursor of [{ no: 'such cursor' }, {}, { live: null, state: 7 }]) {
        reading.cursor = cursor
        reading.seen.clear()
        const page = await reading.page('live')
        wantSame(page.backfill.kind, 'waiting', `From the cursor ${short(cursor)}, the backfill`)
        await reading.everything()
        wantSame(reading.unaccounted(ids), [], `From the cursor ${short(cursor)}, messages are missed`)
      }
    },
  },
  {
    name: 'a cursor that the vendor has forgotten starts over, and loses nothing',
    contract: 'Mail.pull: "A cursor the vendor has forgotten is not an error: that part starts over".',
    async run(rig) {
      const { stand } = rig
      const expire = need(stand.expire, 'the vendor never forgets a cursor')
      const old = await seed(rig, 8)
      const reading = await readAll(rig)
      elapse(rig, MINUTE)
      const fresh = [await stand.deliver(stand.address, question(rig))]
      await expire(stand.address)
      elapse(rig, MINUTE)
      fresh.push(await stand.deliver(stand.address, question(rig)))
      reading.seen.clear()
      const page = await reading.live()
      wantSame(page.backfill.kind, 'waiting', 'After the vendor forgot the cursor, the backfill')
      await reading.later()
      wantSame(reading.unaccounted(fresh), [], 'Mail of the time that was forgotten is missed')
      wantSame(reading.unaccounted(old), [], 'What the hub does not know is missed when it starts over')
    },
  },
  {
    name: 'what became private while nobody looked is sighted, though it is known',
    contract:
      'MailAsk.known: labels "may have changed while nobody looked"; docs/connectors.md, "Starting over".',
    async run(rig) {
      const { stand } = rig
      const expire = need(stand.expire, 'the vendor never forgets a cursor')
      const ids = await seed(rig, 6)
      await readAll(rig)
      const reading = new Reading(rig, await rig.box(), { knows: (id) => ids.slice(2).includes(id) })
      await reading.everything()
      elapse(rig, MINUTE)
      const filed = await stand.file(stand.address, need(ids[3], ''), 'Private')
      await expire(stand.address)
      elapse(rig, MINUTE)
      reading.seen.clear()
      await reading.later()
      wantSame(
        reading.unaccounted(ids.slice(0, 2)),
        [],
        'What the hub does not know is missed when it starts over',
      )
      const { labels } = reading.sighted(filed, 'A message labelled while the cursor was lost')
      want(isLabelled(labels, 'Private'), `Its labels are ${short(labels)}, without Private`)
    },
  },
  {
    name: 'older mail than was asked for is left out of the backfill, and no other',
    contract: 'MailAsk.since: "Mail from before is left out of the backfill."',
    async run(rig) {
      const { stand, io } = rig
      const since = io.now() - 10 * HOUR
      const at = (hours: number) => {
        const time = io.now() - hours * HOUR
        return stand.deliver(stand.address, question(rig, { date: time }), time)
      }
      // A vendor may know days only, in a zone of its own; the rules leave the rest out.
      const [old, young] = [
        [await at(200), await at(80)],
        [await at(9), await at(1)],
      ]
      const reading = new Reading(rig, await rig.box(), { since })
      await reading.everything()
      wantSame(reading.unaccounted(young), [], 'Newer mail is left out')
      wantSame(reading.unaccounted(old), old, 'Older mail is not left out')
    },
  },
]

/** Labels are the owner's names; a nested one or a folder is named with those above it. */
export function isLabelled(labels: readonly string[] | null, name: string): boolean {
  return labels?.some((label) => label === name || label.endsWith(`/${name}`)) === true
}

async function accounted(rig: MailRig, each: 'restart' | 'twice', otherwise: string): Promise<void> {
  const { stand } = rig
  const ids: RemoteId[] = [...(await seed(rig, stand.threePages))]
  const reading = new Reading(rig, await rig.box(), { each })
  await reading.everything(async (n) => {
    if (n < 4) ids.push(await stand.deliver(stand.address, question(rig)))
  })
  await reading.later()
  wantSame(reading.unaccounted(ids), [], otherwise)
  for (const id of ids) reading.sighted(id, 'A message')
}
