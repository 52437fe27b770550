import type { InvoicingRule } from '../core/stream.ts'
import type { Parsed } from './document.ts'
import { choose } from './nearest.ts'
import { at, kindsOf, textAt } from './raw.ts'
import { invoicingFile } from './schema.ts'
import { validate } from './validate.ts'

export function loadInvoicing(document: Parsed, connections: readonly Parsed[]): InvoicingRule | null {
  const rule = validate(invoicingFile, document.root, document, [])?.invoicing
  if (rule === undefined) return null
  const issuers = connections
    .filter(({ root }) => Object.values(kindsOf(at(root, 'streams'))).includes('invoice'))
    .map(({ root }) => textAt(root, 'connection') ?? '')
  if (!issuers.includes(rule.connection))
    document.report(
      ['invoicing', 'connection'],
      `no connection "${rule.connection}" has a stream of invoices`,
      choose(rule.connection, issuers),
    )
  const total = rule.schedule.reduce((sum, { share }) => sum + share, 0)
  if (Math.abs(total - 1) > 1e-9)
    document.report(
      ['invoicing', 'schedule'],
      `the shares add up to ${Number(total.toFixed(6))}, not to 1`,
      'Correct the shares.',
    )
  const items = rule.schedule.map(({ item }) => item)
  for (const [i, item] of items.entries()) {
    if (items.indexOf(item) < i)
      document.report(
        ['invoicing', 'schedule', i, 'item'],
        `there are two items "${item}"`,
        'Give one another name.',
      )
  }
  return {
    connection: rule.connection,
    dueDays: rule.dueDays,
    memo: rule.memo ?? null,
    alreadyWon: rule.alreadyWon ?? 'skip',
    schedule: rule.schedule,
  }
}
