import type { Instant, Json } from './json.ts'

export const RECORD_KINDS = ['contact', 'company', 'deal', 'activity', 'invoice'] as const
export type RecordKind = (typeof RECORD_KINDS)[number]

/** Unique over all kinds. */
export type RecordId = number
export type FieldName = string

/**
 * Values of a record by field. Three things are kept apart: a missing key (nobody ever said anything),
 * `null` (somebody cleared it) and a value. Empty text and empty lists are stored as `null`.
 */
export type Fields = Readonly<Record<FieldName, Json>>

/** Minor units of an ISO 4217 currency: {amount: 123456, currency: 'EUR'} is 1,234.56 €. */
export type Money = { readonly amount: number; readonly currency: string }
/** One line of a deal or invoice; `unitAmount` in minor units of the deal's currency. */
export type Line = { readonly description: string; readonly quantity: number; readonly unitAmount: number }

/** Where a value came from: a connection's name, `api`, `user:<name>` or `rule:<name>`. */
export type Source = string
export type Provenance = { readonly source: Source; readonly at: Instant; readonly rule: string }
/** Provenance by field; `*` stands for every field that is not named. */
export type Provenances = Readonly<Record<FieldName, Provenance>>

export type HubRecord = {
  readonly id: RecordId
  readonly kind: RecordKind
  /** Rises by one with every change; optimistic locking and wake-ups rest on it. */
  readonly version: number
  readonly fields: Fields
  readonly provenance: Provenances
  readonly archived: boolean
}

/**
 * How a field's values behave: `address` is {line1, line2, city, region, postalCode, country (ISO 3166-1 alpha-2)}, each
 * of them optional; `emails`, `phones` and `tags` are sets whose first member is the primary one;
 * `ref` is another record's id; `date` is YYYY-MM-DD; `monthday` is MM-DD.
 */
export type FieldType =
  | 'text'
  | 'integer'
  | 'date'
  | 'instant'
  | 'monthday'
  | 'emails'
  | 'phones'
  | 'domains'
  | 'tags'
  | 'address'
  | 'money'
  | 'lines'
  | 'consent'
  | { readonly ref: RecordKind }

export type FieldSpec = {
  readonly type: FieldType
  readonly column: string
  readonly label: string
  /** Computed by the hub; no mapping and no person may write it. */
  readonly derived?: true
}

const text = (column: string, label: string): FieldSpec => ({ type: 'text', column, label })

/** What mail says about who answers whom. */
const replies = {
  lastContactedAt: { type: 'instant', column: 'last_contacted_at', label: 'Last contacted', derived: true },
  lastRepliedAt: { type: 'instant', column: 'last_replied_at', label: 'Last replied', derived: true },
  firstResponseMinutes: {
    type: 'integer',
    column: 'first_response_minutes',
    label: 'Minutes to first response',
    derived: true,
  },
  nextStepOverdueSince: {
    type: 'date',
    column: 'next_step_overdue_since',
    label: 'Next step overdue since',
    derived: true,
  },
} as const satisfies Readonly<Record<FieldName, FieldSpec>>

/** The standard fields. Anything else is a custom field and is named `custom.<name>`. */
export const CATALOG: Readonly<Record<RecordKind, Readonly<Record<FieldName, FieldSpec>>>> = {
  contact: {
    givenName: text('given_name', 'First name'),
    familyName: text('family_name', 'Last name'),
    emails: { type: 'emails', column: 'emails', label: 'Email addresses' },
    phones: { type: 'phones', column: 'phones', label: 'Phone numbers' },
    jobTitle: text('job_title', 'Job title'),
    companyName: text('company_name', 'Company name'),
    company: { type: { ref: 'company' }, column: 'company_id', label: 'Company' },
    address: { type: 'address', column: 'address', label: 'Address' },
    birthday: { type: 'monthday', column: 'birthday', label: 'Birthday' },
    language: text('language', 'Language'),
    owner: text('owner', 'Owner'),
    tags: { type: 'tags', column: 'tags', label: 'Tags' },
    emailConsent: { type: 'consent', column: 'email_consent', label: 'Marketing email', derived: true },
    ...replies,
    bouncingEmails: { type: 'tags', column: 'bouncing_emails', label: 'Bouncing addresses', derived: true },
  },
  company: {
    name: text('name', 'Name'),
    domains: { type: 'domains', column: 'domains', label: 'Domains' },
    phones: { type: 'phones', column: 'phones', label: 'Phone numbers' },
    address: { type: 'address', column: 'address', label: 'Address' },
    industry: text('industry', 'Industry'),
    employees: { type: 'integer', column: 'employees', label: 'Employees' },
    owner: text('owner', 'Owner'),
    tags: { type: 'tags', column: 'tags', label: 'Tags' },
  },
  deal: {
    name: text('name', 'Name'),
    pipeline: text('pipeline', 'Pipeline'),
    stage: text('stage', 'Stage'),
    amount: { type: 'money', column: 'amount', label: 'Amount' },
    closeDate: { type: 'date', column: 'close_date', label: 'Close date' },
    lines: { type: 'lines', column: 'lines', label: 'Lines' },
    contact: { type: { ref: 'contact' }, column: 'contact_id', label: 'Contact' },
    company: { type: { ref: 'company' }, column: 'company_id', label: 'Company' },
    owner: text('owner', 'Owner'),
    nextStep: text('next_step', 'Next step'),
    nextStepDue: { type: 'date', column: 'next_step_due', label: 'Next step due' },
    paymentStatus: { ...text('payment_status', 'Payment status'), derived: true },
    ...replies,
  },
  activity: {
    type: text('type', 'Type'),
    subject: text('subject', 'Subject'),
    occurredAt: { type: 'instant', column: 'occurred_at', label: 'Time' },
    contact: { type: { ref: 'contact' }, column: 'contact_id', label: 'Contact' },
    company: { type: { ref: 'company' }, column: 'company_id', label: 'Company' },
    deal: { type: { ref: 'deal' }, column: 'deal_id', label: 'Deal' },
  },
  invoice: {
    deal: { type: { ref: 'deal' }, column: 'deal_id', label: 'Deal' },
    item: text('item', 'Schedule item'),
    contact: { type: { ref: 'contact' }, column: 'contact_id', label: 'Contact' },
    total: { type: 'money', column: 'total', label: 'Total' },
    paid: { type: 'money', column: 'paid', label: 'Amount paid' },
    lines: { type: 'lines', column: 'lines', label: 'Lines' },
    memo: text('memo', 'Memo'),
    dueDays: { type: 'integer', column: 'due_days', label: 'Days until due' },
    number: text('number', 'Number'),
    status: text('status', 'Status'),
    url: text('url', 'Web page'),
  },
}

const CUSTOM = /^custom\.[A-Za-z][A-Za-z0-9_]{0,62}$/

/** The type of a field, or undefined where the kind has no such field. Custom fields are text. */
export function fieldType(kind: RecordKind, field: FieldName): FieldType | undefined {
  return CATALOG[kind][field]?.type ?? (CUSTOM.test(field) ? 'text' : undefined)
}

/** Fields that the hub works out follow from others: nobody writes them. */
export const isDerived = (kind: RecordKind, field: FieldName): boolean =>
  CATALOG[kind][field]?.derived === true

export function isSet(type: FieldType | undefined): boolean {
  return type === 'emails' || type === 'phones' || type === 'domains' || type === 'tags'
}

export function provenanceOf(record: HubRecord, field: FieldName): Provenance | undefined {
  return record.provenance[field] ?? record.provenance['*']
}
