import type { Ground } from './ground.ts'
import type { Oracle } from './oracle.ts'
import type { Chance } from './chance.ts'

export type Actors = { readonly ground: Ground; readonly oracle: Oracle; readonly chance: Chance }

/** Addresses that are known somewhere; people turn up at further systems with one of them. */
export class Addresses {
  readonly known: string[] = []
  #count = 0
  fresh(domain = 'example.com'): string {
    this.#count += 1
    const address = `person${this.#count}@${domain}`
    this.known.push(address)
    return address
  }
}

const GIVEN = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Radia', 'Tony'] as const

/** The same person in different words, as systems have it. */
export function introduce(actors: Actors, addresses: Addresses, count: number): void {
  const { chance, ground, oracle } = actors
  for (let company = 1; company <= 3; company++) {
    ground.source.put('companies', `co${company}`, {
      name: `Company ${company}`,
      domain: `company${company}.example`,
      industry: oracle.fresh('Industry'),
      employees: String(company * 10),
    })
  }
  for (let n = 0; n < count; n++) {
    const email = addresses.fresh()
    const places = chance.shuffled(['csv', 'mailchimp', 'stripe'] as const).slice(0, chance.int(1, 3))
    const person = { given: chance.pick(GIVEN), family: oracle.fresh('Family') }
    for (const place of places) appear(actors, place, email, person)
  }
  const buyers = [...ground.source.rows.contacts.values()]
  for (let deal = 1; deal <= 3; deal++) {
    const buyer = buyers.length === 0 ? undefined : chance.pick(buyers)
    ground.source.put('deals', `d${deal}`, {
      name: oracle.fresh('Deal '),
      pipeline: 'Sales',
      stage: 'Proposal',
      amount: `${chance.int(1, 900)}.50`,
      currency: chance.pick(['EUR', 'USD', 'GBP']),
      close_date: '2026-03-01',
      contact_email: buyer?.['email'] ?? '',
    })
  }
}

type Name = { readonly given: string; readonly family: string; readonly company?: string }

/** A person turns up at a system. What it says of them is a statement of that system. */
export function appear(
  { ground, oracle, chance }: Actors,
  place: 'csv' | 'mailchimp' | 'stripe',
  email: string,
  { given, family, company: firm }: Name,
): void {
  const title = chance.maybe(0.6) ? oracle.fresh('Title') : null
  const company = firm ?? (chance.maybe(0.4) ? oracle.fresh('Firm') : null)
  const phone = chance.maybe(0.5) ? oracle.phone() : null
  const written = chance.maybe(0.1) ? email.toUpperCase() : email
  const said = { givenName: given, familyName: family, jobTitle: title, companyName: company, phones: phone }
  const state = (ref: string) => {
    for (const [field, value] of Object.entries(said)) if (value !== null) oracle.edit(ref, field, value)
  }
  switch (place) {
    case 'csv': {
      const id = oracle.fresh('c')
      ground.source.put('contacts', id, {
        email: written,
        first_name: given,
        last_name: family,
        phone: phone ?? '',
        job_title: title ?? '',
        company: company ?? '',
        company_domain: chance.maybe(0.3) ? `company${chance.int(1, 3)}.example` : '',
        unsubscribed: '',
      })
      state(`csv ${id}`)
      return
    }
    case 'mailchimp': {
      const member = ground.mailchimp.admin.subscribe(written, {
        FNAME: given,
        LNAME: family,
        ...(title === null ? {} : { JOBTITLE: title }),
        ...(company === null ? {} : { COMPANY: company }),
        ...(phone === null ? {} : { PHONE: phone }),
      })
      oracle.act(email, 'in', ground.clock.now)
      state(`mailchimp ${member.contactId}`)
      return
    }
    case 'stripe': {
      const customer = ground.stripe.admin.createCustomer({
        email: written,
        name: `${given} ${family}`,
        ...(phone === null ? {} : { phone }),
        metadata: {
          ...(title === null ? {} : { job_title: title }),
          ...(company === null ? {} : { company }),
          ...(chance.maybe(0.1) ? { email_opt_out: 'false' } : {}),
        },
      })
      state(`stripe ${customer.id}`)
    }
  }
}
