import { allowingFailure, type MailRig, Reading } from '../mail-rig.ts'
import { failureFrom, need, short, want, wantSame } from '../verdict.ts'
import { answer, type MailCheck, question, readAll, seed } from './mail-check.ts'

const READS = new Set(['GET', 'HEAD'])
const NO_HTTP = 'the connector speaks another protocol than HTTP'

export const MAIL_MANNERS: readonly MailCheck[] = [
  {
    name: 'nothing is written to a mailbox',
    contract: 'Mail: "read-only, one way in"; a read that marks mail as read is a write, too.',
    async run(rig) {
      const { stand } = rig
      const ids = await seed(rig, 5)
      const before = structuredClone(await stand.contents(stand.address))
      await readAll(rig)
      await rig.mail.fetch(rig.io, await rig.box(), ids)
      await rig.connector.check(rig.io)
      wantSame(await stand.contents(stand.address), before, 'After everything was read, the mailbox has')
      const writes = rig.asked.filter(({ method }) => !READS.has(method))
      wantSame(
        writes.map(({ method, url }) => `${method} ${url.pathname}`),
        [],
        'Requests that may write',
      )
    },
  },
  {
    name: 'a backfill asks with low priority, and what is live does not',
    contract: 'MailAsk.want: backfill is "sent with priority: \'low\'", so that new mail is never behind it.',
    async run(rig) {
      const { stand } = rig
      need(stand.transport, NO_HTTP)
      await seed(rig, 6)
      const reading = new Reading(rig, await rig.box())
      await reading.live()
      const backfill = await asked(rig, () => reading.page('backfill'))
      want(backfill.length > 0, 'A page of backfill asked for nothing')
      wantSame(
        backfill.filter(({ priority }) => priority !== 'low').map(pathOf),
        [],
        'Of a backfill, without `low`',
      )
      const id = await stand.deliver(stand.address, question(rig))
      const now = await asked(rig, () => reading.live())
      want(now.length > 0, 'A live page asked for nothing')
      wantSame(now.filter(({ priority }) => priority === 'low').map(pathOf), [], 'Of a live pull, with `low`')
      const fetched = await asked(rig, async () => rig.mail.fetch(rig.io, await rig.box(), [id]))
      wantSame(fetched.filter(({ priority }) => priority === 'low').map(pathOf), [], 'Of a fetch, with `low`')
    },
  },
  {
    name: 'the meter gives every request a key of its mailbox and units that a limit can count',
    contract: 'Metered: "`key` says whose `limits` count the request (one mailbox, one project)".',
    async run(rig) {
      const { stand, connector } = rig
      need(stand.transport, NO_HTTP)
      const meter = need(connector.meter, 'the connector counts requests, per connection')
      const least = Math.min(...connector.limits.flatMap((one) => ('permits' in one ? [one.permits] : [])))
      await seed(rig, 3)
      const keysOf = async (address: string) => {
        const box = await rig.box(address)
        const seen = await asked(rig, () => new Reading(rig, box).everything())
        const metered = seen.map((one) => ({ one, ...meter(one) }))
        for (const { one, units } of metered)
          want(
            Number.isInteger(units) && units > 0 && units <= least,
            `${one.method} ${pathOf(one)} takes ${units} units; give a whole number from 1 to ${least}`,
          )
        return new Set(metered.map(({ key }) => key))
      }
      const own = await keysOf(stand.address)
      wantSame(own.size, 1, `Reading one mailbox counts for the keys ${short([...own])}; keys`)
      for (const { method, url, user } of rig.asked)
        for (const broken of brokenPaths(url))
          want(typeof meter({ method, url: broken, user }).key === 'string', `${broken.href} has no key`)
      if (stand.other === undefined) return
      const others = await keysOf(stand.other)
      wantSame(
        [...others].filter((key) => own.has(key)),
        [],
        'Keys that two mailboxes share',
      )
    },
  },
  {
    name: 'being throttled in mid-page loses nothing',
    contract:
      'Io.fetch waits and sends again; what it cannot help fails the page, whose cursor is used again.',
    async run(rig) {
      const faults = need(rig.stand.faults, 'the vendor has no switch for faults')
      const ids = await seed(rig, rig.stand.threePages)
      const reading = new Reading(rig, await rig.box())
      let n = 0
      faults.plan = () =>
        ++n % 3 === 0 ? { kind: 'status', status: 429, headers: { 'retry-after': '2' } } : null
      await reading.everything()
      faults.plan = null
      want(faults.fired.size > 0, 'Nothing was throttled: nothing was proven')
      wantSame(reading.unaccounted(ids), [], 'Messages that were read while the vendor was throttling')
      for (const id of ids) reading.sighted(id, 'A message')
    },
  },
  {
    name: 'a page that breaks off fails as a failure, and is read again without loss',
    contract: 'VendorError: 5xx, HTML and cut answers are data for the runtime; a page is all or nothing.',
    async run(rig) {
      const faults = need(rig.stand.faults, 'the vendor has no switch for faults')
      const ids = [...(await seed(rig, 5))]
      for (let n = 0; n < 5; n++) ids.push(await rig.stand.send(rig.stand.address, answer(rig)))
      const reading = new Reading(rig, await rig.box())
      await reading.live()
      for (const kind of ['timeout-before', 'html'] as const)
        for (let spared = 0; spared < 8; spared++) {
          let n = 0
          faults.plan = () => (n++ < spared ? null : { kind })
          await allowingFailure(() => reading.page('backfill'))
          await allowingFailure(() => reading.page('live'))
        }
      faults.plan = null
      want(faults.fired.size > 0, 'Nothing broke off: nothing was proven')
      await reading.later()
      wantSame(reading.unaccounted(ids), [], 'Messages of pages that broke off')
      wantSame(reading.bad, [], 'Messages that an outage made look bad')
      for (const id of ids) reading.sighted(id, 'A message that there was an outage at')
    },
  },
  {
    name: 'a mailbox that cannot be reached fails, and does not look empty',
    contract: 'Sighting gone: "Deleted for good"; a wrong setting must not make all mail look so.',
    async run(rig) {
      const nobody = need(rig.stand.nobody, 'the credentials reach every mailbox there is')
      const ask = { want: 'live', since: null, known: async () => new Set<string>() } as const
      await failureFrom(() => rig.mail.pull(rig.io, nobody, null, ask), `pull of ${nobody.address}`)
      const [id = ''] = await seed(rig, 1)
      await failureFrom(() => rig.mail.fetch(rig.io, nobody, [id]), `fetch of a message of ${nobody.address}`)
    },
  },
]

const pathOf = ({ url }: { readonly url: URL }) => url.pathname

async function asked(rig: MailRig, act: () => Promise<unknown>) {
  const before = rig.asked.length
  await act()
  return rig.asked.slice(before)
}

/** The URL with one segment after the other as no encoding of anything. */
function brokenPaths(url: URL): readonly URL[] {
  const segments = url.pathname.split('/')
  return segments.slice(1).map((_, i) => {
    const broken = new URL(url)
    broken.pathname = segments.with(i + 1, '%E0%A4%A').join('/')
    return broken
  })
}
