import type { RecordId } from '../../core/model.ts'
import type { Patterns, RemoteErasure } from '../../core/privacy.ts'
import type { Query } from '../../store/database.ts'
import { mentionsOf, openCreates, type HeldObject } from '../../store/erase-rows.ts'
import { listStreams } from '../../store/streams.ts'
import type { Hub, Target } from '../hub.ts'

export type KnownObject = HeldObject & {
  readonly target: Target | null
  readonly aliases: readonly string[]
}

const MENTIONS = 200

/** What is asked of each system. */
export async function remotesOf(
  q: Query,
  records: readonly RecordId[],
  objects: readonly KnownObject[],
): Promise<readonly RemoteErasure[]> {
  const labels = await labelsOf(q)
  const ours = objects.flatMap(({ streamId, remoteId, state, target }): RemoteErasure[] => {
    if (remoteId === null || state === 'gone') return []
    const byHand = whyByHand(target)
    return [
      {
        stream: labels.get(streamId) ?? 'a stream that is gone',
        remoteId,
        state: byHand === null ? 'pending' : 'by hand',
        problem: byHand,
        attempts: 0,
      },
    ]
  })
  const coming = (await openCreates(q, records)).map(
    ({ streamId, key }): RemoteErasure => ({
      stream: labels.get(streamId) ?? 'a stream that is gone',
      remoteId: comingOf(key),
      state: 'pending',
      problem: 'a create was under way; what it made is erased once that is known',
      attempts: 0,
    }),
  )
  return [...ours, ...coming]
}

/** Stands for the object that a create may have made, until it is known. */
const COMING = 'create '
export const comingOf = (key: string): string => `${COMING}${key}`
export const isComing = (remoteId: string | null): boolean => remoteId?.startsWith(COMING) === true

function whyByHand(target: Target | null): string | null {
  if (target === null) return 'the configuration has no such stream any more; delete it there'
  if (target.stream.direction === 'in')
    return `${target.label} is only read; delete it there. It is left out here.`
  if (target.resource.push?.erase === undefined)
    return `${target.stream.connection} has no way to delete it for good by API; delete it there. It is left out here.`
  return null
}

/** Objects of others, of deals for instance, that name the person where they come from. */
export async function mentioned(hub: Hub, q: Query, patterns: Patterns): Promise<readonly RemoteErasure[]> {
  const labels = new Map(hub.targets.map((target) => [target.id, target.label]))
  return (await mentionsOf(q, patterns, MENTIONS)).map(({ streamId, remoteId }) => ({
    stream: labels.get(streamId) ?? 'a stream that is gone',
    remoteId,
    state: 'by hand',
    problem:
      'it is about something else and names the person; take the name out there: what it says comes back here when it changes before that',
    attempts: 0,
  }))
}

async function labelsOf(q: Query): Promise<ReadonlyMap<number, string>> {
  return new Map((await listStreams(q)).map((row) => [row.id, `${row.connection}/${row.name}`]))
}
