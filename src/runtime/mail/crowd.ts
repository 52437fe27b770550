import { domainOf } from '../../core/mail/address.ts'
import { newcomer } from '../../core/mail/newcomers.ts'
import type { Fields, HubRecord, RecordId } from '../../core/model.ts'
import type { Tx } from '../../store/database.ts'
import { holders } from '../../store/identities.ts'
import { loadRecords } from '../../store/records.ts'
import { RaceError } from '../change.ts'
import type { Box } from './box.ts'
import { domainFacts } from './domains.ts'
import { waitForContacts } from './gate.ts'
import type { Passed, Person } from './judge.ts'

/** The contacts that a page's people are. */
export type Crowd = {
  /** By address; every form a person is looked up by. */
  readonly holders: ReadonlyMap<string, RecordId>
  readonly records: ReadonlyMap<RecordId, HubRecord>
}

/** Finds and holds the contacts with these addresses, and sees to it that none comes into being until the page is written. */
export async function meetPeople(tx: Tx, addresses: readonly string[]): Promise<Crowd> {
  const keys = [...new Set(addresses)].map((value) => ({ kind: 'email' as const, value }))
  const first = await holders(tx, 'contact', keys)
  const records = await loadRecords(
    tx,
    'contact',
    first.map((holding) => holding.id),
    'lock',
  )
  await waitForContacts(tx)
  const found = await holders(tx, 'contact', keys)
  if (found.some((holding) => !records.has(holding.id)))
    throw new RaceError('a contact with one of the addresses was made meanwhile')
  return { holders: new Map(found.map(({ key, id }) => [key.value, id])), records }
}

export const contactOf = (known: ReadonlyMap<string, RecordId>, person: Person): RecordId | null => {
  for (const form of person.forms) {
    const id = known.get(form)
    if (id !== undefined) return id
  }
  return null
}

export type NewContact = {
  readonly address: string
  readonly fields: Fields
  readonly companyDomain: string | null
}

/** Who becomes a contact by a page's messages. A name stands wherever one of the messages gives it. */
export function newcomersOf(
  box: Box,
  passed: readonly Passed[],
  known: ReadonlyMap<string, RecordId>,
  erased: ReadonlySet<string>,
): readonly NewContact[] {
  const made = new Map<string, NewContact>()
  for (const { people, direction, makesContacts, isOld } of passed) {
    if (!makesContacts || isOld) continue
    for (const person of people) {
      if (person.side === 'us' || contactOf(known, person) !== null) continue
      if (person.forms.some((form) => erased.has(form))) continue
      const twin = person.forms.map((form) => made.get(form)).find((one) => one !== undefined)
      const verdict = newcomer(person, direction, box.rules, domainFacts)
      if (verdict.kind === 'none') continue
      const address = twin?.address ?? person.address
      made.set(address, {
        address,
        fields: { ...verdict.fields, ...twin?.fields },
        companyDomain: twin?.companyDomain ?? verdict.companyDomain,
      })
    }
  }
  return [...made.values()]
}

/** The domain to look the company of an address up by; null for free mail. */
export function companyDomainOf(address: string): string | null {
  const domain = domainOf(address)
  const registrable = domainFacts.registrable(domain)
  if (registrable === null || domainFacts.isFreeMail(domain) || domainFacts.isFreeMail(registrable))
    return null
  return registrable
}
