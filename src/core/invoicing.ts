import { isEmpty, isObject, same, type Json } from './json.ts'
import type { Fields, HubRecord, Line, Money } from './model.ts'
import { formatMoney, minorDigits, moneyOf, splitAmount } from './money.ts'
import { folded, placeOf } from './pipeline.ts'
import type { InvoicingRule, Pipeline } from './stream.ts'

/** What keeps a won deal from being invoiced: the field, and in words what to fill in and where. */
export type MissingData = { readonly field: string; readonly message: string }
export type PlannedInvoice = { readonly item: string; readonly fields: Fields }
export type InvoicePlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'missing'; readonly problems: readonly MissingData[] }
  | { readonly kind: 'invoices'; readonly invoices: readonly PlannedInvoice[] }

/** The invoices of a deal, one per item of the schedule; nothing until it is won. */
export function planInvoices(
  deal: HubRecord,
  contact: HubRecord | null,
  rule: InvoicingRule,
  pipelines: readonly Pipeline[],
): InvoicePlan {
  if (deal.archived || outcomeOf(deal, pipelines) !== 'won') return { kind: 'nothing' }
  const bill = billOf(deal)
  const problems = [...addressee(contact), ...bill.problems]
  if (contact === null || bill.kind === 'problems' || problems.length > 0)
    return { kind: 'missing', problems }
  const parts = splitAmount(
    bill.total.amount,
    rule.schedule.map(({ share }) => share),
  )
  const invoices = rule.schedule.flatMap(({ item }, i): PlannedInvoice[] => {
    const total = { amount: parts[i] ?? 0, currency: bill.total.currency }
    if (total.amount === 0) return []
    const lines = total.amount === bill.total.amount ? bill.lines : [partLine(deal, item, total, bill.total)]
    const fields: Fields = {
      deal: deal.id,
      item,
      contact: contact.id,
      total,
      lines,
      memo: rule.memo,
      dueDays: rule.dueDays,
      status: 'requested',
    }
    return [{ item, fields }]
  })
  return { kind: 'invoices', invoices }
}

export type Outcome = Pipeline['stages'][number]['outcome']

/**
 * Whether a change is the moment to invoice a deal: it was won now. A deal that a connection brings already won was
 * not won now; a first import must not bill a company's history.
 */
export function wasJustWon(
  before: HubRecord | null,
  after: HubRecord,
  isArrival: boolean,
  rule: InvoicingRule,
  pipelines: readonly Pipeline[],
): boolean {
  if (outcomeOf(after, pipelines) !== 'won') return false
  if (rule.alreadyWon === 'invoice') return true
  return before === null ? !isArrival : outcomeOf(before, pipelines) !== 'won'
}

/** What the deal's stage means; undefined where its pipeline or stage is not configured. Case does not count. */
export function outcomeOf(
  deal: Pick<HubRecord, 'fields'>,
  pipelines: readonly Pipeline[],
): Outcome | undefined {
  return placeOf(deal.fields, pipelines)?.stage.outcome
}

function addressee(contact: HubRecord | null): readonly MissingData[] {
  if (contact === null || contact.archived) {
    const why = contact === null ? 'has no contact' : 'has an archived contact'
    return [{ field: 'contact', message: `The deal ${why}: choose on the deal who gets the invoice` }]
  }
  if (!isEmpty(contact.fields['emails'])) return []
  const name = nameOf(contact, ['givenName', 'familyName'], `contact ${contact.id}`)
  return [{ field: 'contact.emails', message: `${name} has no email address: add one to the contact` }]
}

type Bill =
  | {
      readonly kind: 'bill'
      readonly total: Money
      readonly lines: readonly Line[]
      readonly problems: readonly []
    }
  | { readonly kind: 'problems'; readonly problems: readonly MissingData[] }

