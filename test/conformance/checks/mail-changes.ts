import type { RemoteId } from '../../../src/connectors/connector.ts'
import type { MailFlag } from '../../../src/core/mail/message.ts'
import { elapse, type MailRig, Reading } from '../mail-rig.ts'
import { need, short, want, wantSame } from '../verdict.ts'
import { answer, type MailCheck, MINUTE, question, readAll, seed } from './mail-check.ts'
import { isLabelled } from './mail-pages.ts'

export const MAIL_CHANGES: readonly MailCheck[] = [
  {
    name: 'mail that arrives is sighted by the next live pull, also during a backfill',
    contract: 'MailAsk.want: live is "what changed since the cursor"; new mail never waits for a backfill.',
    async run(rig) {
      const { stand } = rig
      await seed(rig, stand.threePages)
      const reading = new Reading(rig, await rig.box())
      await reading.live()
      await reading.page('backfill')
      elapse(rig, MINUTE)
      const during = await stand.deliver(stand.address, question(rig))
      const page = await reading.live()
      wantSame(page.backfill.kind, 'waiting', 'With most of the mail to come, the backfill')
      reading.sighted(during, 'Mail that arrived during the backfill')
      await reading.everything()
      elapse(rig, MINUTE)
      const after = await stand.deliver(stand.address, question(rig))
      await reading.live()
      reading.sighted(after, 'Mail that arrived after the backfill')
    },
  },
  {
    name: 'a label or folder that is given is sighted with its name, and taken away, without it',
    contract:
      'Sighted.labels: "Names of its labels or folders as the owner sees them"; rules keep mail out by them.',
    async run(rig) {
      const { stand } = rig
      const [id = ''] = await seed(rig, 3)
      const reading = await readAll(rig)
      elapse(rig, MINUTE)
      const filed = await stand.file(stand.address, id, 'Private')
      await reading.later()
      const given = reading.sighted(filed, 'A message that was filed').labels
      want(isLabelled(given, 'Private'), `Its labels are ${short(given)}, without Private`)
      const back = await stand.unfile(stand.address, filed, 'Private')
      await reading.later()
      const taken = reading.sighted(back, 'A message that was taken out again').labels
      want(!isLabelled(taken, 'Private'), `Its labels are still ${short(taken)}`)
    },
  },
  {
    name: 'a message that was moved or labelled is not gone',
    contract: 'Sighting gone: "Deleted for good"; a move looks like a delete to the folder that was left.',
    async run(rig) {
      const { stand } = rig
      const ids = await seed(rig, 4)
      const reading = await readAll(rig)
      const before = reading.pages.length
      const now: RemoteId[] = []
      for (const [n, id] of ids.entries()) {
        elapse(rig, MINUTE)
        now.push(await stand.file(stand.address, id, n % 2 === 0 ? 'Zoo' : 'Ads'))
        if (n === 1) await reading.later()
      }
      await reading.later()
      for (const id of now) reading.sighted(id, 'A message that was moved')
      const gone = reading.since(before).filter((one) => one.kind === 'gone' && now.includes(one.id))
      wantSame(gone, [], 'Messages that were only moved were called gone')
    },
  },
  {
    name: 'a label or folder with another name shows in the messages that it has',
    contract: 'Sighted.labels: names "as the owner sees them"; a rename is what makes a label private, too.',
    async run(rig) {
      const { stand } = rig
      const rename = need(stand.rename, 'labels cannot be renamed at this vendor')
      const [id = ''] = await seed(rig, 2)
      const filed = await stand.file(stand.address, id, 'Projects')
      const reading = await readAll(rig)
      elapse(rig, MINUTE)
      const renamed = await rename(stand.address, filed, 'Projects', 'Personal')
      await reading.later()
      await reading.later()
      const { labels } = reading.sighted(renamed, 'A message whose label was renamed')
      want(isLabelled(labels, 'Personal'), `Its labels are ${short(labels)}, without the new name Personal`)
    },
  },
  {
    name: 'flags tell what was sent, and what lies in the spam and in the trash',
    contract: 'MailFlag: "What a mailbox says about a message, whatever the vendor calls it."',
    async run(rig) {
      const { stand } = rig
      const [first = '', second = '', plain = ''] = await seed(rig, 3)
      const sent = await stand.send(stand.address, answer(rig))
      const [spam, trash] = [await stand.spam(stand.address, first), await stand.trash(stand.address, second)]
      const reading = await readAll(rig)
      await reading.later()
      wantFlags(reading, plain, [], 'A message in the inbox')
      wantFlags(reading, sent, ['sent'], 'A message that was sent')
      // A backfill may pass over what lies there; what is named is read all the same.
      for (const [id, flag] of [
        [spam, 'spam'],
        [trash, 'trash'],
      ] as const) {
        const one = await fetchOne(rig, id)
        want(
          one?.kind === 'message',
          `A message in the ${flag} is ${one?.kind ?? 'not there'}; it is still there`,
        )
        want(one.sighted.flags.includes(flag), `In the ${flag}, its flags are ${short(one.sighted.flags)}`)
      }
    },
  },
  {
    name: 'a draft is flagged as one',
    contract: 'MailFlag: drafts are filtered before anything is stored, and have to be told apart.',
    async run(rig) {
      const { stand } = rig
      const draft = need(stand.draft, 'nobody writes drafts at this vendor')
      const reading = await readAll(rig)
      elapse(rig, MINUTE)
      const id = await draft(stand.address, answer(rig))
      await reading.later()
      const one = await fetchOne(rig, id)
      want(one?.kind === 'message', `A draft is ${one?.kind ?? 'not there'}`)
      for (const seen of [one, reading.seen.get(id)])
        if (seen?.kind === 'message')
          want(seen.sighted.flags.includes('draft'), `The flags of a draft are ${short(seen.sighted.flags)}`)
    },
  },
  {
    name: 'mail that is put into the trash or the spam is sighted there, and is not gone',
    contract: 'Sighting gone: "a message in the trash is still there".',
    async run(rig) {
      const { stand } = rig
      const [first = '', second = ''] = await seed(rig, 3)
      const reading = await readAll(rig)
      elapse(rig, MINUTE)
      const trash = await stand.trash(stand.address, first)
      elapse(rig, MINUTE)
      const spam = await stand.spam(stand.address, second)
      await reading.later()
      wantFlags(reading, trash, ['trash'], 'A message that was put into the trash')
      wantFlags(reading, spam, ['spam'], 'A message that was called spam')
    },
  },
  {
    name: 'what is deleted for good is gone, and nothing else is',
    contract:
      'Sighting gone: "Deleted for good"; pull tells it, as nobody asks for what they believe is there.',
    async run(rig) {
      const { stand, mail, io } = rig
      const [id = '', ...others] = await seed(rig, 4)
      const reading = await readAll(rig)
      elapse(rig, MINUTE)
      await stand.remove(stand.address, id)
      await reading.later()
      wantSame(reading.seen.get(id)?.kind, 'gone', 'A pull after a message was deleted for good says')
      for (const other of others) reading.sighted(other, 'A message beside one that was deleted')
      const { sightings } = await mail.fetch(io, await rig.box(), [id, ...others])
      wantSame(
        sightings.filter((one) => one.kind === 'gone').map((one) => one.id),
        [id],
        'fetch says that these are gone',
      )
    },
  },
  {
    name: 'fetch shows each message as a pull does, once',
    contract: 'Mail.fetch: "The named messages as they are now, in any order".',
    async run(rig) {
      const ids = await seed(rig, 5)
      const reading = await readAll(rig)
      const { sightings, bad } = await rig.mail.fetch(rig.io, await rig.box(), [...ids, ...ids.slice(0, 2)])
      wantSame(bad, [], 'fetch finds messages bad that a pull can read')
      wantSame(sightings.map(({ id }) => id).toSorted(), [...ids].toSorted(), 'The ids that fetch shows')
      for (const one of sightings)
        wantSame(one, reading.seen.get(one.id), `fetch shows ${one.id} unlike the pull`)
      const none = await rig.mail.fetch(rig.io, await rig.box(), [])
      wantSame([none.sightings, none.bad], [[], []], 'fetch of no ids')
    },
  },
  {
    name: 'an unknown id is gone, not an error',
    contract: 'Mail.fetch: "`gone` for those that are".',
    async run(rig) {
      const [id = ''] = await seed(rig, 1)
      const { unknownIds } = rig.stand
      const { sightings } = await rig.mail.fetch(rig.io, await rig.box(), [...unknownIds, id])
      for (const one of unknownIds)
        wantSame(
          sightings.find((seen) => seen.id === one)?.kind,
          'gone',
          `fetch of the unknown id ${short(one)}`,
        )
      wantSame(
        sightings.find((seen) => seen.id === id)?.kind,
        'message',
        'fetch of a message named beside them',
      )
    },
  },
  {
    name: 'a message that cannot be read is bad, by its id, and the others are read',
    contract:
      'MailPage.bad: one bad message is quarantined, the page goes on; nothing of its content is kept.',
    async run(rig) {
      const { stand } = rig
      const unreadable = need(stand.unreadable, 'no message is unreadable at this vendor')
      const ids = await seed(rig, 3)
      const reading = new Reading(rig, await rig.box())
      const first = await unreadable(stand.address)
      await reading.everything()
      elapse(rig, MINUTE)
      const second = await unreadable(stand.address)
      ids.concat(await stand.deliver(stand.address, question(rig)))
      await reading.later()
      for (const id of [first, second]) {
        const row = reading.bad.find((bad) => bad.id === id)
        want(row !== undefined, `The message ${id} that cannot be read is not among the bad ones`)
        want(row.problem !== '' && row.where !== '', `The bad row ${short(row)} does not say what and where`)
      }
      wantSame(reading.unaccounted(ids), [], 'Messages beside one that cannot be read')
      const { bad } = await rig.mail.fetch(rig.io, await rig.box(), [first])
      wantSame(
        bad.map(({ id }) => id),
        [first],
        'fetch of a message that cannot be read',
      )
    },
  },
]

function wantFlags(reading: Reading, id: RemoteId, flags: readonly MailFlag[], what: string): void {
  wantSame(reading.sighted(id, what).flags, flags, `${what} has the flags`)
}

async function fetchOne(rig: MailRig, id: RemoteId) {
  const { sightings } = await rig.mail.fetch(rig.io, await rig.box(), [id])
  return sightings[0]
}
