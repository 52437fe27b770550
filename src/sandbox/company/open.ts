import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Fault, FaultPlan } from '../faults.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../mailchimp/app.ts'
import type { Member } from '../mailchimp/state.ts'
import { serveSandbox } from '../serve.ts'
import { createStripeSandbox, type StripeSandbox } from '../stripe/index.ts'
import { dice } from './dice.ts'
import { generateCompany, type Company } from './generate.ts'
import { countCopies } from './mail.ts'
import { openMailroom, type Mailroom } from './mailroom.ts'
import { OUR_DOMAIN, repsAt } from './reps.ts'

export type OpenOptions = {
  readonly contacts: number
  readonly seed: number
  /** Where the CSV exports are written; made when missing. */
  readonly folder: string
  readonly stripe: {
    /** What the sandbox allows; Stripe itself allows 25 to one endpoint. */
    readonly requestsPerSecond: number
  }
  readonly gmail: {
    /** What it hands out of each mailbox; Gmail itself hands out 300 messages. */
    readonly messagesPerMinute: number
  }
}

const MAILCHIMP_KEY = 'demo-us1'
const STRIPE_KEY = 'sk_test_demo'

/** The generated company's systems: four vendors that answer on loopback, and a folder of exports. */
export async function openCompany({ contacts, seed, folder, stripe: limits, gmail: pace }: OpenOptions) {
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
  const mailroom = openMailroom({ now, random, dice: dice(seed + 101), ...pace })
  await mailroom.fill(company.mail)
  await writeExports(folder, company)
  const apps = [mailchimp.app, stripe.app, mailroom.gmail.app, mailroom.graph.app] as const
  const [atMailchimp, atStripe, atGmail, atGraph] = await Promise.all([
    serveSandbox(apps[0]),
    serveSandbox(apps[1]),
    serveSandbox(apps[2]),
    serveSandbox(apps[3]),
  ])
  const stopDelivery = stripe.autoDeliver()
  return {
    company: {
      people: company.people.length,
      companies: company.firms.length,
      deals: company.deals.length,
      members: company.members.length,
      customers: company.customers.length,
      rows: [company.exports.contacts, company.exports.companies, company.exports.deals].map(rowsOf),
      mails: countCopies(company.mail),
    },
    folder,
    mailchimp: mailchimpSide(mailchimp, atMailchimp.url),
    stripe: stripeSide(stripe, atStripe.url),
    gmail: gmailSide(mailroom, atGmail.url),
    outlook: outlookSide(mailroom, atGraph.url),
    mail: mailroom.mail,
    async close(): Promise<void> {
      stopDelivery()
      await Promise.all([atMailchimp, atStripe, atGmail, atGraph].map((server) => server.close()))
    },
  }
}

/** Google: the domain's admin has let a service account read its mailboxes, and made a Pub/Sub topic. */
function gmailSide({ gmail }: Mailroom, url: string) {
  const [admin] = repsAt('gmail')
  const project = OUR_DOMAIN.replace('.', '-')
  const topic = `projects/${project}/topics/gmail`
  const pushServiceAccount = `push@${project}.iam.gserviceaccount.com`
  return {
    url,
    serviceAccountKey: JSON.stringify(
      gmail.serviceAccount(`concord@${project}.iam.gserviceaccount.com`),
      null,
      2,
    ),
    directoryAdmin: admin?.address ?? '',
    tokenUrl: `${url}/token`,
    /** Where it publishes the keys it signs pushes with. */
    keysUrl: `${url}/oauth2/v3/certs`,
    topic,
    pushServiceAccount,
    /** The admin makes a push subscription of the topic. */
    pushTo: (endpoint: string): void =>
      gmail.createTopic(topic, { endpoint, serviceAccount: pushServiceAccount }),
    refused: (): number => gmail.quota.refused,
  }
}

/** Microsoft: an application with a secret of its own. */
function outlookSide({ graph }: Mailroom, url: string) {
  const { application } = graph
  return {
    url,
    clientId: application.id,
    clientSecret: application.secret,
    tenant: OUR_DOMAIN,
    tokenUrl: `${url}/${OUR_DOMAIN}/oauth2/v2.0/token`,
    mailboxes: repsAt('outlook').map(({ address }) => address),
    refused: (): number => graph.refused(),
  }
}

function mailchimpSide({ admin, audience, connections }: MailchimpSandbox, url: string) {
  return {
    url,
    apiKey: MAILCHIMP_KEY,
    list: audience.id,
    member(email: string) {
      const found = admin.member(email)
      return found === undefined ? null : memberOf(found)
    },
    members: () => admin.members().map(memberOf),
    /** The person fills in the sign-up form. */
    signUp: (email: string, fields: Readonly<Record<string, string>>): void =>
      void admin.subscribe(email, fields),
    /** The person follows the link at the foot of a mail. */
    unsubscribe: (email: string): void => void admin.unsubscribe(email),
    /** Staff edits a profile. */
    edit: (email: string, fields: Readonly<Record<string, string>>): void =>
      void admin.editProfile(email, fields, 'admin'),
    /** Requests turned away because there were too many at once. */
    refused: (): number => connections.refused,
  }
}

function memberOf({ email, status, mergeFields }: Member) {
  const fields = [...mergeFields].map(([tag, value]) => [tag, textOf(value)] as const)
  return { email, status, fields: Object.fromEntries(fields.filter(([, value]) => value !== '')) }
}

function stripeSide({ admin, faults, limiter }: StripeSandbox, url: string) {
  return {
    url,
    apiKey: STRIPE_KEY,
    customers: () =>
      admin.customers().map(({ id, email, name, phone, metadata }) => ({ id, email, name, phone, metadata })),
    invoices: () => admin.invoices().map(invoiceOf),
    /** Somebody makes a customer in the dashboard. */
    add: (customer: { readonly email: string; readonly name: string }): string =>
      admin.createCustomer(customer).id,
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
