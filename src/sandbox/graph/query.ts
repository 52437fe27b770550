import type { Context } from 'hono'
import { badRequest } from './errors.ts'

/** https://learn.microsoft.com/en-us/graph/query-parameters */
export type Query = {
  readonly select: readonly string[] | null
  readonly filter: readonly Clause[]
  readonly orderBy: readonly { readonly property: string; readonly isDescending: boolean }[]
  readonly top: number | null
  readonly skip: number
  readonly count: boolean
  readonly expand: string | null
  /** An option of folders alone; links carry it on as they do the others. */
  readonly includesHidden: boolean
}

export type Clause = {
  readonly property: string
  readonly operator: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le'
  readonly value: string | boolean | number
}

const OPTIONS = new Set(
  ['select', 'filter', 'orderby', 'top', 'skip', 'count', 'expand', 'deltatoken', 'skiptoken'].map(
    (name) => `$${name}`,
  ),
)

/** What else begins with `$` is refused: `$search` needs an index that nothing here has. */
export function readQuery(params: URLSearchParams): Query {
  const unknown = [...params.keys()].find((name) => name.startsWith('$') && !OPTIONS.has(name.toLowerCase()))
  if (unknown !== undefined) throw badRequest(`The query option '${unknown}' is not supported.`)
  const get = (name: string) => params.get(`$${name}`) ?? params.get(name)
  return {
    select:
      get('select')
        ?.split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '') ?? null,
    filter: readFilter(get('filter')),
    orderBy: readOrder(get('orderby')),
    top: whole('$top', get('top')),
    skip: whole('$skip', get('skip')) ?? 0,
    count: get('count') === 'true',
    expand: get('expand'),
    includesHidden: params.get('includeHiddenFolders')?.toLowerCase() === 'true',
  }
}

/** Clauses joined by `and`; what else OData has, this sandbox refuses as Outlook refuses what it cannot search by. */
export function readFilter(text: string | null): readonly Clause[] {
  if (text === null) return []
  return text.split(/ and (?=(?:[^']*'[^']*')*[^']*$)/).map((part) => {
    const found = /^\(?([\w/]+) (eq|ne|gt|ge|lt|le) ('(?:[^']|'')*'|[^\s()]+)\)?$/.exec(part.trim())
    const [, property, operator, value] = found ?? []
    if (property === undefined || !isOperator(operator) || value === undefined) throw invalidFilter(part)
    return { property, operator, value: literal(value) }
  })
}

export function invalidFilter(text: string): Error {
  return badRequest(
    `The query filter contains an invalid or unsupported expression: ${text}`,
    'ErrorInvalidUrlQueryFilter',
  )
}

export function fits({ operator, value }: Clause, given: string | number | boolean | null): boolean {
  if (operator === 'eq') return given === value
  if (operator === 'ne') return given !== value
  if (given === null || typeof given !== typeof value) return false
  switch (operator) {
    case 'gt':
      return given > value
    case 'ge':
      return given >= value
    case 'lt':
      return given < value
    case 'le':
      return given <= value
  }
}

export type Preferences = {
  readonly ids: 'immutable' | 'mutable'
  readonly body: 'html' | 'text'
  readonly maxPageSize: number | null
  /** For Preference-Applied. */
  readonly applied: readonly string[]
}

/** Several preferences may share one header: https://www.rfc-editor.org/rfc/rfc7240 */
export function preferencesOf(c: Context): Preferences {
  const given = (c.req.header('prefer') ?? '').split(',').flatMap((part) => {
    const [name = '', value = ''] = part.split('=', 2)
    return name.trim() === '' ? [] : [[name.trim().toLowerCase(), value.trim().replaceAll('"', '')] as const]
  })
  const of = new Map(given)
  const isImmutable = of.get('idtype')?.toLowerCase() === 'immutableid'
  const body = of.get('outlook.body-content-type')?.toLowerCase()
  const size = Number(of.get('odata.maxpagesize') ?? Number.NaN)
  const maxPageSize = Number.isInteger(size) && size > 0 ? size : null
  return {
    ids: isImmutable ? 'immutable' : 'mutable',
    body: body === 'text' ? 'text' : 'html',
    maxPageSize,
    applied: [
      ...(isImmutable ? ['IdType="ImmutableId"'] : []),
      ...(body === 'text' || body === 'html' ? [`outlook.body-content-type="${body}"`] : []),
      ...(maxPageSize === null ? [] : [`odata.maxpagesize=${maxPageSize}`]),
    ],
  }
}

function literal(text: string): string | boolean | number {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'")
  if (text === 'true' || text === 'false') return text === 'true'
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number(text)
  if (Number.isNaN(at)) throw invalidFilter(text)
  return at
}

function readOrder(text: string | null): Query['orderBy'] {
  if (text === null) return []
  return text.split(',').map((part) => {
    const [property = '', direction = 'asc'] = part.trim().split(/\s+/)
    return { property, isDescending: direction.toLowerCase() === 'desc' }
  })
}

function whole(name: string, text: string | null): number | null {
  if (text === null) return null
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value '${text}' for ${name} query option found.`)
  return Number(text)
}

function isOperator(text: string | undefined): text is Clause['operator'] {
  return text !== undefined && ['eq', 'ne', 'gt', 'ge', 'lt', 'le'].includes(text)
}
