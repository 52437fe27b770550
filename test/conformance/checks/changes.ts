import type { RemoteId } from '../../../src/connectors/connector.ts'
import { type Listing, list, pass, type Rig } from '../rig.ts'
import { need, present, valueAt, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { missing } from './reading.ts'

const MINUTE = 60_000

export const CHANGES: readonly Check[] = [
  {
    name: 'an edit at the vendor is pulled, with another version and the new value',
    contract: 'Resource.pull: from the end cursor of one cycle, the next brings what changed in between.',
    per: 'resource',
    async run(rig) {
      const edit = need(rig.at.edit, 'nothing can be edited at this vendor')
      const ids = await rig.at.seed(5)
      pass(rig, 60 * MINUTE)
      const before = await list(rig)
      pass(rig, MINUTE)
      const id = ids[1] ?? ''
      await edit.act(id)
      pass(rig, MINUTE)
      const after = await list(rig, before.cursor)
      const old = present(before.seen.get(id), id)
      const now = present(after.seen.get(id), `The edited object ${id}, after the next pull,`)
      want(
        JSON.stringify(valueAt(now.body, edit.path)) !== JSON.stringify(valueAt(old.body, edit.path)),
        `${edit.path} of ${id} was edited, but pull shows the old value`,
      )
      want(
        now.version === null || now.version !== old.version,
        `${id} was edited, but its version is the same`,
      )
      const [fetched] = await rig.resource.fetch(rig.io, [id])
      wantSame(fetched, now, 'fetch and pull tell different things of the edited object')
      const again = await list(rig.restarted(), after.cursor)
      for (const [other, seen] of again.seen)
        if (other === id)
          wantSame(seen, now, 'Read again, the edited object differs though nobody touched it')
    },
  },
  {
    name: 'an object made between two pulls is pulled',
    contract: 'Resource.pull: from the end cursor of one cycle, the next brings what is new.',
    per: 'resource',
    async run(rig) {
      await rig.at.seed(3)
      pass(rig, 60 * MINUTE)
      const before = await list(rig)
      pass(rig, MINUTE)
      need(rig.at.edit, 'the vendor does not change while it is read')
      const made = await makeOne(rig)
      pass(rig, MINUTE)
      present((await list(rig, before.cursor)).seen.get(made), `The new object ${made}, after the next pull,`)
    },
  },
  {
    name: 'edits made during a listing are not lost',
    contract:
      'docs/connectors.md, "A listing takes time": take the place in the changes before the first page.',
    per: 'resource',
    async run(rig) {
      const edit = need(rig.at.edit, 'nothing can be edited at this vendor')
      const ids = await rig.at.seed(rig.at.threePages)
      const touched = new Set<RemoteId>()
      const touch = async (id: RemoteId | undefined) => {
        if (id === undefined) return
        await edit.act(id)
        touched.add(id)
      }
      let made: RemoteId | null = null
      const listing = await list(rig, null, {
        async onPage(page, index) {
          pass(rig, 2000)
          if (index > 1 || !page.more) return
          // One that was just read, one that comes early and one that comes late, whichever way the listing goes.
          await touch(page.observations[0]?.id)
          await touch(ids[index])
          await touch(ids.at(-1 - index))
          made ??= await makeOne(rig)
          pass(rig, 2000)
        },
      })
      pass(rig, MINUTE)
      const changes = await list(rig, listing.cursor)
      // A file that was replaced is read from its start; then the second pass alone is the whole truth.
      const known = new Map([...listing.seen, ...changes.seen])
      wantSame(
        missing({ ...listing, seen: known }, ids),
        [],
        'A listing that was edited underneath lacks objects',
      )
      if (made !== null) present(known.get(made), `${String(made)}, made during the listing,`)
      await wantCurrent(rig, { ...listing, seen: known }, [...touched])
    },
  },
]

async function wantCurrent(rig: Rig, listing: Listing, ids: readonly RemoteId[]): Promise<void> {
  for (const now of await rig.resource.fetch(rig.io, ids)) {
    wantSame(
      listing.seen.get(now.id),
      now,
      `${now.id} was edited during the listing, and neither the listing nor the next pull shows it`,
    )
  }
}

async function makeOne(rig: Rig): Promise<RemoteId> {
  const plant = need(rig.at.plant, 'the stand cannot make a single object')
  return await plant('made in between')
}
