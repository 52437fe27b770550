import type { Query } from '../store/database.ts'
import { loadLinks, type Link } from '../store/links.ts'

export async function linksById(q: Query, ids: readonly number[]): Promise<ReadonlyMap<number, Link>> {
  return new Map((await loadLinks(q, ids)).map((link) => [link.id, link]))
}
