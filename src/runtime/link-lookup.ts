import type { Observation } from '../connectors/connector.ts'
import type { Query } from '../store/database.ts'
import { loadLinks, type Link } from '../store/links.ts'

export async function linksById(q: Query, ids: readonly number[]): Promise<ReadonlyMap<number, Link>> {
  return new Map((await loadLinks(q, ids)).map((link) => [link.id, link]))
}

/** The objects of links as they were last seen; of links without one, nothing. */
export const lastSeenOf = (links: readonly Link[]): readonly Observation[] =>
  links.flatMap(({ remoteId: id, version, modifiedAt, observed: body }): Observation[] =>
    id === null || body === null ? [] : [{ kind: 'present', id, version, modifiedAt, body }],
  )
