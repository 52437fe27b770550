import type { RemoteId } from '../../../src/connectors/connector.ts'
import { type Listing, list, pass, type Rig } from '../rig.ts'
import { failureFrom, need, present, short, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'

const HOUR = 3_600_000

export const READING: readonly Check[] = [
  {
    name: 'a complete listing shows every object once it ends, and says so on its last page only',
    contract:
      'Page.listed: "Set on the last page of a complete listing"; what it lacks is taken for deleted.',
    per: 'resource',
    async run(rig) {
      const ids = await rig.at.seed(rig.at.threePages)
      const listing = await list(rig)
      want(
        listing.pages.length >= 3,
        `${ids.length} objects came on ${listing.pages.length} page(s), not on three`,
      )
      wantSame(missing(listing, ids), [], 'The listing lacks objects that are there')
      want(listing.complete, 'The last page of a listing without bad rows must say listed: everything')
      const early = listing.pages.slice(0, -1).filter((page) => page.listed !== undefined)
      wantSame(
        early.length,
        0,
        'A page before the last one says `listed`: the hub would take the rest for deleted',
      )
      const last = listing.pages.at(-1)?.total
      want(last === undefined || last >= ids.length, `total says ${last} of ${ids.length} objects`)
    },
  },
  {
    name: 'pages are bounded, so that memory is',
    contract: 'Resource.pull: "One page."; the hub keeps a page in memory and in one transaction.',
    per: 'resource',
    async run(rig) {
      await rig.at.seed(rig.at.threePages)
      const { pages } = await list(rig)
      for (const [i, { observations, bad }] of pages.entries()) {
        const size = observations.length + bad.length
        want(
          size <= rig.at.pageMax,
          `Page ${i + 1} has ${size} objects; the most it may have is ${rig.at.pageMax}`,
        )
      }
    },
  },
  {
    name: 'two reads in a row are the same: ids, versions, bodies',
    contract:
      'Version: "equal versions mean equal objects"; whatever differs is planned as an edit by somebody.',
    per: 'resource',
    async run(rig) {
      await rig.at.seed(12)
      pass(rig, HOUR)
      const one = await list(rig)
      pass(rig, HOUR)
      const two = await list(rig.restarted())
      want(one.seen.size > 0, 'The listing is empty')
      wantSame(
        [...two.seen.keys()].toSorted(),
        [...one.seen.keys()].toSorted(),
        'The ids differ between two reads',
      )
      for (const [id, seen] of one.seen)
        wantSame(two.seen.get(id), seen, `${id} differs between two reads, though nobody touched it`)
    },
  },
  {
    name: 'a pull from the end brings nothing and leaves the cursor as it is',
    contract:
      'Page.cursor: "Kept with the page"; an idle cycle that moves it writes to the database for nothing.',
    per: 'resource',
    async run(rig) {
      await rig.at.seed(12)
      pass(rig, HOUR)
      const { cursor } = await list(rig)
      pass(rig, HOUR)
      const idle = await list(rig, cursor)
      wantSame([...idle.seen.keys()], [], 'An idle pull brings objects that nobody changed')
      wantSame(idle.cursor, cursor, 'An idle pull moves the cursor')
      wantSame(idle.complete, false, 'An idle pull says `listed: everything`, and so that everything is gone')
    },
  },
  {
    name: 'the cursor is all there is to remember: each page by a new process',
    contract: 'Cursor: "any JSON the connector likes"; Connector: "Nothing here keeps state between calls".',
    per: 'resource',
    async run(rig) {
      const ids = await rig.at.seed(rig.at.threePages)
      const listing = await list(rig, null, { each: 'restart' })
      wantSame(missing(listing, ids), [], 'A restart at a page boundary loses objects')
      want(listing.complete, 'A listing with restarts is as complete as one without')
    },
  },
  {
    name: 'a crash in mid-page loses nothing: each page lost once and read again',
    contract:
      'Resource.pull: the page and its cursor are stored together or not at all, so a cursor is used again.',
    per: 'resource',
    async run(rig) {
      const ids = await rig.at.seed(rig.at.threePages)
      const listing = await list(rig, null, { each: 'twice' })
      wantSame(missing(listing, ids), [], 'Reading a page again loses objects')
      want(listing.complete, 'A listing with pages read twice is as complete as one without')
    },
  },
  {
    name: 'a cursor that cannot be used is cursor-expired, and starting over recovers',
    contract:
      'Resource.pull: "Throws cursor-expired to be called again with null"; anything else stops the stream.',
    per: 'resource',
    async run(rig) {
      const ids = await rig.at.seed(3)
      const { cursor } = await list(rig)
      const unreadable = { no: 'such cursor' }
      const failure = await failureFrom(
        () => rig.resource.pull(rig.io, unreadable),
        'A cursor of another version',
      )
      wantSame(failure.kind, 'cursor-expired', `A cursor of another version (it said "${failure.message}")`)
      if (rig.at.expire !== undefined) {
        await rig.at.expire()
        const old = await failureFrom(() => rig.resource.pull(rig.io, cursor), 'A cursor that is too old')
        wantSame(old.kind, 'cursor-expired', `A cursor that is too old (it said "${old.message}")`)
      }
      const recovered = await list(rig, rig.at.expire === undefined ? unreadable : cursor)
      wantSame(missing(recovered, ids), [], 'pull(null) does not bring everything back')
    },
  },
  {
    name: 'fetch shows what the listing shows',
    contract: 'Resource.fetch: "The named objects as they are now"; a hint must not look like an edit.',
    per: 'resource',
    async run(rig) {
      await rig.at.seed(5)
      const { seen } = await list(rig)
      const ids = [...seen.keys()]
      const fetched = await rig.resource.fetch(rig.io, ids)
      wantSame(
        fetched.map(({ id }) => id).toSorted(),
        ids.toSorted(),
        'fetch answers other ids than it was asked for',
      )
      for (const one of fetched)
        wantSame(one, seen.get(one.id), `fetch and pull tell different things of ${one.id}`)
      wantSame(await rig.resource.fetch(rig.io, []), [], 'Fetching nothing should give nothing')
    },
  },
  {
    name: 'an unknown id is absent, not an error',
    contract: 'Resource.fetch: "absent for those that are gone".',
    per: 'resource',
    async run(rig) {
      const [known = ''] = await rig.at.seed(1)
      for (const unknown of rig.at.unknownIds) {
        const answered = await rig.resource.fetch(rig.io, [unknown, known])
        const one = answered.find(({ id }) => id === unknown)
        wantSame(one, { kind: 'absent', id: unknown }, `fetch of ${unknown}, which names nothing`)
        present(
          answered.find(({ id }) => id === known),
          `${known}, asked for beside an unknown id,`,
        )
      }
    },
  },
  {
    name: 'a deleted object is seen: reported, or absent from the next complete listing',
    contract: "Resource.deletes: 'reported' | 'swept'; fetch then answers absent.",
    per: 'resource',
    async run(rig) {
      const remove = need(rig.at.remove, 'nothing can be deleted at this vendor')
      const ids = await rig.at.seed(5)
      const gone = ids[2] ?? ''
      pass(rig, HOUR)
      const { cursor } = await list(rig)
      pass(rig, HOUR)
      await remove(gone)
      pass(rig, HOUR)
      const changes = await list(rig, cursor)
      if (rig.resource.deletes === 'reported') {
        wantSame(
          changes.seen.get(gone),
          { kind: 'absent', id: gone },
          'deletes is `reported`, but pull reports none',
        )
      }
      await wantGone(
        rig,
        gone,
        ids.filter((id) => id !== gone),
      )
    },
  },
  {
    name: 'an object that was merged into another names the one that is left, and is not just absent',
    contract:
      'Observation, mergedInto: "the vendor merged it into that object, which lives on". Plain absent may archive the ' +
      'record of somebody who is still there.',
    per: 'resource',
    async run(rig) {
      const merge = need(rig.at.merge, 'the vendor merges nothing, or does not say so')
      const [lost = '', left = '', last = ''] = await rig.at.seed(5)
      pass(rig, HOUR)
      const { cursor } = await list(rig)
      pass(rig, HOUR)
      await merge(lost, left)
      pass(rig, HOUR)
      const told = { kind: 'absent', id: lost, mergedInto: left }
      const changes = await list(rig, cursor)
      wantSame(changes.seen.get(lost), told, `pull, of ${lost}, which was merged into ${left}`)
      const [now] = await rig.resource.fetch(rig.io, [lost])
      wantSame(now, told, `fetch, of ${lost}, which was merged into ${left}`)
      await wantLeft(rig, lost, left)
      await merge(left, last)
      pass(rig, HOUR)
      await wantLeft(rig, lost, last)
    },
  },
]

/** Following what `fetch` names ends at an object that is there. */
async function wantLeft(rig: Rig, lost: RemoteId, left: RemoteId): Promise<void> {
  const chain = [lost]
  for (;;) {
    const id = chain.at(-1) ?? ''
    const [seen] = await rig.resource.fetch(rig.io, [id])
    const next = seen?.kind === 'absent' ? seen.mergedInto : undefined
    if (next === undefined || chain.includes(next)) {
      wantSame(present(seen, `${id}, to which ${lost} leads,`).id, left, `${lost} leads to another object`)
      return
    }
    chain.push(next)
  }
}

async function wantGone(rig: Rig, gone: RemoteId, others: readonly RemoteId[]): Promise<void> {
  const [now] = await rig.resource.fetch(rig.io, [gone])
  wantSame(now, { kind: 'absent', id: gone }, 'fetch of a deleted object')
  const all = await list(rig)
  want(all.complete, 'A listing after a delete is still complete')
  want(all.seen.get(gone)?.kind !== 'present', `A complete listing still shows ${gone}, which was deleted`)
  wantSame(missing(all, others), [], 'A listing after a delete lacks objects that are there')
}

export function missing(listing: Listing, ids: readonly RemoteId[]): string[] {
  return ids.filter((id) => listing.seen.get(id)?.kind !== 'present').map((id) => short(id))
}
