import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const SPECS = path.join(import.meta.dirname, '..', '..', '..', 'shared', 'specs')

export type Schema = {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly $ref?: string
}
export type Parameter = {
  readonly name: string
  readonly in: 'query' | 'path' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}
type Body = {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
  readonly required?: boolean
}
type Reply = Pick<Body, 'content'>
export type Operation = {
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: Body & { $ref?: string }
  /** By status, or by its kind: `2XX`. */
  readonly responses?: Readonly<Record<string, Reply & { readonly $ref?: string }>>
}
export type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: {
    readonly requestBodies?: Readonly<Record<string, Body>>
    readonly parameters?: Readonly<Record<string, Parameter>>
    readonly responses?: Readonly<Record<string, Reply>>
    readonly schemas?: Readonly<Record<string, Schema>>
  }
}

/** Where a vendor's public description lies; null where it does not (it is not part of this repository). */
export function descriptionFile(name: string): string | null {
  const file = path.join(SPECS, name)
  return existsSync(file) ? file : null
}

export function readDescription(file: string): Description {
  return JSON.parse(readFileSync(file, 'utf8')) as Description
}

export type Found = { readonly template: string; readonly operation: Operation | null }

/** The operation for a request; of several templates that fit, the one with the most literal parts. */
export function find({ paths }: Description, method: string, pathname: string): Found | null {
  const parts = pathname.split('/')
  const fits = Object.keys(paths).filter((template) => {
    const pattern = template.split('/')
    return (
      pattern.length === parts.length && pattern.every((part, i) => isVariable(part) || part === parts[i])
    )
  })
  const literal = (template: string) => template.split('/').filter((part) => !isVariable(part)).length
  const template = fits.toSorted((a, b) => literal(b) - literal(a))[0]
  if (template === undefined) return null
  return { template, operation: paths[template]?.[method.toLowerCase()] ?? null }
}

/** A request as the description names its operation; by its own path where it has none. */
export function named(
  description: Description,
  { method, path: at }: { readonly method: string; readonly path: string },
): string {
  return `${method} ${find(description, method, at)?.template ?? at}`
}

const isVariable = (part: string) => part.startsWith('{')

/** Those of the operation itself, references followed. */
export function parametersOf(
  { components }: Description,
  { parameters = [] }: Operation,
): readonly Parameter[] {
  return parameters.flatMap((one) =>
    '$ref' in one ? (components?.parameters?.[one.$ref.split('/').at(-1) ?? ''] ?? []) : [one],
  )
}

export function bodyOf(description: Description, { requestBody }: Operation): Body | null {
  const name = requestBody?.$ref?.split('/').at(-1)
  return name === undefined ? (requestBody ?? null) : (description.components?.requestBodies?.[name] ?? null)
}

export function replyOf(description: Description, { responses }: Operation, status: number): Reply | null {
  const given = responses?.[status] ?? responses?.[`${Math.floor(status / 100)}XX`]
  const name = given?.$ref?.split('/').at(-1)
  return name === undefined ? (given ?? null) : (description.components?.responses?.[name] ?? null)
}
