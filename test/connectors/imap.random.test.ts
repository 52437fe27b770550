import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flagsOf, keywordsOf } from '../../src/connectors/imap/flags.ts'
import { remoteId } from '../../src/connectors/imap/folders.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { type Dovecot, type DovecotOptions, startDovecot, WITHOUT_DOVECOT } from './imap.dovecot.ts'
import {
  failure,
  type Hub,
  hubOf,
  ioFor,
  mailboxAt,
  type Person,
  plainSettings,
  signIn,
} from './imap.support.ts'
import { type Wire, wireTo } from './imap.wire.ts'

const STEPS = 60
const SEEDS = Array.from({ length: 5 }, (_, n) => n + 1)
const SERVERS: readonly (readonly [string, DovecotOptions])[] = [
  ['a server with everything', {}],
  [
    'one with CONDSTORE, without QRESYNC',
    { capability: 'IMAP4rev1 ENABLE IDLE CONDSTORE UIDPLUS SPECIAL-USE' },
  ],
  ['one from the last century', { capability: 'IMAP4rev1 UIDPLUS', isOld: true }],
]
const OUT = new Set(['Drafts', 'Junk', 'Trash'])
const why = WITHOUT_DOVECOT === null ? '' : ` (skipped: ${WITHOUT_DOVECOT})`

type Dice = { next(): number; pick<T>(items: readonly T[]): T | undefined }
function dice(seed: number): Dice {
  const next = seeded(seed)
  return { next, pick: (items) => items[Math.floor(next() * items.length)] }
}

/** Every message as it is, by its id. */
type Truth = ReadonlyMap<string, { readonly path: string; readonly subject: string; readonly said: string }>
async function truthOf({ client }: Person): Promise<Truth> {
  const truth = new Map<string, { path: string; subject: string; said: string }>()
  await client.mailboxClose()
  for (const { path } of await client.list()) {
    const { uidValidity, exists } = await client.mailboxOpen(path, { readOnly: true })
    const all = exists === 0 ? [] : await client.fetchAll('1:*', { uid: true, flags: true, envelope: true })
    for (const { uid, flags, envelope } of all)
      truth.set(remoteId(path, String(uidValidity), uid), {
        path,
        subject: envelope?.subject ?? '',
        said: JSON.stringify([
          [path, ...keywordsOf(flags ?? [])].toSorted(),
          flagsOf(flags ?? []).includes('draft'),
        ]),
      })
    await client.mailboxClose()
  }
  return truth
}

async function act(ann: Person, rolled: Dice): Promise<void> {
  const { client } = ann
  const chance = rolled.next()
  await client.mailboxClose()
  const paths = (await client.list()).map(({ path }) => path)
  const path = rolled.pick(paths) ?? 'INBOX'
  if (chance < 0.35) {
    const count = 1 + Math.floor(rolled.next() * 5)
    const at = Date.now() - Math.floor(rolled.next() * 9e8)
    for (let n = 0; n < count; n++)
      await ann.append(path, `Mail ${Math.floor(rolled.next() * 1e9)}`, rolled.next() < 0.5 ? { at } : {})
  } else if (chance < 0.4) await client.mailboxCreate(`New${Math.floor(rolled.next() * 3)}`)
  else if (chance < 0.44) {
    const own = rolled.pick(paths.filter((one) => one.startsWith('New')))
    if (own !== undefined) await client.mailboxDelete(own)
    // Its name comes back with another UIDVALIDITY.
    if (own !== undefined && rolled.next() < 0.6) await client.mailboxCreate(own)
  } else if (chance < 0.47) {
    const own = rolled.pick(paths.filter((one) => one.startsWith('New')))
    if (own !== undefined) await client.mailboxRename(own, `New${Math.floor(rolled.next() * 1e6)}`)
  } else {
    const { exists } = await client.mailboxOpen(path)
    if (exists === 0) return
    const seq = String(1 + Math.floor(rolled.next() * exists))
    if (chance < 0.65)
      await client.messageMove(seq, rolled.pick(paths.filter((one) => one !== path)) ?? 'INBOX')
    else if (chance < 0.75) await client.messageDelete(seq)
    else if (chance < 0.85)
      await client.messageFlagsAdd(seq, [rolled.pick(['Private', 'Deals', '\\Draft', '\\Seen']) ?? ''])
    else if (chance < 0.95)
      await client.messageFlagsRemove(seq, [rolled.pick(['Private', 'Deals', '\\Draft']) ?? ''])
    else await client.messageCopy(seq, 'INBOX')
  }
}

