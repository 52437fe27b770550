import { describe, expect, it } from 'vitest'
import type { Sighting } from '../../src/connectors/mail.ts'
import type { GmailPeople } from '../../src/sandbox/gmail/index.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { type Hub, hubOf, mailboxAt, MINUTE, T0 } from './gmail.support.ts'
import { ANN, world, type World } from './gmail.world.ts'

const STEPS = 70
const SEEDS = Array.from({ length: 24 }, (_, n) => n + 1)
const OUT = new Set(['spam', 'trash', 'draft'])

/** Whether a hub with the private label `Private` keeps it out. */
function isOut(sighting: Sighting): boolean {
  if (sighting.kind === 'gone') return true
  const { flags, labels } = sighting.sighted
  return flags.some((flag) => OUT.has(flag)) || labels === null || labels.includes('Private')
}

type Dice = { next(): number; pick<T>(items: readonly T[]): T | undefined }
function dice(seed: number): Dice {
  const next = seeded(seed)
  return { next, pick: (items) => items[Math.floor(next() * items.length)] }
}

/** Something that people do, of what needs no waiting. */
function act(people: GmailPeople, { next, pick }: Dice): 'deleted' | null {
  const id = pick(people.messages(ANN))?.id
  if (id === undefined) return null
  const label = pick(['Deals', 'Label_private', 'Team']) ?? ''
  const chance = next()
  if (chance < 0.3) people.label(ANN, id, labelId(people, label))
  else if (chance < 0.5) people.unlabel(ANN, id, labelId(people, label))
  else if (chance < 0.58) people.trash(ANN, id)
  else if (chance < 0.7) people.untrash(ANN, id)
  else if (chance < 0.74) people.spam(ANN, id)
  else if (chance < 0.82) people.notSpam(ANN, id)
  else if (chance < 0.9) people.markRead(ANN, id)
  else if (chance < 0.94) {
    const mailbox = people.mailbox(ANN)
    const current = mailbox?.labels.get(labelId(people, 'Label_private'))
    people.renameLabel(
      ANN,
      labelId(people, 'Label_private'),
      current?.name === 'Private' ? 'Misc' : 'Private',
    )
  } else {
    people.deleteForever(ANN, id)
    return 'deleted'
  }
  return null
}

/** `Label_private` is the one that is renamed to and fro. */
function labelId(people: GmailPeople, name: string): string {
  const labels = [...(people.mailbox(ANN)?.labels.values() ?? [])]
  const found = labels.find((label) =>
    name === 'Label_private' ? ['Private', 'Misc'].includes(label.name) : label.name === name,
  )
  if (found === undefined) throw new Error(`no label ${name}`)
  return found.id
}

async function step(it_: World, hub: Hub, rolled: Dice): Promise<void> {
  const { people } = it_.google
  const chance = rolled.next()
  it_.clock.now += MINUTE
  if (chance < 0.3) {
    const count = 1 + Math.floor(rolled.next() * 12)
    for (let n = 0; n < count; n++) {
      const labels = rolled.pick([
        ['INBOX'],
        ['SENT'],
        ['SPAM'],
        ['DRAFT'],
        [labelId(people, 'Label_private')],
      ])
      await it_.deliver('Mail', { labels: labels ?? [], at: it_.clock.now - Math.floor(rolled.next() * 1e6) })
    }
  } else if (chance < 0.5) act(people, rolled)
  else if (chance < 0.72) await page(it_, hub, rolled, 'live')
  else if (chance < 0.97) await page(it_, hub, rolled, 'backfill')
  else people.expireHistory(ANN)
}

/** Some are lost before they are kept, some meet a request that fails; people go on meanwhile. */
async function page(it_: World, hub: Hub, rolled: Dice, want: 'live' | 'backfill'): Promise<void> {
  const { read, bad, cursor } = hub
  const saved = [new Map(read), new Map(bad)] as const
  it_.intercept = () => {
    if (rolled.next() < 0.1) act(it_.google.people, rolled)
    return rolled.next() < 0.02 ? new Response(null, { status: 503 }) : null
  }
  const made = await hub.page(want).catch(() => null)
  it_.intercept = null
  if (made === null || rolled.next() > 0.15) return
  read.clear()
  for (const [id, sighting] of saved[0]) read.set(id, sighting)
  hub.cursor = cursor
}

describe('whatever people do, whenever it stops', () => {
  it.each(SEEDS)('a hub comes to see the mailbox as it is (seed %d)', async (seed) => {
    const it_ = world(seed)
    const rolled = dice(seed * 7919)
    const { people } = it_.google
    for (const name of ['Deals', 'Private', 'Team']) people.createLabel(ANN, name)
    it_.google.switches.emptyHistoryPages = seed % 2 === 0
    const hub = hubOf(it_.io(), mailboxAt(ANN))
    hub.knows = (id) => {
      const sighting = hub.read.get(id)
      return sighting !== undefined && !isOut(sighting)
    }
    for (let n = 0; n < 30; n++) await it_.deliver('Old', { at: T0 - n * MINUTE })
    for (let n = 0; n < STEPS; n++) await step(it_, hub, rolled)
    const deletedLast = people.messages(ANN)[3]?.id ?? ''

    do {
      await hub.drain('live')
      await hub.drain('backfill')
    } while (hub.pages.at(-1)?.backfill.kind !== 'done')
    people.deleteForever(ANN, deletedLast)
    await hub.drain('live')

    expect(hub.bad.size).toBe(0)
    expect(hub.read.get(deletedLast)?.kind).toBe('gone')
    expect(differences(people, hub)).toEqual([])
  })
})

/** Where the hub does not see a message as it is, in words. */
function differences(people: GmailPeople, hub: Hub): string[] {
  const names = new Map([...(people.mailbox(ANN)?.labels.values() ?? [])].map(({ id, name }) => [id, name]))
  return people.messages(ANN).flatMap(({ id, labels }) => {
    const own = labels.flatMap((label) => (label.startsWith('Label_') ? (names.get(label) ?? []) : []))
    const isAside = labels.some((label) => /^(SPAM|TRASH|DRAFT)$/.test(label))
    const hides = isAside || own.includes('Private')
    const seen = hub.read.get(id)
    // Spam, trash and drafts from before are not listed.
    if (seen === undefined) return isAside ? [] : [`${id} with ${labels.join()} was never read`]
    if (isOut(seen) !== hides) return [`${id} with ${labels.join()} is ${isOut(seen) ? 'out' : 'in'}`]
    const known = seen.kind === 'message' ? (seen.sighted.labels ?? []) : []
    return hides || own.every((name) => known.includes(name)) ? [] : [`${id} lacks ${own.join()}`]
  })
}