/** What is to be paid, if amount and lines say it and agree. */
function billOf(deal: HubRecord): Bill {
  const problem = (field: string, message: string): Bill => ({
    kind: 'problems',
    problems: [{ field, message }],
  })
  const lines = linesOf(deal.fields['lines'])
  const money = moneyOf(deal.fields['amount'])
  if (money === undefined) {
    const what =
      lines?.length === 0 ? 'has neither amount nor lines' : 'has lines but no amount with a currency'
    return problem('amount', `The deal ${what}: fill in its amount`)
  }
  const total: Money = { amount: money.amount, currency: money.currency.trim().toUpperCase() }
  if (minorDigits(total.currency) === undefined)
    return problem(
      'amount',
      `"${money.currency}" is no currency of ISO 4217: correct it in the deal's amount`,
    )
  if (!Number.isSafeInteger(total.amount))
    return problem('amount', `The deal's amount is not in whole minor units (${total.amount}): correct it`)
  if (total.amount <= 0)
    return problem('amount', `The deal's amount is ${formatMoney(total)}: it must be above zero`)
  if (lines === undefined)
    return problem('lines', 'A line of the deal lacks a quantity or a unit price: correct the lines')
  if (lines.length === 0) return { kind: 'bill', total, lines: [oneLine(deal, total)], problems: [] }
  const amounts = lines.map(lineAmount)
  const bad = amounts.findIndex((amount) => amount === undefined)
  if (bad !== -1) {
    const which = lines[bad]?.description || `line ${bad + 1}`
    return problem(
      'lines',
      `"${which}" does not come to whole minor units: correct its quantity or unit price`,
    )
  }
  const sum = amounts.reduce<number>((whole, amount) => whole + (amount ?? 0), 0)
  if (sum !== total.amount) {
    const figures = `${formatMoney({ ...total, amount: sum })}, its amount is ${formatMoney(total)}`
    return problem('lines', `The deal's lines add up to ${figures}: correct one of them`)
  }
  return {
    kind: 'bill',
    total,
    lines: lines.map((line) => countable(line, deal, total.currency)),
    problems: [],
  }
}

/** Undefined where something in the list is no line. */
function linesOf(value: Json | undefined): readonly Line[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const lines = value.flatMap((line: Json): Line[] => {
    if (!isObject(line)) return []
    const { description, quantity, unitAmount } = line
    if (typeof quantity !== 'number' || typeof unitAmount !== 'number') return []
    return [{ description: typeof description === 'string' ? description : '', quantity, unitAmount }]
  })
  return lines.length === value.length ? lines : undefined
}

/** In whole minor units; undefined where it does not come out whole. 0.1 * 30 is 3.0000000000000004. */
function lineAmount({ quantity, unitAmount }: Line): number | undefined {
  if (!(quantity > 0) || !Number.isSafeInteger(unitAmount)) return undefined
  const amount = Math.round(quantity * unitAmount)
  return Number.isSafeInteger(amount) && Math.abs(amount - quantity * unitAmount) < 1e-6 ? amount : undefined
}

/** Vendors count whole pieces: 1.5 hours become one piece that says so. */
function countable(line: Line, deal: HubRecord, currency: string): Line {
  const description = line.description.trim() === '' ? dealName(deal) : line.description
  if (Number.isInteger(line.quantity)) return { ...line, description }
  const each = formatMoney({ amount: line.unitAmount, currency })
  return {
    description: `${description} (${line.quantity} × ${each})`,
    quantity: 1,
    unitAmount: lineAmount(line) ?? 0,
  }
}

const dealName = (deal: HubRecord): string => nameOf(deal, ['name'], `Deal ${deal.id}`)
const oneLine = (deal: HubRecord, total: Money): Line => ({
  description: dealName(deal),
  quantity: 1,
  unitAmount: total.amount,
})
const partLine = (deal: HubRecord, item: string, part: Money, whole: Money): Line => ({
  description: `${dealName(deal)}: ${item} (of ${formatMoney(whole)})`,
  quantity: 1,
  unitAmount: part.amount,
})

function nameOf(record: HubRecord, fields: readonly string[], otherwise: string): string {
  const parts = fields.flatMap((field) => {
    const value = record.fields[field]
    return typeof value === 'string' && value.trim() !== '' ? [value.trim()] : []
  })
  return parts.length === 0 ? otherwise : parts.join(' ')
}

export type PaymentStatus = 'none' | 'invoiced' | 'partly paid' | 'paid' | 'void'

