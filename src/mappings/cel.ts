import {
  Environment,
  EvaluationError,
  Optional,
  ParseError,
  TypeError as CelTypeError,
} from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import { type Json } from '../core/json.ts'
import { CATALOG, fieldType, type Fields, type RecordKind } from '../core/model.ts'
import { unknownField } from './normalise.ts'

/** `remote` is the remote object; `record` the hub record's fields, null where nobody said anything. */
export type Variable = 'remote' | 'record'

/** What an expression over one object answers. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'failed'; readonly problem: string }

export type Expression = (variable: Json) => Outcome

export type CelProblem = {
  readonly message: string
  readonly fix: string
  /** Characters from the beginning of the expression. */
  readonly offset: number
}
export type Compiled =
  | { readonly kind: 'expression'; readonly run: Expression }
  | { readonly kind: 'problem'; readonly problem: CelProblem }

const OPTIONS = {
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits: { maxAstNodes: 500, maxDepth: 50 },
}
const ENVIRONMENT: Readonly<Record<Variable, Environment>> = {
  remote: new Environment(OPTIONS).registerVariable('remote', 'dyn'),
  record: new Environment(OPTIONS).registerVariable('record', 'dyn'),
}

/**
 * Compiles an expression of the Common Expression Language (https://cel.dev) and checks its types; of `record` also
 * that the fields exist. `wants` bool: the expression must answer yes or no.
 */
export function compileCel(
  source: string,
  variable: Variable,
  kind: RecordKind,
  wants: 'bool' | 'any',
): Compiled {
  const failed = (message: string, fix: string, offset = 0): Compiled => ({
    kind: 'problem',
    problem: { message, fix, offset },
  })
  if (source.length > 2_000) return failed('the expression is longer than 2,000 characters', 'Shorten it.')
  try {
    const parsed = ENVIRONMENT[variable].parse(source)
    const checked = parsed.check()
    if (!checked.valid) {
      const { error } = checked
      return failed(
        `the expression is wrong: ${error?.summary ?? 'it has no type'}`,
        fixOf(variable),
        error?.range?.start,
      )
    }
    if (wants === 'bool' && checked.type !== 'bool' && checked.type !== 'dyn')
      return failed(
        `the expression answers ${checked.type ?? 'something else'}, not yes or no`,
        `Compare it: ${variable}.x == "y".`,
      )
    const stranger = variable === 'record' ? unknownFieldIn(parsed.ast, kind) : undefined
    if (stranger !== undefined) return failed(...unknownField(kind, stranger.field), stranger.offset)
    return { kind: 'expression', run: (value) => evaluate(parsed, variable, value) }
  } catch (error) {
    if (error instanceof ParseError || error instanceof CelTypeError)
      return failed(`the expression is wrong: ${error.summary}`, fixOf(variable), error.range?.start)
    throw error
  }
}

const fixOf = (variable: Variable): string =>
  `Write CEL over "${variable}", such as ${variable}.${variable === 'remote' ? 'status' : 'language'} == "de".`

function evaluate(run: (context: Record<string, Json>) => unknown, variable: Variable, value: Json): Outcome {
  try {
    return { kind: 'value', value: plain(run({ [variable]: value })) }
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    return {
      kind: 'failed',
      problem: `the expression failed: ${error.summary}. Guard it with has(${variable}.x).`,
    }
  }
}

/** CEL's values as JSON: int is a bigint there, a timestamp a Date. */
function plain(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'bigint':
      return Number(value)
    case 'object':
      break
    default:
      return null
  }
  if (value === null) return null
  if (value instanceof Optional) return value.hasValue() ? plain(value.value()) : null
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [String(k), plain(v)]))
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
}

const NO_FIELDS: Readonly<Record<RecordKind, Fields>> = {
  contact: noFields('contact'),
  company: noFields('company'),
  deal: noFields('deal'),
  activity: noFields('activity'),
  invoice: noFields('invoice'),
}

function noFields(kind: RecordKind): Fields {
  return Object.fromEntries(Object.keys(CATALOG[kind]).map((field) => [field, null]))
}

/** The variable `record`: a standard field nobody filled is null, not an error. */
export function recordVariable(kind: RecordKind, fields: Fields): Fields {
  return { ...NO_FIELDS[kind], ...fields }
}

type Stranger = { readonly field: string; readonly offset: number }

/** The first `record.x` or `record["x"]` that is no field of the kind. */
function unknownFieldIn(node: ASTNode, kind: RecordKind): Stranger | undefined {
  const field = accessedField(node)
  if (field !== undefined && fieldType(kind, field) === undefined) return { field, offset: node.range.start }
  for (const child of childrenOf(node.args)) {
    const found = unknownFieldIn(child, kind)
    if (found !== undefined) return found
  }
  return undefined
}

function accessedField(node: ASTNode): string | undefined {
  switch (node.op) {
    case '.':
    case '.?':
      return isRecord(node.args[0]) ? node.args[1] : undefined
    case '[]':
    case '[?]': {
      const [object, key] = node.args
      return isRecord(object) && key.op === 'value' && typeof key.args === 'string' ? key.args : undefined
    }
    default:
      return undefined
  }
}

const isRecord = (node: ASTNode): boolean => node.op === 'id' && node.args === 'record'

function childrenOf(args: unknown): readonly ASTNode[] {
  if (isNode(args)) return [args]
  return Array.isArray(args) ? args.flatMap((arg: unknown) => childrenOf(arg)) : []
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'range' in value
}
