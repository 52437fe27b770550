import type { Wiring } from '../wiring.ts'

export type DemoOptions = {
  /** People in all; companies and deals come in proportion. */
  readonly contacts: number
  /** Ends after the stories. */
  readonly once: boolean
  /** The hub's own HTTP; 0 takes a free port. */
  readonly port: number
  /** The same seed makes the same company; 1 when left out. */
  readonly seed?: number
}

/** What the demo needs of the world; `main.ts` puts it together. */
export type DemoWiring = Pick<
  Wiring,
  'connectors' | 'shipped' | 'env' | 'terminal' | 'stopping' | 'makeLog' | 'serveHttp'
> & {
  /** Makes a company and serves its systems: `openCompany` of src/sandbox/company. */
  openVendors(options: VendorOptions): Promise<Vendors>
  /** How to start this very program: the executable and its first arguments. */
  readonly command: readonly [string, ...string[]]
}

export type VendorOptions = {
  readonly contacts: number
  readonly seed: number
  readonly folder: string
  readonly stripe: { readonly requestsPerSecond: number }
  readonly gmail: { readonly messagesPerMinute: number }
}

/** The other side of the hub, as the demo acts on it and reads it: never through the hub's own eyes. */
export type Vendors = {
  readonly company: {
    readonly people: number
    readonly companies: number
    readonly deals: number
    readonly members: number
    readonly customers: number
    /** Of contacts, companies and deals. */
    readonly rows: readonly number[]
    /** Copies of letters in all mailboxes. */
    readonly mails: number
  }
  /** Holds the CSV exports. */
  readonly folder: string
  readonly mailchimp: {
    readonly url: string
    readonly apiKey: string
    readonly list: string
    member(email: string): Member | null
    /** Everybody, archived people too. */
    members(): readonly Member[]
    /** Somebody fills in the form of the newsletter. */
    signUp(email: string, fields: Readonly<Record<string, string>>): void
    unsubscribe(email: string): void
    edit(email: string, fields: Readonly<Record<string, string>>): void
    /** Requests turned away for being too many. */
    refused(): number
  }
  readonly stripe: {
    readonly url: string
    readonly apiKey: string
    customers(): readonly StripeCustomer[]
    /** Somebody makes one in the dashboard; returns its id. */
    add(customer: { readonly email: string; readonly name: string }): string
    invoices(): readonly StripeInvoice[]
    edit(customer: string, fields: { phone?: string; metadata?: Record<string, string> }): void
    pay(invoice: string): void
    setFaults(plan: FaultPlan | null): void
    faultsFired(kind: Fault['kind']): number
    refused(): number
  }
  readonly gmail: {
    readonly url: string
    /** The JSON file of a service account that may act for everybody of the domain. */
    readonly serviceAccountKey: string
    readonly directoryAdmin: string
    readonly tokenUrl: string
    readonly keysUrl: string
    readonly topic: string
    readonly pushServiceAccount: string
    pushTo(endpoint: string): void
    refused(): number
  }
  readonly outlook: {
    readonly url: string
    readonly clientId: string
    readonly clientSecret: string
    readonly tenant: string
    readonly tokenUrl: string
    readonly mailboxes: readonly string[]
    refused(): number
  }
  /** What people do with their mail, wherever their mailboxes are. Letters are named by their Message-ID. */
  readonly mail: {
    readonly reps: readonly Rep[]
    write(letter: OutsideLetter): Promise<string>
    answer(rep: string, messageId: string, text: string): Promise<string>
    mailing(from: string, rep: string, subject: string): Promise<string>
    label(rep: string, messageId: string, label: string): void
    /** Addresses of the mailboxes that have it now. */
    mailboxesWith(messageId: string): readonly string[]
  }
  close(): Promise<void>
}

export type Rep = {
  readonly name: string
  readonly address: string
  readonly host: 'gmail' | 'outlook'
}

export type OutsideLetter = {
  readonly from: { readonly address: string; readonly name: string }
  /** Addresses of reps. */
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  /** When it was written, and came in: epoch milliseconds. */
  readonly at: number
}

export type Member = {
  readonly email: string
  readonly status: string
  /** Without those that are empty. */
  readonly fields: Readonly<Record<string, string>>
}

export type StripeCustomer = {
  readonly id: string
  readonly email: string | null
  readonly name: string | null
  readonly phone: string | null
  readonly metadata: Readonly<Record<string, string>>
}

export type StripeInvoice = {
  readonly id: string
  readonly number: string
  readonly status: string
  /** Lower case, as Stripe writes it. */
  readonly currency: string
  /** In minor units. */
  readonly total: number
  readonly customer: string
  readonly email: string
  /** The id of the deal it is for. */
  readonly deal: string
  readonly lines: readonly {
    readonly description: string
    readonly quantity: number
    readonly amount: number
  }[]
}

export type Fault = { readonly kind: 'timeout-after-commit' } | { readonly kind: 'slow'; readonly ms: number }
export type FaultPlan = (request: { readonly method: string; readonly path: string }) => Fault | null
