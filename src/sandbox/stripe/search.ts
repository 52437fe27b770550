import { invalid, unread } from './errors.ts'
import { catchUpSearch } from './search-index.ts'
import type { StripeState } from './state.ts'
import type { Customer, Wire } from './types.ts'

type Test = (customer: Customer) => boolean

const CLAUSE =
  /^\s*(-?)(\w+)(?:\[(["'])([^"']*)\3\])?\s*(:|~|>=|<=|>|<)\s*(?:(["'])((?:\\.|(?!\6).)*)\6|(null)|(-?\d+))\s*/

/** https://docs.stripe.com/search#search-query-language: clauses joined by AND or by OR, never both. */
export function searchCustomers(
  state: StripeState,
  params: { query: string; limit?: number | undefined; page?: string | undefined },
): Wire {
  const test = parseQuery(params.query)
  catchUpSearch(state)
  const matches = [...state.searchIndex.values()].filter(test).reverse()
  const start = params.page === undefined ? 0 : Number(Buffer.from(params.page, 'base64url').toString())
  if (!Number.isInteger(start)) throw invalid(`Invalid page: ${params.page}`, { param: 'page' })
  const end = start + (params.limit ?? 10)
  const more = matches.length > end
  return {
    object: 'search_result',
    data: matches.slice(start, end),
    has_more: more,
    next_page: more ? Buffer.from(String(end)).toString('base64url') : null,
    url: '/v1/customers/search',
  }
}

function parseQuery(query: string): Test {
  const tests: Test[] = []
  const joins = new Set<string>()
  let rest = query
  for (;;) {
    const match = CLAUSE.exec(rest)
    if (match === null)
      throw unread(`We were unable to parse your search query: ${query}`, { param: 'query' })
    tests.push(clauseTest(match))
    rest = rest.slice(match[0].length)
    if (rest === '') break
    const join = /^(AND|OR)\s+/i.exec(rest)
    if (join === null) throw unread(`We were unable to parse your search query: ${query}`, { param: 'query' })
    joins.add((join[1] ?? '').toUpperCase())
    rest = rest.slice(join[0].length)
  }
  if (joins.size > 1) throw unread('You cannot combine AND and OR in a search query.', { param: 'query' })
  return joins.has('OR')
    ? (row) => tests.some((test) => test(row))
    : (row) => tests.every((test) => test(row))
}

function clauseTest(match: RegExpExecArray): Test {
  const [, minus, field = '', , key, operator = ':', , quoted, isNull, number] = match
  const read = reader(field, key)
  const wanted = quoted?.replace(/\\(.)/g, '$1') ?? number ?? null
  const test: Test = (row) => compare(read(row), operator, isNull ? null : wanted)
  return minus === '-' ? (row) => !test(row) : test
}

function reader(field: string, key: string | undefined): (row: Customer) => string | number | null {
  if (field === 'metadata' && key !== undefined) return (row) => row.metadata[key] ?? null
  if (field === 'email') return (row) => row.email
  if (field === 'name') return (row) => row.name
  if (field === 'phone') return (row) => row.phone
  if (field === 'created') return (row) => row.created
  throw unread(`Field \`${field}\` is an unsupported search field for resource \`customers\`.`, {
    param: 'query',
  })
}

// Exact match takes no notice of case, unlike the list filter; `~` finds a substring of three letters or more.
function compare(held: string | number | null, operator: string, wanted: string | null): boolean {
  if (held === null || wanted === null) return held === wanted
  const text = String(held).toLowerCase()
  if (operator === ':') return text === wanted.toLowerCase()
  if (operator === '~') return wanted.length >= 3 && text.includes(wanted.toLowerCase())
  const [left, right] = [Number(held), Number(wanted)]
  if (operator === '>') return left > right
  if (operator === '>=') return left >= right
  return operator === '<' ? left < right : left <= right
}
