import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Json } from '../../src/core/json.ts'
import { DEFAULT_RULES } from '../../src/core/mail/rules.ts'
import { planCreation } from '../../src/core/plan.ts'
import type { Refs, Stream } from '../../src/core/stream.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { jsonSchema } from '../../src/mappings/schema.ts'

const CONFIG = path.join(import.meta.dirname, '..', '..', 'config')
const CATALOG = {
  connectors: {
    mailchimp: ['members'],
    stripe: ['customers', 'invoices'],
    csv: ['contacts', 'companies', 'deals'],
    gmail: [],
    imap: [],
    outlook: ['contacts'],
  },
  mail: ['gmail', 'imap', 'outlook'],
}
const files = readdirSync(CONFIG)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, text: readFileSync(path.join(CONFIG, name), 'utf8') }))
const loaded = loadConfiguration(files, CATALOG)

function stream(connection: string, name: string): Stream {
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  const found = loaded.configuration.connections
    .find((one) => one.name === connection)
    ?.streams.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no stream ${connection}.${name}`)
  return found
}

const REFS: Refs = {
  toId: ({ key }) => ({ cus_1: 1, 'ann@example.com': 1, 'acme.com': 2, '3': 3 })[key],
  toKey: ({ id, by }) => (by === 'id' ? String(id) : ({ 1: 'cus_1' } as Record<number, string>)[id]),
}

function readAll(from: Stream, body: Json): Record<string, unknown> {
  return Object.fromEntries(
    from.lenses(REFS).map((lens) => {
      const reading = lens.get(body)
      return [lens.key, reading.kind === 'value' ? reading.value : reading.kind]
    }),
  )
}

describe('the shipped configuration', () => {
  it('loads cleanly', () => {
    expect(loaded.kind === 'problems' ? loaded.problems.map(formatProblem) : []).toEqual([])
  })

  it('tells editors where its schema is, and fits it', () => {
    const validate = new Ajv({ strict: false }).compile(jsonSchema())
    for (const { name, text } of files) {
      expect(text.startsWith('# yaml-language-server: $schema=./schema.json\n#\n# ')).toBe(true)
      validate(parse(text))
      expect({ name, errors: validate.errors }).toEqual({ name, errors: null })
    }
  })

  // To renew it: node -e "import('./src/mappings/schema.ts').then((s) => console.log(JSON.stringify(s.jsonSchema())))" > config/schema.json && npx biome format --write config/schema.json
  it('comes with the current schema', () => {
    expect(JSON.parse(readFileSync(path.join(CONFIG, 'schema.json'), 'utf8'))).toEqual(jsonSchema())
  })

  it('reads a Mailchimp member', () => {
    const member = {
      email_address: 'Ann@Example.com',
      status: 'cleaned',
      merge_fields: { FNAME: 'Ann', LNAME: 'Lee', PHONE: '(415) 555-2671', JOBTITLE: '', COMPANY: 'Acme' },
      language: 'en',
      timestamp_opt: '2026-01-02T03:04:05+00:00',
    }
    const members = stream('mailchimp', 'members')
    expect(readAll(members, member)).toEqual({
      emails: ['ann@example.com'],
      givenName: 'Ann',
      familyName: 'Lee',
      phones: ['+14155552671'],
      jobTitle: null,
      companyName: 'Acme',
      language: 'en',
    })
    expect(members.consent?.read(member)).toMatchObject({ address: 'ann@example.com', state: 'out' })
    expect(members.filterOut({ emailConsent: 'in' })).toBe(true)
    expect(members.filterOut({})).toBe(false)
  })

  it('reads a Stripe customer', () => {
    const customer = {
      email: 'ann@example.com',
      name: 'Ann van Dyk',
      phone: null,
      address: {
        line1: '1 High St',
        line2: null,
        city: 'Bonn',
        state: null,
        postal_code: '53111',
        country: 'DE',
      },
      metadata: { job_title: 'CEO', email_opt_out: 'true' },
    }
    expect(readAll(stream('stripe', 'customers'), customer)).toEqual({
      emails: ['ann@example.com'],
      'givenName+familyName': { givenName: 'Ann', familyName: 'van Dyk' },
      phones: null,
      address: { line1: '1 High St', city: 'Bonn', postalCode: '53111', country: 'DE' },
      jobTitle: 'CEO',
      companyName: null,
    })
    expect(stream('stripe', 'customers').consent?.read(customer)).toMatchObject({ state: 'out' })
  })

  it('issues a Stripe invoice with all that one needs', () => {
    const invoices = stream('stripe', 'invoices')
    const fields = {
      contact: 1,
      deal: 3,
      item: 'full',
      total: { amount: 2_000, currency: 'EUR' },
      lines: [{ description: 'Widget', quantity: 2, unitAmount: 1_000 }],
      memo: 'Thank you',
      dueDays: 30,
    }
    expect(invoices.hubRefs(fields)).toContainEqual({ record: 'contact', by: { stream: 'customers' }, id: 1 })
    expect(planCreation(invoices.lenses(REFS), fields).body).toEqual({
      customer: 'cus_1',
      currency: 'eur',
      description: 'Thank you',
      days_until_due: 30,
      lines: [{ description: 'Widget', quantity: 2, unit_amount: 1_000 }],
      metadata: { concord_deal: '3', concord_item: 'full' },
    })
  })

  it('reads what became of a Stripe invoice', () => {
    const invoice = {
      customer: 'cus_1',
      currency: 'eur',
      status: 'paid',
      number: 'A-1',
      hosted_invoice_url: 'https://pay.example/1',
      total: 2_000,
      amount_paid: 2_000,
      description: null,
      days_until_due: null,
      lines: { data: [{ description: 'Widget', quantity: 2, unit_amount: null, amount: 2_000 }] },
      metadata: {},
    }
    expect(readAll(stream('stripe', 'invoices'), invoice)).toMatchObject({
      contact: 1,
      status: 'paid',
      number: 'A-1',
      url: 'https://pay.example/1',
      total: { amount: 2_000, currency: 'EUR' },
      paid: { amount: 2_000, currency: 'EUR' },
      lines: [{ description: 'Widget', quantity: 2, unitAmount: 1_000 }],
    })
  })

  it('reads rows of CSV exports', () => {
    const contact = {
      id: '7',
      email: 'ann@example.com',
      first_name: 'Ann',
      company_domain: 'acme.com',
      unsubscribed: 'yes',
    }
    expect(readAll(stream('csv', 'contacts'), contact)).toMatchObject({
      givenName: 'Ann',
      company: 2,
      phones: 'absent',
    })
    expect(stream('csv', 'contacts').consent?.read(contact)).toMatchObject({ state: 'out' })
    const deal = {
      name: 'Big one',
      amount: '1.234,50',
      currency: 'EUR',
      close_date: '2026-12-24',
      contact_email: 'ann@example.com',
      lines: '[{"description":"Widget","quantity":2,"unitAmount":61725}]',
    }
    expect(readAll(stream('csv', 'deals'), deal)).toMatchObject({
      amount: { amount: 123_450, currency: 'EUR' },
      closeDate: '2026-12-24',
      contact: 1,
      lines: [{ description: 'Widget', quantity: 2, unitAmount: 61_725 }],
    })
    expect(readAll(stream('csv', 'companies'), { employees: '1,200' })).toMatchObject({ employees: 1200 })
  })

  it('reads an Outlook contact, and writes back what changed', () => {
    const contact = {
      givenName: 'Ann',
      surname: 'Lee',
      emailAddresses: [
        { name: 'Ann Lee', address: 'Ann@Example.com' },
        { name: null, address: 'ann@home.example' },
      ],
      businessPhones: ['(415) 555-2671'],
      mobilePhone: '+4915112345678',
      homePhones: [],
      companyName: 'Acme',
      jobTitle: null,
      businessAddress: {
        street: '1 High St\r\nFlat 2',
        city: 'Bonn',
        state: null,
        postalCode: '53111',
        countryOrRegion: 'Germany',
      },
      birthday: '1974-07-22T00:00:00Z',
    }
    const contacts = stream('outlook', 'contacts')
    expect(readAll(contacts, contact)).toEqual({
      emails: ['ann@example.com', 'ann@home.example'],
      givenName: 'Ann',
      familyName: 'Lee',
      phones: ['+14155552671', '+4915112345678'],
      jobTitle: null,
      companyName: 'Acme',
      address: { line1: '1 High St', line2: 'Flat 2', city: 'Bonn', postalCode: '53111', country: 'DE' },
      birthday: '07-22',
    })
    const wrote = (key: string, value: Json) =>
      contacts
        .lenses(REFS)
        .find((lens) => lens.key === key)
        ?.put(value, contact)
    expect(wrote('phones', ['+14155552671', '+4930123456'])).toEqual({
      businessPhones: ['(415) 555-2671', '+4930123456'],
      mobilePhone: '',
    })
    expect(wrote('address', { line1: '2 Low St', city: 'Bonn', country: 'AT' })).toMatchObject({
      businessAddress: { street: '2 Low St', countryOrRegion: 'Austria' },
    })
    expect(wrote('emails', ['ann@example.com'])).toEqual({ emailAddresses: [{ address: 'ann@example.com' }] })
  })

  it.each(['gmail', 'imap', 'outlook'])('reads the mail of %s by the usual rules, written out', (name) => {
    if (loaded.kind === 'problems') throw new Error('see above')
    const found = loaded.configuration.connections.find((one) => one.name === name)
    expect(found?.mail).toEqual({
      schedule: '*/2 * * * *',
      rules: DEFAULT_RULES,
      owners: {},
      mailboxes: null,
      alarmMs: 7_200_000,
    })
    const written = files.find((file) => file.name === `${name}.yaml`)?.text ?? ''
    expect(
      Object.keys(DEFAULT_RULES).filter((rule) => !new RegExp(`^  ${rule}: `, 'm').test(written)),
    ).toEqual([])
  })
})