/** Dovecot refuses to open a folder now and then whose name was another's a moment ago, while that is open elsewhere. */
async function tried(ann: Person, rolled: Dice): Promise<void> {
  try {
    await act(ann, rolled)
  } catch (error) {
    const words: unknown = error instanceof Error ? Reflect.get(error, 'responseText') : null
    if (!String(words).startsWith('Internal error occurred')) throw error
  }
}

/** Some pages are lost before they are kept, some meet a cut wire. */
async function page(ann: Person, hub: Hub, wire: Wire, rolled: Dice): Promise<void> {
  const { cursor } = hub
  const saved = [new Map(hub.read), new Map(hub.bad)] as const
  wire.cutAfter = rolled.next() < 0.15 ? Math.floor(rolled.next() * 30_000) : Number.POSITIVE_INFINITY
  const failed = await failure(hub.page(rolled.next() < 0.5 ? 'live' : 'backfill'))
  wire.cutAfter = Number.POSITIVE_INFINITY
  expect(failed?.kind ?? 'unavailable').toBe('unavailable')
  expect(failed === null ? await givenUp(ann, hub, saved[0]) : []).toEqual([])
  if (failed !== null || rolled.next() > 0.15) return
  hub.read.clear()
  hub.bad.clear()
  for (const [id, sighting] of saved[0]) hub.read.set(id, sighting)
  for (const [id, problem] of saved[1]) hub.bad.set(id, problem)
  hub.cursor = cursor
}

/** Messages that the last page called gone, though they are only somewhere else, where they were not read yet. */
async function givenUp(ann: Person, hub: Hub, before: Hub['read']): Promise<readonly string[]> {
  const gone = hub.pages.at(-1)?.sightings.flatMap(({ kind, id }) => {
    const was = before.get(id)
    return kind === 'gone' && was?.kind === 'message' ? [was.sighted.message.subject ?? ''] : []
  })
  if (gone === undefined || gone.length === 0) return []
  const there = new Set([...(await truthOf(ann)).values()].map(({ subject }) => subject))
  const read = new Set(hub.subjects())
  return gone.filter((subject) => there.has(subject) && !read.has(subject))
}

/** Where the hub does not see the mailbox as it is, in words. */
function differences(truth: Truth, hub: Hub): string[] {
  const wrong = [...truth].flatMap(([id, { path, said }]) => {
    const seen = hub.read.get(id)
    // Spam, trash and drafts from before are not listed.
    if (seen === undefined) return OUT.has(path) ? [] : [`${path} ${id} was never read`]
    if (seen.kind === 'gone') return [`${path} ${id} is there`]
    const { labels, flags } = seen.sighted
    const isDraft = flags.includes('draft') && path !== 'Drafts'
    const saw = JSON.stringify([(labels ?? []).toSorted(), isDraft])
    return saw === said || path === 'Drafts' ? [] : [`${path} ${id} is ${said}, not ${saw}`]
  })
  const left = [...hub.read].flatMap(([id, { kind }]) =>
    kind === 'gone' || truth.has(id) ? [] : [`${id} is gone`],
  )
  return [...wrong, ...left]
}

describe.skipIf(WITHOUT_DOVECOT !== null).each(SERVERS)(
  `whatever people do, whenever it stops, with %s${why}`,
  (_name, options) => {
    let server: Dovecot
    let wire: Wire
    beforeAll(async () => {
      server = await startDovecot(options)
      wire = await wireTo(server.port)
    }, 20_000)
    afterAll(async () => {
      await wire.close()
      await server.stop()
    })

    it.each(SEEDS)(
      'a hub comes to see the mailbox as it is (seed %d)',
      async (seed) => {
        const rolled = dice(seed * 7919)
        const clock = { ahead: 0 }
        const ann = await signIn(server.port, `ann${seed}@acme.example`)
        const settings = plainSettings(wire.port, ann.address)
        const io = ioFor({ settings, password: 'secret', now: () => Date.now() + clock.ahead })
        const hub = hubOf(io, mailboxAt(ann.address))
        for (let n = 0; n < 40; n++) await ann.append('INBOX', `Old ${n}`)
        for (let n = 0; n < STEPS; n++) {
          clock.ahead += 60_000
          await (rolled.next() < 0.55 ? tried(ann, rolled) : page(ann, hub, wire, rolled))
        }
        clock.ahead += 16 * 60_000
        await hub.settle()
        expect(hub.bad.size).toBe(0)
        expect(differences(await truthOf(ann), hub)).toEqual([])
        ann.client.close()
      },
      30_000,
    )
  },
)
