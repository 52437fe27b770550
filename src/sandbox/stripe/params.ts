import { z } from 'zod'
import { invalid, unread } from './errors.ts'
import { nameOf, type Tree } from './form.ts'

export { z }

/** Everything arrives as text; these readers give it a type and refuse in the vendor's words. */
export const integer = z.string().transform((text, ctx) => {
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  ctx.addIssue({
    code: 'custom',
    message: `Invalid integer: ${text}`,
    params: { code: 'parameter_invalid_integer' },
  })
  return z.NEVER
})

export const boolean = z.string().transform((text, ctx) => {
  if (text === 'true' || text === 'false') return text === 'true'
  ctx.addIssue({ code: 'custom', message: `Invalid boolean: ${text}` })
  return z.NEVER
})

export const decimal = z.string().transform((text, ctx) => {
  if (/^-?\d+(\.\d{1,12})?$/.test(text)) return text
  ctx.addIssue({ code: 'custom', message: `Invalid decimal: ${text}` })
  return z.NEVER
})

export const text = (max = 5000) =>
  z.string().transform((value, ctx) => {
    if (value.length <= max) return value
    ctx.addIssue({
      code: 'custom',
      message: `Invalid string: ${value.slice(0, 20)}...; must be at most ${max} characters`,
    })
    return z.NEVER
  })

/** An empty string clears the field. */
export const clearable = (max = 5000) => text(max).transform((value) => (value === '' ? null : value))

export const email = clearable(512).transform((value, ctx) => {
  if (value === null || /^[^\s@]+@[^\s@]+$/.test(value)) return value
  ctx.addIssue({
    code: 'custom',
    message: `Invalid email address: ${value}`,
    params: { code: 'email_invalid' },
  })
  return z.NEVER
})

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` })

export const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (value === '' ? [] : isTree(value) ? Object.values(value) : value), z.array(item))

// https://docs.stripe.com/api/metadata: 50 keys of 40 characters with values of 500.
export type MetadataChange = Record<string, string> | 'clear'
export const metadata = z.unknown().transform((value, ctx): MetadataChange => {
  if (value === '') return 'clear'
  const problem = !isTree(value) ? 'Invalid object' : metadataProblem(value)
  if (problem !== null) ctx.addIssue({ code: 'custom', message: problem })
  const pairs = isTree(value) ? Object.entries(value) : []
  return Object.fromEntries(pairs.flatMap(([key, held]) => (typeof held === 'string' ? [[key, held]] : [])))
})

function metadataProblem(tree: Tree): string | null {
  for (const [key, held] of Object.entries(tree)) {
    if (typeof held !== 'string') return `Metadata values must be strings, got a hash for ${key}`
    if (key.length > 40) return `Metadata keys can have up to 40 characters: ${key}`
    if (held.length > 500)
      return `Metadata values can have up to 500 characters, but you passed in a value that is ${held.length} characters. Invalid value: ${held.slice(0, 20)}`
  }
  return null
}

/** Keys given are set, keys given as '' are removed, all others stay. */
export function changeMetadata(
  held: Record<string, string>,
  change: MetadataChange | undefined,
): Record<string, string> {
  if (change === undefined) return held
  if (change === 'clear') return {}
  const merged = { ...held, ...change }
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''))
  if (Object.keys(kept).length > 50)
    throw invalid('You can have up to 50 keys in metadata.', { param: 'metadata' })
  return kept
}

const addressParts = z.strictObject({
  city: clearable().optional(),
  country: clearable().optional(),
  line1: clearable().optional(),
  line2: clearable().optional(),
  postal_code: clearable().optional(),
  state: clearable().optional(),
})
export const emptyable = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? null : value), schema.nullable())
export const address = emptyable(addressParts)
export type AddressParam = z.output<typeof address>

/**
 * https://docs.stripe.com/api/expanding_objects. Checked before anything runs; on lists the paths begin
 * with `data.`, and deeper paths (`customer.x`) are checked by their first step only.
 */
export const expandable = (names: readonly string[], prefix = '') => ({
  expand: list(
    z.string().transform((path, ctx) => {
      const [first = ''] = path.slice(prefix.length).split('.')
      if (path.startsWith(prefix) && names.includes(first)) return first
      ctx.addIssue({ code: 'custom', message: `This property cannot be expanded (${path}).` })
      return z.NEVER
    }),
  ).optional(),
})
export const expand = expandable([])

const limit = integer.transform((value, ctx) => {
  if (value >= 1 && value <= 100) return value
  const rule = value > 100 ? 'less than or equal to 100' : 'greater than or equal to 1'
  ctx.addIssue({
    code: 'custom',
    message: `This value must be ${rule} (it currently is '${value}').`,
    params: { code: 'parameter_invalid_integer' },
  })
  return z.NEVER
})
export const paging = {
  limit: limit.optional(),
  starting_after: z.string().optional(),
  ending_before: z.string().optional(),
}
export const searchPaging = { limit: limit.optional(), page: z.string().optional() }

const bounds = z.strictObject({
  gt: integer.optional(),
  gte: integer.optional(),
  lt: integer.optional(),
  lte: integer.optional(),
})
/** A time filter is one second or a range of seconds, both ends inclusive here. */
export type TimeRange = { from: number; to: number }
export const timeRange = z.union([integer, bounds]).transform((value): TimeRange => {
  if (typeof value === 'number') return { from: value, to: value }
  return {
    from: Math.max(value.gte ?? Number.NEGATIVE_INFINITY, (value.gt ?? Number.NEGATIVE_INFINITY) + 1),
    to: Math.min(value.lte ?? Number.POSITIVE_INFINITY, (value.lt ?? Number.POSITIVE_INFINITY) - 1),
  }
})

export function readParams<S extends z.ZodType>(schema: S, tree: Tree): z.output<S> {
  const read = schema.safeParse(tree)
  if (read.success) return read.data
  throw refusalOf(read.error.issues, tree)
}

function refusalOf(issues: readonly z.core.$ZodIssue[], tree: Tree) {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => nameOf([...issue.path, key])) : [],
  )
  const [firstUnknown] = unknown
  if (firstUnknown !== undefined) {
    const plural = unknown.length > 1 ? 's' : ''
    return unread(`Received unknown parameter${plural}: ${unknown.join(', ')}`, {
      code: 'parameter_unknown',
      param: firstUnknown,
    })
  }
  const [issue] = issues
  if (issue === undefined) return unread('Invalid request')
  const param = nameOf(issue.path)
  if (valueAt(tree, issue.path) === undefined)
    return unread(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
  const code: unknown = issue.code === 'custom' ? issue.params?.code : undefined
  const message = issue.code === 'custom' ? issue.message : `Invalid ${param}: ${issue.message}`
  return unread(message, typeof code === 'string' ? { code, param } : { param })
}

function valueAt(tree: Tree, path: readonly PropertyKey[]): Tree | string | undefined {
  let at: Tree | string | undefined = tree
  for (const part of path) at = typeof at === 'object' ? at[String(part)] : undefined
  return at
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null
}
