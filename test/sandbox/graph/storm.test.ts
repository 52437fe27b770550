import { expect, test } from 'vitest'
import { TRAPS } from '../../../src/sandbox/graph/index.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { ANN, graph, IMMUTABLE, isRemoved, mail, page } from './client.ts'

const FOLDERS = ['inbox', 'archive', 'deleteditems'] as const
const PREFER = { prefer: 'IdType="ImmutableId", odata.maxpagesize=3' }

/** A client that does no more than the vendor's documents say, and knows at last what is where, traps or not. */
test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  'delta leads to what is there: seed %i',
  async (seed) => {
    const random = seeded(seed + 1)
    const { people, vendor, get } = graph({ random, switches: { ...TRAPS, deadNextLinks: 0.05 } })
    const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)]
    const links = new Map<string, string>()
    const where = new Map<string, string>()

    const act = () => {
      const id = pick(people.messages(ANN))?.ids.immutable
      const what = random()
      if (id === undefined || what < 0.4) people.deliver(ANN, mail())
      else if (what < 0.7) people.move(ANN, id, pick(FOLDERS) ?? 'inbox')
      else if (what < 0.85) people.read(ANN, id)
      else if (what < 0.95) people.hardDelete(ANN, id)
      else vendor.expireDelta(ANN, pick(FOLDERS))
    }
    const readFolder = async (folder: string, removed: Set<string>, meanwhile: () => void) => {
      const start = `/v1.0/me/mailFolders/${folder}/messages/delta`
      for (let next = links.get(folder) ?? start, requests = 0; ; requests++) {
        if (requests > 500) throw new Error('It does not come to an end')
        const { status, body } = await get(next, PREFER)
        if (status === 410) {
          // What it had may have gone meanwhile, and a new first round does not say so.
          for (const [id, at] of where) if (at === folder) removed.add(id)
          next = start
          continue
        }
        const { value, ...to } = page.parse(body)
        for (const item of value) {
          if (isRemoved(item)) removed.add(item.id)
          else where.set(item.id, folder)
        }
        meanwhile()
        const done = to['@odata.deltaLink']
        if (done !== undefined) return links.set(folder, done)
        next = to['@odata.nextLink'] ?? ''
      }
    }
    const readAll = async (meanwhile: () => void) => {
      const removed = new Set<string>()
      for (const folder of FOLDERS) await readFolder(folder, removed, meanwhile)
      for (const id of removed) {
        const { status, body } = await get(`/v1.0/me/messages/${id}?$select=parentFolderId`, IMMUTABLE)
        const folder = FOLDERS.find(
          (name) => people.folder(ANN, name).ids.immutable === body['parentFolderId'],
        )
        if (status === 404) where.delete(id)
        else if (folder !== undefined) where.set(id, folder)
      }
    }

    for (let i = 0; i < 12; i++) {
      for (let acts = 0; acts < 6; acts++) act()
      await readAll(() => (random() < 0.3 ? act() : undefined))
    }
    // What happened while it read shows in the next pass.
    await readAll(() => undefined)
    const truth = people.messages(ANN).map(({ ids, folder }) => `${ids.immutable} ${folder.wellKnown}`)
    expect(truth.length).toBeGreaterThan(5)
    expect([...where].map(([id, folder]) => `${id} ${folder}`).toSorted()).toEqual(truth.toSorted())
  },
)
