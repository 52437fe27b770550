import type { Governance } from '../core/governance/rules.ts'
import { same } from '../core/json.ts'
import { fieldType, type FieldName, type FieldType, type RecordKind } from '../core/model.ts'
import type { Lens } from '../core/lens.ts'
import type { RefBy } from '../core/stream.ts'
import { fittingCodecs, usualCodec, type ValueCodecOptions } from './build-codec.ts'
import type { Defaults } from './codec.ts'
import { choose } from './nearest.ts'
import { parsePath, type Path, type Place } from './path.ts'
import type { Policies } from './policy.ts'
import type { Report, Step } from './problem.ts'
import type { CodecOptions, FieldEntry } from './schema.ts'
import { parseSpot, type Spot } from './spread-lens.ts'

export type FieldContext = {
  readonly kind: RecordKind
  /** The stream's direction; an entry that says none follows it. */
  readonly direction: Lens['direction']
  readonly defaults: Defaults
  readonly governance: Governance
  readonly policies: Policies
  readonly connections: readonly string[]
  /** The streams of the same connection, by name. */
  readonly streams: Readonly<Record<string, RecordKind>>
}

/** Null where the path cannot be read; that is reported. */
export function placeOf(
  remote: Exclude<NonNullable<FieldEntry['remote']>, readonly string[]>,
  report: Report,
): Place | null {
  if (typeof remote === 'string') {
    const path = parsePath(remote)
    if (path === undefined) badPath(remote, [], report)
    return path === undefined ? null : { kind: 'one', path }
  }
  const parts: [string, Path][] = []
  for (const [part, text] of Object.entries(remote)) {
    const path = parsePath(text)
    if (path === undefined) badPath(text, [part], report)
    else parts.push([part, path])
  }
  return parts.length === Object.keys(remote).length && parts.length > 0 ? { kind: 'parts', parts } : null
}

function badPath(text: string, at: readonly Step[], report: Report): void {
  report(
    at,
    `"${text}" is not a path`,
    'Write names with dots between, and quote a name that has dots: \'a."b.c"\'.',
  )
}

const MONEY_PARTS = ['amount', 'currency']

/** The codec, if it fits the field and the place; what does not fit is reported. */
export function codecOptionsOf(
  entry: FieldEntry,
  fields: readonly FieldName[],
  place: Place,
  context: FieldContext,
  report: Report,
): CodecOptions | undefined {
  const [field = ''] = fields
  const type = fieldType(context.kind, field) ?? 'text'
  const isName = fields.length === 2 && fields.includes('givenName') && fields.includes('familyName')
  if (fields.length > 1 && !isName) {
    report(
      ['hub'],
      `${fields.join(' and ')} do not make one value`,
      'Only [givenName, familyName] do, as a full name.',
    )
    return undefined
  }
  if (entry.codec === undefined && typeof type === 'object') {
    report(
      [],
      `${field} refers to a ${type.ref}, and it is not said how`,
      `Add codec: {name: ref, by: ${type.ref === 'contact' ? 'email' : type.ref === 'company' ? 'domain' : 'id'}}.`,
    )
    return undefined
  }
  const stated = typeof entry.codec === 'string' ? plainOptions(entry.codec) : entry.codec
  const options = stated ?? (isName ? plainOptions('name') : usualCodec(type))
  const fitting = isName ? ['name'] : fittingCodecs(field, type)
  if (!fitting.includes(options.name)) {
    const holds = isName ? 'a full name' : typeof type === 'object' ? `a ${type.ref}` : type
    report(
      ['codec'],
      `the codec "${options.name}" does not fit ${fields.join(' and ')} (${holds})`,
      `Use ${fitting.join(' or ')}.`,
    )
    return undefined
  }
  return partsFit(options, place, report) ? options : undefined
}

function plainOptions(name: Extract<FieldEntry['codec'], string>): ValueCodecOptions {
  return { name }
}

function partsFit(options: CodecOptions, place: Place, report: Report): boolean {
  const parts = place.kind === 'one' ? [] : place.parts.map(([part]) => part)
  if (options.name === 'address') {
    const strange = parts.find((part) => MONEY_PARTS.includes(part))
    if (place.kind === 'parts' && strange === undefined) return true
    report(
      ['remote'],
      'an address is mapped by its parts',
      'Write remote: {line1: <path>, city: <path>, country: <path>}.',
    )
    return false
  }
  if (place.kind === 'one') return true
  if (
    options.name === 'money' &&
    parts.includes('amount') &&
    parts.every((part) => MONEY_PARTS.includes(part))
  )
    return true
  report(
    ['remote'],
    `these parts do not make the value of the codec "${options.name}"`,
    'Money has the parts amount and currency; other values have one path.',
  )
  return false
}

/** Where a set is spread over; undefined where a place cannot be read. */
export function spotsOf(remote: readonly string[], report: Report): readonly Spot[] | undefined {
  const spots = remote.flatMap((text, i) => {
    const spot = parseSpot(text)
    const before = remote.slice(0, i).some((other) => same(parseSpot(other)?.path, spot?.path))
    if (spot === undefined) badPath(text, [i], report)
    else if (before) report([i], `"${spot.path.join('.')}" is written twice`, 'Remove one of them.')
    return spot === undefined || before ? [] : spot
  })
  return spots.length === remote.length ? spots : undefined
}

/** How a reference is named, with the stream it goes by checked; undefined where it cannot be resolved. */
export function refBy(
  by: Extract<CodecOptions, { name: 'ref' }>['by'],
  type: FieldType,
  context: FieldContext,
  report: Report,
): RefBy | undefined {
  const kind = typeof type === 'object' ? type.ref : undefined
  if (typeof by === 'object') {
    const found = context.streams[by.stream]
    if (found === kind && kind !== undefined) return by
    const suiting = Object.keys(context.streams).filter((name) => context.streams[name] === kind)
    const what =
      found === undefined
        ? `this connection has no stream "${by.stream}"`
        : `the stream "${by.stream}" is of ${found} records`
    report(['codec', 'by', 'stream'], what, choose(by.stream, suiting))
    return undefined
  }
  const fits =
    by === 'id' || (by === 'email' ? kind === 'contact' : by === 'domain' ? kind === 'company' : true)
  if (!fits)
    report(['codec', 'by'], `a ${kind ?? 'record'} is not known by ${by}`, 'Use id, or a key the record has.')
  return fits ? by : undefined
}
