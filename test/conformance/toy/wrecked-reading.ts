import { type Observation, VendorError } from '../../../src/connectors/connector.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { rolodex } from './connector.ts'
import { paged, people, shown, tick, withPeople, type Sabotages } from './wreck.ts'

/** Merges told in another way, by `pull` and by `fetch`. */
function unmerged(told: (id: string) => Observation) {
  const other = (seen: Observation): Observation =>
    seen.kind === 'absent' && seen.mergedInto !== undefined ? told(seen.id) : seen
  return withPeople({
    fetch: async (io, ids) => (await people.fetch(io, ids)).map(other),
    async pull(io, from) {
      const page = await people.pull(io, from)
      return { ...page, observations: page.observations.map(other) }
    },
  })
}

export const WRECKED_READING: Sabotages = [
  [
    'an account id that changes',
    'check names the account, the same each time',
    () => ({
      ...rolodex,
      check: async (io) => ({ ...(await rolodex.check(io)), accountId: tick() }),
    }),
  ],
  [
    'a check that believes every key',
    'bad credentials fail check as auth, with a message that says what to do',
    () => ({
      ...rolodex,
      check: async () => ({ accountId: 'a', label: 'b' }),
    }),
  ],
  [
    'a refusal without a word on what to do',
    'bad credentials fail check as auth, with a message that says what to do',
    () => ({
      ...rolodex,
      classify: (reply, now) => ({ ...rolodex.classify(reply, now), message: 'Unauthorized (code 40113)' }),
    }),
  ],
  [
    'a bad setting that is blamed on nobody',
    'bad settings are refused by the name of the setting',
    () => ({
      ...rolodex,
      check(io) {
        if (io.settings['baseUrl'] === undefined)
          throw new VendorError({
            kind: 'rejected',
            code: 'x',
            field: null,
            message: 'Correct the settings, please.',
          })
        return rolodex.check(io)
      },
    }),
  ],
  [
    'a page that loses its last object',
    'a complete listing shows every object once it ends, and says so on its last page only',
    () => paged((page) => (page.more ? { ...page, observations: page.observations.slice(0, -1) } : page)),
  ],
  [
    'every page said to be everything',
    'a complete listing shows every object once it ends, and says so on its last page only',
    () => paged((page) => ({ ...page, listed: 'everything' })),
  ],
  [
    'a page of everybody',
    'pages are bounded, so that memory is',
    () =>
      withPeople({
        async pull(io, from) {
          const all: Observation[] = []
          for (let at = from; ; ) {
            const page = await people.pull(io, at)
            all.push(...page.observations)
            at = page.cursor
            if (!page.more) return { ...page, observations: all }
          }
        },
      }),
  ],
  [
    'a version made of the time',
    'two reads in a row are the same: ids, versions, bodies',
    () =>
      paged((page) => ({
        ...page,
        observations: page.observations.map((seen) =>
          seen.kind === 'present' ? { ...seen, version: tick() } : seen,
        ),
      })),
  ],
  [
    'a cursor that moves by itself',
    'a pull from the end brings nothing and leaves the cursor as it is',
    () =>
      withPeople({
        async pull(io, from) {
          const { tick: _, ...known } = from ?? {}
          const page = await people.pull(io, from === null ? null : known)
          return { ...page, cursor: { ...page.cursor, tick: tick() } }
        },
      }),
  ],
  [
    'a place kept in memory',
    'the cursor is all there is to remember: each page by a new process',
    () => {
      let place: JsonObject | null = null
      return withPeople({
        async pull(io, from) {
          const page = await people.pull(io, from === null ? null : (place ?? { at: 'changes', since: 0 }))
          place = page.cursor
          return { ...page, cursor: { page: 'next' } }
        },
      })
    },
  ],
  [
    'pages that are given out once',
    'a crash in mid-page loses nothing: each page lost once and read again',
    () => {
      const given = new Set<string>()
      return paged((page) => ({
        ...page,
        observations: page.observations.filter(({ id }) => !given.has(id) && given.add(id)),
      }))
    },
  ],
  [
    'an old cursor taken for a refusal',
    'a cursor that cannot be used is cursor-expired, and starting over recovers',
    () => ({
      ...rolodex,
      classify: (reply, now) =>
        reply.status === 410
          ? { kind: 'rejected', code: '410', field: null, message: 'Correct the cursor.' }
          : rolodex.classify(reply, now),
    }),
  ],
  [
    'a fetch that leaves fields out',
    'fetch shows what the listing shows',
    () =>
      withPeople({
        fetch: async (io, ids) => (await people.fetch(io, ids)).map(shown(({ name: _, ...rest }) => rest)),
      }),
  ],
  [
    'a missing object as an error',
    'an unknown id is absent, not an error',
    () =>
      withPeople({
        async fetch(io, ids) {
          const seen = await people.fetch(io, ids)
          if (seen.some(({ kind }) => kind === 'absent'))
            throw new VendorError({ kind: 'missing', message: 'gone' })
          return seen
        },
      }),
  ],
  [
    'deletes passed over',
    'a deleted object is seen: reported, or absent from the next complete listing',
    () =>
      paged((page) => ({
        ...page,
        observations: page.observations.filter(({ kind }) => kind === 'present'),
      })),
  ],
  [
    'a merge told as a delete',
    'an object that was merged into another names the one that is left, and is not just absent',
    () => unmerged((id) => ({ kind: 'absent', id })),
  ],
  [
    'a merge into somebody whom nobody knows',
    'an object that was merged into another names the one that is left, and is not just absent',
    () => unmerged((id) => ({ kind: 'absent', id, mergedInto: `old-${id}` })),
  ],
  [
    'a merge that only the changes tell',
    'an object that was merged into another names the one that is left, and is not just absent',
    () =>
      withPeople({
        fetch: async (io, ids) =>
          (await people.fetch(io, ids)).map((seen) =>
            seen.kind === 'absent' ? { kind: 'absent', id: seen.id } : seen,
          ),
      }),
  ],
  [
    'changes passed over',
    'an edit at the vendor is pulled, with another version and the new value',
    () => paged((page, from) => (from !== null && !('after' in from) ? { ...page, observations: [] } : page)),
  ],
  [
    'new objects passed over',
    'an object made between two pulls is pulled',
    () =>
      paged((page, from) =>
        from !== null && !('after' in from)
          ? {
              ...page,
              observations: page.observations.filter(
                (seen) => seen.kind === 'present' && seen.version !== '1',
              ),
            }
          : page,
      ),
  ],
  [
    'the place in the changes taken after the listing',
    'edits made during a listing are not lost',
    () => {
      let seen = 0
      return withPeople({
        async pull(io, from) {
          const page = await people.pull(io, from)
          if (page.more || (from !== null && !('after' in from))) return page
          const end = await people.pull(io, null)
          seen = Number(end.cursor['since'])
          return { ...page, cursor: { at: 'changes', since: seen } }
        },
      })
    },
  ],
]
