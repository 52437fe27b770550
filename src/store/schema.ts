import { sql } from 'drizzle-orm'
import { date, index, integer, jsonb, pgSequence, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, big } from './column-types.ts'

/** One sequence for every kind of record, so that an id alone names a record. */
export const recordIds = pgSequence('record_ids', { cache: 1 })
export const linkIds = pgSequence('link_ids', { cache: 1 })

const recordColumns = {
  id: big('id').primaryKey(),
  version: integer('version').notNull().default(1),
  createdAt: at('created_at').notNull().defaultNow(),
  updatedAt: at('updated_at').notNull().defaultNow(),
  archivedAt: at('archived_at'),
  custom: jsonb('custom').notNull().default({}),
  provenance: jsonb('provenance').notNull().default({}),
}

export const contacts = pgTable(
  'contacts',
  {
    ...recordColumns,
    givenName: text('given_name'),
    familyName: text('family_name'),
    email: text('email').generatedAlwaysAs(sql`emails[1]`),
    emails: text('emails').array(),
    phones: text('phones').array(),
    jobTitle: text('job_title'),
    companyName: text('company_name'),
    companyId: big('company_id'),
    address: jsonb('address'),
    birthday: text('birthday'),
    language: text('language'),
    owner: text('owner'),
    tags: text('tags').array(),
    emailConsent: text('email_consent'),
    lastContactedAt: at('last_contacted_at'),
    lastRepliedAt: at('last_replied_at'),
    firstResponseMinutes: integer('first_response_minutes'),
    nextStepOverdueSince: date('next_step_overdue_since'),
    bouncingEmails: text('bouncing_emails').array(),
  },
  (t) => [index('contacts_company').on(t.companyId).where(sql`company_id is not null`)],
)

export const companies = pgTable(
  'companies',
  {
    ...recordColumns,
    name: text('name'),
    domains: text('domains').array(),
    phones: text('phones').array(),
    address: jsonb('address'),
    industry: text('industry'),
    employees: integer('employees'),
    owner: text('owner'),
    tags: text('tags').array(),
  },
  () => [index('companies_name').on(sql`lower(name)`)],
)

export const deals = pgTable(
  'deals',
  {
    ...recordColumns,
    name: text('name'),
    pipeline: text('pipeline'),
    stage: text('stage'),
    amount: jsonb('amount'),
    amountMinor: big('amount_minor').generatedAlwaysAs(sql`(amount->>'amount')::bigint`),
    currency: text('currency').generatedAlwaysAs(sql`amount->>'currency'`),
    closeDate: date('close_date'),
    lines: jsonb('lines'),
    contactId: big('contact_id'),
    companyId: big('company_id'),
    owner: text('owner'),
    nextStep: text('next_step'),
    nextStepDue: date('next_step_due'),
    paymentStatus: text('payment_status'),
    lastContactedAt: at('last_contacted_at'),
    lastRepliedAt: at('last_replied_at'),
    firstResponseMinutes: integer('first_response_minutes'),
    nextStepOverdueSince: date('next_step_overdue_since'),
  },
  (t) => [
    index('deals_contact').on(t.contactId).where(sql`contact_id is not null`),
    index('deals_company').on(t.companyId).where(sql`company_id is not null`),
    index('deals_next_step').on(t.nextStepDue).where(sql`next_step_due is not null`),
  ],
)

export const activities = pgTable(
  'activities',
  {
    ...recordColumns,
    type: text('type'),
    subject: text('subject'),
    occurredAt: at('occurred_at'),
    contactId: big('contact_id'),
    companyId: big('company_id'),
    dealId: big('deal_id'),
  },
  (t) => [
    index('activities_contact').on(t.contactId, t.occurredAt),
    index('activities_company').on(t.companyId, t.occurredAt).where(sql`company_id is not null`),
    index('activities_deal').on(t.dealId, t.occurredAt).where(sql`deal_id is not null`),
  ],
)

export const invoices = pgTable(
  'invoices',
  {
    ...recordColumns,
    dealId: big('deal_id'),
    item: text('item'),
    contactId: big('contact_id'),
    total: jsonb('total'),
    totalMinor: big('total_minor').generatedAlwaysAs(sql`(total->>'amount')::bigint`),
    currency: text('currency').generatedAlwaysAs(sql`total->>'currency'`),
    paid: jsonb('paid'),
    lines: jsonb('lines'),
    memo: text('memo'),
    dueDays: integer('due_days'),
    number: text('number'),
    status: text('status'),
    url: text('url'),
  },
  // One invoice a (deal, schedule item), whatever happens between two workers.
  (t) => [uniqueIndex('invoices_deal_item').on(t.dealId, t.item).where(sql`deal_id is not null`)],
)

/** What finds a record. A strong key (email, domain) belongs to at most one. */
export const identities = pgTable(
  'identities',
  {
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    recordId: big('record_id').notNull(),
  },
  (t) => [
    uniqueIndex('identities_strong').on(t.key, t.kind).where(sql`kind <> 'phone'`),
    uniqueIndex('identities_phone').on(t.key, t.recordId).where(sql`kind = 'phone'`),
  ],
)
