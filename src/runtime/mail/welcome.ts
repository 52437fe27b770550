import type { HubRecord, RecordId } from '../../core/model.ts'
import { holders } from '../../store/identities.ts'
import { newRecordIds } from '../../store/records.ts'
import { birth, bornRecord, type Change } from '../change.ts'
import { consentOver } from '../consent.ts'
import { mustStayNamed } from '../merge/moved.ts'
import { companyDomainOf, newcomersOf, type Crowd, type NewContact } from './crowd.ts'
import type { Passed } from './judge.ts'
import type { PageContext } from './page.ts'

export type People = {
  /** By address, with those that this page makes. */
  readonly contacts: ReadonlyMap<string, RecordId>
  readonly records: ReadonlyMap<RecordId, HubRecord>
  readonly born: readonly Change[]
  readonly companies: readonly Change[]
  readonly companyByDomain: ReadonlyMap<string, RecordId>
  readonly nextId: () => RecordId
}

/** Makes the contacts that a page's messages bring, with their companies; all of it still unwritten. */
export async function welcome(
  page: PageContext,
  open: readonly Passed[],
  crowd: Crowd,
  erased: ReadonlySet<string>,
): Promise<People> {
  const { tx, hub, box } = page
  const at = hub.clock.now()
  const newcomers = newcomersOf(box, open, crowd.holders, erased)
  const domains = new Set(newcomers.flatMap((one) => one.companyDomain ?? []))
  for (const [address, id] of crowd.holders)
    if ((crowd.records.get(id)?.fields['company'] ?? null) === null) {
      const domain = companyDomainOf(address)
      if (domain !== null) domains.add(domain)
    }
  const companyByDomain = new Map(
    (
      await holders(
        tx,
        'company',
        [...domains].map((value) => ({ kind: 'domain', value })),
      )
    ).map(({ key, id }) => [key.value, id]),
  )
  await mustStayNamed(tx, [...companyByDomain.values()])
  const ids = [...(await newRecordIds(tx, newcomers.length * 2 + open.length))]
  const nextId = (): RecordId => {
    const id = ids.shift()
    if (id === undefined) throw new Error('more records than ids were asked for')
    return id
  }
  const origin = (rule: string) => ({ source: box.connection, at, rule })
  const companies: Change[] = []
  for (const domain of new Set(newcomers.flatMap((one) => one.companyDomain ?? []))) {
    if (companyByDomain.has(domain)) continue
    const id = nextId()
    companyByDomain.set(domain, id)
    companies.push(
      birth(bornRecord(id, 'company', { name: domain, domains: [domain] }, origin('mail was sent there'))),
    )
  }
  const consents = await consentOver(
    tx,
    newcomers.map((one) => [one.address]),
    [],
  )
  const contacts = new Map(crowd.holders)
  const born = newcomers.map((one, i): Change => {
    const id = nextId()
    contacts.set(one.address, id)
    const consent = consents[i] ?? 'unknown'
    const fields = contactFields(one, companyByDomain)
    const told = consent === 'unknown' ? fields : { ...fields, emailConsent: consent }
    return {
      ...birth(bornRecord(id, 'contact', told, origin('took part in mail'))),
      urgent: consent === 'out',
    }
  })
  page.count['contacts'] = born.length
  return { contacts, records: crowd.records, born, companies, companyByDomain, nextId }
}

function contactFields(one: NewContact, companyByDomain: ReadonlyMap<string, RecordId>): HubRecord['fields'] {
  const company = one.companyDomain === null ? undefined : companyByDomain.get(one.companyDomain)
  return company === undefined ? one.fields : { ...one.fields, company }
}
