import type { StripeState } from './state.ts'
import type { Customer } from './types.ts'

/**
 * Search reads a copy that follows later: https://docs.stripe.com/search#data-freshness says under a
 * minute normally, up to an hour in outages, and not to be used for read-after-write.
 */
export function noteForSearch(state: StripeState, id: string, row: Customer | null): void {
  state.searchChanges.push({ atMs: state.now(), id, row })
}

export function catchUpSearch(state: StripeState): void {
  const visibleUntil = state.now() - state.switches.searchLagMs
  let applied = 0
  for (const change of state.searchChanges) {
    if (change.atMs > visibleUntil) break
    if (change.row === null) state.searchIndex.delete(change.id)
    else state.searchIndex.set(change.id, change.row)
    applied += 1
  }
  state.searchChanges.splice(0, applied)
}
