import { expect, test } from 'vitest'
import { TRAPS } from '../../src/sandbox/graph/index.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { ANNA, fromCustomer, MINUTE, Reader, toCustomer, type World, world } from './outlook.support.ts'

const FOLDERS = ['inbox', 'Customers', 'Acme', 'archive', 'deleteditems', 'junkemail']

/** One thing that happens to a mailbox while it is read. `settled`: its folders are caught up and stay so. */
function happening(w: World, random: () => number, settled: boolean): void {
  const { people, vendor } = w.vendor
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]
  const some = pick(people.messages(ANNA))?.ids.immutable
  const roll = random()
  w.clock.now += Math.floor(random() * 2 * MINUTE)
  if (roll < 0.35 || some === undefined) people.deliver(ANNA, fromCustomer())
  else if (roll < 0.45) people.send(ANNA, toCustomer())
  else if (roll < 0.65) people.move(ANNA, some, pick(FOLDERS) ?? 'inbox')
  else if (roll < 0.75) people.categorise(ANNA, some, [pick(['Red', 'Private', 'Blue']) ?? ''])
  else if (roll < 0.8) people.read(ANNA, some)
  else if (roll < 0.85) people.makeDraft(ANNA, toCustomer())
  else if (settled) people.hardDelete(ANNA, some)
  else if (roll < 0.92) people.renameFolder(ANNA, 'archive', `Archive ${Math.floor(random() * 100)}`)
  else vendor.expireNextLinks(ANNA)
}

/** What a person sees in Outlook. */
function truth(w: World): Record<string, string> {
  const pathOf = (id: string): string => {
    const folder = [...(w.vendor.state.mailboxes.values().next().value?.folders.values() ?? [])].find(
      ({ ids }) => ids.immutable === id,
    )
    if (folder === undefined) return ''
    const above = pathOf(folder.parentId)
    return above === '' ? folder.displayName : `${above}/${folder.displayName}`
  }
  return Object.fromEntries(
    w.vendor.people
      .messages(ANNA)
      .map(({ ids, folder, categories }) => [
        ids.immutable,
        [pathOf(folder.ids.immutable), ...categories].join(', '),
      ]),
  )
}

test.each(Array.from({ length: 8 }, (_, i) => i + 1))(
  'a mailbox under every trap at once reads as it is (seed %i)',
  async (seed) => {
    const random = seeded(seed * 7919)
    const w = world({ seed, switches: { ...TRAPS, deadNextLinks: 0.05 } })
    const { people } = w.vendor
    people.createFolder(ANNA, 'Customers')
    people.createFolder(ANNA, 'Acme', { parent: 'Customers' })
    for (let i = 0; i < 70; i++)
      people.deliver(ANNA, fromCustomer(), {
        at: w.clock.now - i * MINUTE,
        folder: FOLDERS[i % 4] ?? 'inbox',
      })
    let reader = new Reader(w.io, await w.mailbox())
    const read = async (settled: boolean) => {
      for (let n = 0; n < 60; n++) {
        if (random() < 0.5) happening(w, random, settled)
        await reader.page(settled || random() < 0.6 ? 'live' : 'backfill')
        if (random() >= 0.05) continue
        // A crash: a page is lost, its cursor with it.
        const { cursor, seen } = reader
        await reader.page('live')
        reader = Object.assign(new Reader(w.io, await w.mailbox()), { cursor })
        for (const [id, one] of seen) reader.seen.set(id, one)
      }
      // A pass that is under way has asked some folders already; the next one asks all.
      await reader.live()
      await reader.everything()
    }
    await read(false)
    Object.assign(w.vendor.switches, { deadNextLinks: 0, lostMoves: 0.3 })
    await read(true)
    const there = Object.fromEntries(Object.entries(reader.places()).filter(([, place]) => place !== 'gone'))
    expect(there).toEqual(truth(w))
    expect(reader.bad).toEqual([])
  },
  30_000,
)
