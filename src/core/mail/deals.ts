import type { RecordId } from '../model.ts'

type OpenDeal = {
  readonly id: RecordId
  readonly contact: RecordId | null
  readonly company: RecordId | null
}

/**
 * The open deal that a message of a contact belongs to, where there is exactly one: the contact's own, or, where the
 * contact has none, the company's. With two it would be a guess, and none is linked.
 */
export function dealOf(
  open: readonly OpenDeal[],
  contact: RecordId,
  company: RecordId | null,
): RecordId | null {
  const own = open.filter((deal) => deal.contact === contact)
  const candidates =
    own.length > 0 || company === null ? own : open.filter((deal) => deal.company === company)
  const ids = new Set(candidates.map(({ id }) => id))
  const [only] = ids
  return ids.size === 1 && only !== undefined ? only : null
}
