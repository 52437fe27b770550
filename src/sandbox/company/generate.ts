import { makeDeals, type Deal } from './deals.ts'
import { dice } from './dice.ts'
import { makeMail, type Posted } from './mail.ts'
import { makeFirmsAndPeople, REGULARS, type Firm, type Person } from './people.ts'
import { customersOf, membersOf, type CustomerLook, type MemberLook } from './vendors.ts'
import { exportsOf, type Exports } from './exports.ts'

export type CompanyOptions = {
  /** People in all; firms and deals come in proportion. */
  readonly contacts: number
  readonly seed: number
  /** Epoch milliseconds: what happened lately is dated by it. */
  readonly now: number
}

/** A company's people, firms and deals, as its systems know them: each in its own words, with gaps and slips. */
export type Company = {
  readonly people: readonly Person[]
  readonly firms: readonly Firm[]
  readonly deals: readonly Deal[]
  readonly members: readonly MemberLook[]
  readonly customers: readonly CustomerLook[]
  readonly exports: Exports
  /** Oldest first. */
  readonly mail: readonly Posted[]
}

/** Copies of letters in mailboxes, for each person: 5,000 in a company of 2,000 people. */
const MAILS_EACH = 2.5

/** The same options give the same company. */
export function generateCompany({ contacts, seed, now }: CompanyOptions): Company {
  const people = Math.max(REGULARS, contacts)
  const counts = { people, firms: Math.max(6, Math.round(people * 0.15)) }
  const made = makeFirmsAndPeople(dice(seed), counts)
  // Each part has dice of its own, so that one more person changes as little as it can.
  const deals = makeDeals(dice(seed + 1), Math.max(REGULARS, Math.round(people * 0.2)), made.people, now)
  return {
    ...made,
    deals,
    members: membersOf(dice(seed + 2), made.people, now),
    customers: customersOf(dice(seed + 3), made.people, now),
    exports: exportsOf(dice(seed + 4), { ...made, deals }),
    mail: makeMail(dice(seed + 5), Math.round(people * MAILS_EACH), made, now),
  }
}
