import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Fault, FaultPlan } from '../faults.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../mailchimp/app.ts'
import { serveSandbox } from '../serve.ts'
import { createStripeSandbox, type StripeSandbox } from '../stripe/index.ts'
import { dice } from './dice.ts'
import { generateCompany, type Company } from './generate.ts'

export type OpenOptions = {
  readonly contacts: number
  readonly seed: number
  /** Where the CSV exports are written; made when missing. */
  readonly folder: string
  readonly stripe: {
    /** What the sandbox allows; Stripe itself allows 25 to one endpoint. */
    readonly requestsPerSecond: number
  }
}

const MAILCHIMP_KEY = 'demo-us1'
const STRIPE_KEY = 'sk_test_demo'

/** The generated company's three systems: two vendors that answer on loopback, and a folder of exports. */
export async function openCompany({ contacts, seed, folder, stripe: limits }: OpenOptions) {
  const company = generateCompany({ contacts, seed, now: Date.now() })
  const now = () => Date.now()
  const chance = dice(seed + 100)
  const random = () => chance.next()
  const mailchimp = createMailchimpSandbox({
    now,
    random,
    apiKey: MAILCHIMP_KEY,
    autoDeliver: true,
    probe: async (url) => (await fetch(url)).ok,
  })
  const stripe = createStripeSandbox({ now, random, apiKey: STRIPE_KEY, ...limits })
  mailchimp.admin.seed(company.members)
  stripe.admin.seed(company.customers)
  await writeExports(folder, company)
  const served = await Promise.all([serveSandbox(mailchimp.app), serveSandbox(stripe.app)])
  const [atMailchimp, atStripe] = served
  const stopDelivery = stripe.autoDeliver()
  return {
    company: {
      people: company.people.length,
      companies: company.firms.length,
      deals: company.deals.length,
      members: company.members.length,
      customers: company.customers.length,
      rows: [company.exports.contacts, company.exports.companies, company.exports.deals].map(rowsOf),
    },
    folder,
    mailchimp: mailchimpSide(mailchimp, atMailchimp.url),
    stripe: stripeSide(stripe, atStripe.url),
    async close(): Promise<void> {
      stopDelivery()
      await Promise.all(served.map((server) => server.close()))
    },
  }
}

function mailchimpSide({ admin, audience, connections }: MailchimpSandbox, url: string) {
  return {
    url,
    apiKey: MAILCHIMP_KEY,
    list: audience.id,
    member(email: string) {
      const found = admin.member(email)
      if (found === undefined) return null
      const { status, mergeFields } = found
      return {
        status,
        fields: Object.fromEntries([...mergeFields].map(([tag, value]) => [tag, textOf(value)])),
      }
    },
    /** The person follows the link at the foot of a mail. */
    unsubscribe: (email: string): void => void admin.unsubscribe(email),
    /** Staff edits a profile. */
    edit: (email: string, fields: Readonly<Record<string, string>>): void =>
      void admin.editProfile(email, fields, 'admin'),
    members: (): number => admin.members().length,
    /** Requests turned away because there were too many at once. */
    refused: (): number => connections.refused,
  }
}

function stripeSide({ admin, faults, limiter }: StripeSandbox, url: string) {
  return {
    url,
    apiKey: STRIPE_KEY,
    customers: () =>
      admin.customers().map(({ id, email, name, phone, metadata }) => ({ id, email, name, phone, metadata })),
    invoices: () => admin.invoices().map(invoiceOf),
    /** Somebody edits the customer in the dashboard. */
    edit(email: string, fields: { phone?: string; metadata?: Record<string, string> }): void {
      admin.editCustomer(email, fields)
    },
    /** The customer pays. */
    pay: (invoice: string): void => void admin.payInvoice(invoice),
    setFaults(plan: FaultPlan | null): void {
      faults.plan = plan
    },
    faultsFired: (kind: Fault['kind']): number => faults.fired.get(kind) ?? 0,
    refused: (): number => limiter.refused,
  }
}

/** The facts of an invoice, of all that the API would show. */
function invoiceOf(wire: Readonly<Record<string, unknown>>) {
  const text = (name: string) => textOf(wire[name])
  const { metadata, lines } = wire
  const listed = isObject(lines) && Array.isArray(lines['data']) ? lines['data'] : []
  return {
    id: text('id'),
    number: text('number'),
    status: text('status'),
    currency: text('currency'),
    total: Number(wire['total']),
    customer: text('customer'),
    email: text('customer_email'),
    deal: isObject(metadata) ? textOf(metadata['concord_deal']) : '',
    lines: listed.filter(isObject).map((line) => ({
      description: textOf(line['description']),
      quantity: Number(line['quantity']),
      amount: Number(line['amount']),
    })),
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whole files only: each is written beside its place and then moved there. */
async function writeExports(folder: string, { exports }: Company): Promise<void> {
  await mkdir(path.join(folder, 'out'), { recursive: true })
  for (const [name, text] of Object.entries(exports)) {
    const temporary = path.join(folder, `.${name}.tmp`)
    await writeFile(temporary, text)
    await rename(temporary, path.join(folder, `${name}.csv`))
  }
}

/** Without the header. */
const rowsOf = (text: string): number => text.trimEnd().split('\n').length - 1
