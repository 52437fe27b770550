import { listErasures, type Erasure } from '../../store/erasures.ts'
import { iso, type Hub } from '../hub.ts'
import type { Erased } from './erase.ts'

export const erasedView = ({ kind, ...erased }: Erased) => ({ state: kind, ...erased })

export const erasureView = (erasure: Erasure) => ({ ...erasure, at: iso(erasure.at) })

/** A page of erasures, latest first. `next` is where the following page starts. */
export async function erasuresBefore(
  hub: Hub,
  page: { readonly open: boolean; readonly before: number | null; readonly limit: number },
): Promise<{ readonly items: readonly Erasure[]; readonly next: number | null }> {
  const found = await listErasures(hub.db.sql, { ...page, limit: page.limit + 1 })
  const items = found.slice(0, page.limit)
  return { items, next: found.length > page.limit ? (items.at(-1)?.id ?? null) : null }
}
