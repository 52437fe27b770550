import { Ajv, type ValidateFunction } from 'ajv'
import {
  bodyOf,
  type Description,
  find,
  type Operation,
  parametersOf,
  replyOf,
  type Schema,
} from './description.ts'
import { treeOf } from './form.ts'
import type { Sent } from './record.ts'

// Query and form values are text: "true" and "12" are read as the type that is described.
// Descriptions repeat themselves in their enums, so they are not validated themselves.
const ajv = new Ajv({
  strict: false,
  validateSchema: false,
  validateFormats: false,
  allErrors: true,
  verbose: true,
  coerceTypes: true,
  logger: false,
})

/** What of a request the vendor's description does not know or allow; each names the operation and the field. */
export function problemsOf(description: Description, sent: Sent): readonly string[] {
  const found = find(description, sent.method, sent.path)
  if (found === null) return [`${sent.method} ${sent.path}: no such path`]
  const name = `${sent.method} ${found.template}`
  const { operation } = found
  if (operation === null) return [`${name}: no such method`]
  return [
    ...queryProblems(description, operation, sent.query),
    ...bodyProblems(description, operation, sent),
  ].map((problem) => `${name}: ${problem}`)
}

/** What of a stand-in's reply to this request the vendor's description does not know or allow. */
export function problemsOfReply(
  description: Description,
  { method, path }: Pick<Sent, 'method' | 'path'>,
  status: number,
  body: unknown,
): readonly string[] {
  const found = find(description, method, path)
  const operation = found?.operation ?? null
  const reply = operation === null ? null : replyOf(description, operation, status)
  const schema = reply?.content?.['application/json']?.schema
  if (schema === undefined) return [`${method} ${path}: no reply ${status} is described`]
  return misfits(description, schema, body).map((problem) => `${method} ${found?.template}: reply${problem}`)
}

function queryProblems(description: Description, operation: Operation, query: string): readonly string[] {
  const given = treeOf(query)
  const known = parametersOf(description, operation).filter((parameter) => parameter.in === 'query')
  const unknown = Object.keys(given)
    .filter((name) => known.every((parameter) => parameter.name !== name))
    .map((name) => `query ${name}: not described`)
  const missing = known
    .filter(({ name, required }) => required === true && given[name] === undefined)
    .map(({ name }) => `query ${name}: required`)
  const wrong = known.flatMap(({ name, schema }) => {
    const value = given[name]
    if (value === undefined) return []
    const read = schema.type === 'array' && typeof value === 'string' ? value.split(',') : value
    return misfits(description, schema, read).map((problem) => `query ${name}${problem}`)
  })
  return [...unknown, ...missing, ...wrong]
}

function bodyProblems(description: Description, operation: Operation, sent: Sent): readonly string[] {
  const body = bodyOf(description, operation)
  const types = Object.keys(body?.content ?? {})
  if (sent.body === '') return body?.required === true ? ['body: required'] : []
  if (types.length === 0) return ['body: not described']
  const type = types.find((one) => sent.contentType?.startsWith(one))
  if (type === undefined) return [`body: sent as ${sent.contentType}, described as ${types.join(', ')}`]
  const value: unknown = type === 'application/json' ? JSON.parse(sent.body) : treeOf(sent.body)
  return misfits(description, body?.content?.[type]?.schema ?? {}, value).map((problem) => `body${problem}`)
}

/** Descriptions are large: each of their schemas is compiled once. */
const compiled = new WeakMap<Schema, ValidateFunction>()

function compile({ components = {} }: Description, schema: Schema): ValidateFunction {
  // Schemas refer to `#/components/schemas/...`.
  const made =
    compiled.get(schema) ?? ajv.compile({ type: 'object', properties: { value: schema }, components })
  compiled.set(schema, made)
  return made
}

function misfits(description: Description, schema: Schema, value: unknown): readonly string[] {
  const holder = { value: structuredClone(value) }
  const validate = compile(description, schema)
  const wrong = validate(holder)
    ? []
    : (validate.errors ?? []).map(({ instancePath, keyword, message, data }) => {
        const given = keyword === 'enum' || keyword === 'type' ? `, not ${JSON.stringify(data)}` : ''
        return `${instancePath.replace('/value', '').replaceAll('/', '.')}: ${message}${given}`
      })
  return [
    ...wrong,
    ...undescribed(description.components?.schemas ?? {}, schema, value).map((at) => `${at}: not described`),
  ]
}

/** Fields that the schema does not know. Descriptions leave open what they do not mention; the vendors do not. */
function undescribed(named: Schemas, given: Schema, value: unknown, at = ''): readonly string[] {
  const schema = resolved(named, given)
  if (schema.allOf !== undefined)
    return byNone(schema.allOf.map((branch) => undescribed(named, branch, value, at)))
  const branches = schema.anyOf ?? schema.oneOf
  if (branches !== undefined) {
    const found = branches
      .filter((branch) => takes(resolved(named, branch), value))
      .map((branch) => undescribed(named, branch, value, at))
    return found.toSorted((a, b) => a.length - b.length)[0] ?? []
  }
  if (Array.isArray(value))
    return value.flatMap((item, i) => undescribed(named, schema.items ?? {}, item, `${at}.${i}`))
  const { properties } = schema
  if (typeof value !== 'object' || value === null || properties === undefined) return []
  const more = schema.additionalProperties
  return Object.entries(value).flatMap(([key, child]) => {
    const known = properties[key] ?? (typeof more === 'object' ? more : undefined)
    if (known !== undefined) return undescribed(named, known, child, `${at}.${key}`)
    return more === true ? [] : [`${at}.${key}`]
  })
}

/** What none of the parts of a whole describes; what one does not know at all, it does not know parts of either. */
function byNone(parts: readonly (readonly string[])[]): readonly string[] {
  const covers = (part: readonly string[], at: string) =>
    part.some((unknown) => at === unknown || at.startsWith(`${unknown}.`))
  return [...new Set(parts.flat())].filter((at) => parts.every((part) => covers(part, at)))
}

type Schemas = Readonly<Record<string, Schema>>

/** What a reference is to; one to nothing is a mistake of the description, and takes nothing. */
function resolved(named: Schemas, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  const found = named[schema.$ref.split('/').at(-1) ?? '']
  if (found === undefined) throw new Error(`The description refers to ${schema.$ref}, which it lacks`)
  return resolved(named, found)
}

function takes({ type, properties }: Schema, value: unknown): boolean {
  if (Array.isArray(value)) return type === 'array'
  if (typeof value === 'object' && value !== null) return type === 'object' || properties !== undefined
  return type !== 'object' && type !== 'array'
}