/** How far a deal is paid, from its invoices. Void ones count for nothing, unless there are no others. */
export function paymentStatus(invoices: readonly Fields[]): PaymentStatus {
  if (invoices.length === 0) return 'none'
  const standing = invoices.filter((invoice) => folded(invoice['status']) !== 'void')
  if (standing.length === 0) return 'void'
  if (standing.every(isPaid)) return 'paid'
  if (standing.some((invoice) => isPaid(invoice) || (moneyOf(invoice['paid'])?.amount ?? 0) > 0))
    return 'partly paid'
  return standing.some((invoice) => !NOT_ISSUED.includes(folded(invoice['status']))) ? 'invoiced' : 'none'
}

/** The hub asked for it, or the vendor holds a draft: the customer has not got it yet. */
const NOT_ISSUED: readonly string[] = ['', 'requested', 'draft']

const isPaid = (invoice: Fields): boolean => folded(invoice['status']) === 'paid'

/**
 * In words, what an invoice says otherwise than its deal does now; null where nothing differs. An issued invoice is
 * never edited silently: a person decides. Without `rule` only an invoice over the whole amount can be compared with
 * the deal's; without `pipelines` nobody notices that a deal is no longer won.
 */
export function changedAfterIssue(
  invoice: Fields,
  deal: HubRecord,
  context: { readonly rule?: InvoicingRule; readonly pipelines?: readonly Pipeline[] } = {},
): string | null {
  if (folded(invoice['status']) === 'void') return null
  const differences = [
    ...standing(deal, context.pipelines ?? []),
    ...payer(invoice, deal),
    ...figures(invoice, deal, context.rule),
  ]
  return differences.length === 0 ? null : differences.join('; ')
}

function standing(deal: HubRecord, pipelines: readonly Pipeline[]): readonly string[] {
  if (deal.archived) return ['the deal is archived']
  const outcome = outcomeOf(deal, pipelines)
  const stage = deal.fields['stage']
  const moved = outcome !== undefined && outcome !== 'won' && typeof stage === 'string'
  return moved ? [`the deal is no longer won, its stage is ${stage}`] : []
}

function payer(invoice: Fields, deal: HubRecord): readonly string[] {
  const [billed, now] = [invoice['contact'] ?? null, deal.fields['contact'] ?? null]
  if (billed === null || same(billed, now)) return []
  const named = now === null ? 'nobody' : `contact ${JSON.stringify(now)}`
  return [`the invoice went to contact ${JSON.stringify(billed)}, the deal now names ${named}`]
}

function figures(invoice: Fields, deal: HubRecord, rule: InvoicingRule | undefined): readonly string[] {
  const total = moneyOf(invoice['total'])
  const now = moneyOf(deal.fields['amount'])
  if (total === undefined) return []
  if (now === undefined) return [`the invoice is over ${formatMoney(total)}, the deal has no amount now`]
  const at = rule?.schedule.findIndex(({ item }) => item === invoice['item']) ?? -1
  const shares = rule === undefined || at === -1 ? [1] : rule.schedule.map(({ share }) => share)
  const whole = shares.length === 1
  if (
    now.currency.toUpperCase() !== total.currency.toUpperCase() ||
    (at === -1 && invoice['item'] !== 'full')
  )
    return sameCurrency(total, now)
  const due = { ...now, amount: splitAmount(now.amount, shares)[Math.max(at, 0)] ?? 0 }
  if (due.amount !== total.amount) {
    const part = whole ? '' : ` (its share: ${formatMoney(due)})`
    return [`the invoice is over ${formatMoney(total)}, the deal over ${formatMoney(now)} now${part}`]
  }
  const bill = billOf(deal)
  if (!whole || bill.kind === 'problems' || isEmpty(invoice['lines']) || isEmpty(deal.fields['lines']))
    return []
  return sameLines(invoice['lines'], bill.lines)
    ? []
    : ['the lines of the deal are other than those invoiced']
}

function sameCurrency(total: Money, now: Money): readonly string[] {
  return now.currency.toUpperCase() === total.currency.toUpperCase()
    ? []
    : [`the invoice is over ${formatMoney(total)}, the deal over ${formatMoney(now)} now`]
}

function sameLines(value: Json | undefined, lines: readonly Line[]): boolean {
  const facts = (line: Line): Json => [line.description.trim(), line.quantity, line.unitAmount]
  return same(linesOf(value)?.map(facts), lines.map(facts))
}
