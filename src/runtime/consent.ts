import { effectiveConsent, strictest, type ConsentState, type Statement } from '../core/consent.ts'
import type { Fields } from '../core/model.ts'
import { statementsAbout } from '../store/consents.ts'
import type { Query } from '../store/database.ts'

/** The channel that `contacts.emailConsent` sums up. */
export const CHANNEL = 'email'

export const addressesOf = (fields: Fields): readonly string[] => {
  const emails = fields['emails']
  return Array.isArray(emails) ? emails.filter((address) => typeof address === 'string') : []
}

export function consentOf(fields: Fields): ConsentState {
  const state = fields['emailConsent']
  return state === 'in' || state === 'out' || state === 'pending' ? state : 'unknown'
}

/**
 * What the ledger, with `fresh` statements on top, says about people with these addresses: the strictest over their
 * addresses and audiences. One query for all.
 */
export async function consentOver(
  q: Query,
  people: readonly (readonly string[])[],
  fresh: readonly Statement[],
): Promise<readonly ConsentState[]> {
  const addresses = [...new Set(people.flat())]
  const known = [...(await statementsAbout(q, CHANNEL, addresses)), ...fresh]
  const byAddress = Map.groupBy(known, (statement) => statement.address)
  return people.map((mine) =>
    strictest(
      mine.flatMap((address) =>
        [...Map.groupBy(byAddress.get(address) ?? [], (s) => s.audience).values()].map(effectiveConsent),
      ),
    ),
  )
}
