import { isEmpty, same, type Json } from '../core/json.ts'
import { ABSENT, type Lens, type Reading } from '../core/lens.ts'
import { CATALOG, fieldType, isDerived, isSet, type FieldName, type RecordKind } from '../core/model.ts'
import { buildCodec, type CodecPlace, type ValueCodecOptions } from './build-codec.ts'
import { compileCel, recordVariable, type Expression } from './cel.ts'
import { EMPTY, invalid, readAs, type Codec } from './codec.ts'
import { codecOptionsOf, placeOf, refBy, spotsOf, type FieldContext } from './fit.ts'
import { governed, governedOptions } from './governed.ts'
import { hubCodec, unknownField } from './normalise.ts'
import { pairLens, type Frame } from './pair-lens.ts'
import { patchPlace, placePaths, readPlace, type Path, type Place } from './path.ts'
import { checkPolicy, policyOf } from './policy.ts'
import { within, type Report } from './problem.ts'
import { refField, type RefField } from './refs.ts'
import type { FieldEntry } from './schema.ts'
import { spreadLens, spreadSamples } from './spread-lens.ts'

/** One compiled entry of `fields:`. `written`: the places at the remote it may write. */
export type Field = { readonly written: readonly Path[] } & (
  | { readonly kind: 'pair'; readonly lens: Lens; readonly codec: Codec; readonly single: boolean }
  | { readonly kind: 'expression'; readonly lens: Lens }
  | RefField
)

/** Compiles one entry; undefined where it cannot be one. Everything that is wrong with it is reported. */
export function compileField(entry: FieldEntry, context: FieldContext, report: Report): Field | undefined {
  const fields = entry.hub === undefined ? [] : typeof entry.hub === 'string' ? [entry.hub] : entry.hub
  const { remote } = entry
  const isSpread = Array.isArray(remote)
  const place = remote === undefined || isSpread ? undefined : placeOf(remote, within(report, 'remote'))
  if (place === null) return undefined
  const unknown = fields.filter((field) => fieldType(context.kind, field) === undefined)
  for (const field of unknown) report(['hub'], ...unknownField(context.kind, field))
  if (unknown.length > 0) return undefined
  if (isSpread) return spreadField(entry, fields, remote, context, report)
  if (entry.cel !== undefined) return expressionField(entry, entry.cel, fields, place, context, report)
  if (fields.length === 0 || place === undefined) {
    const missing = fields.length === 0 ? 'hub' : 'remote'
    report(
      [],
      `"${missing}" is missing`,
      `Add ${missing}: <${missing === 'hub' ? 'field' : 'path'}>, or an expression in cel.`,
    )
    return undefined
  }
  return pairField(entry, fields, place, context, report)
}

function frameOf(
  entry: FieldEntry,
  fields: readonly FieldName[],
  direction: Lens['direction'],
  context: FieldContext,
  report: Report,
): Frame {
  const [first] = fields
  if (context.direction !== 'both' && direction !== context.direction)
    report(
      entry.direction === undefined ? [] : ['direction'],
      `this is written ${direction === 'both' ? 'both ways' : direction}, but the stream only goes ${context.direction}`,
      "Change it, or the stream's direction.",
    )
  if (direction !== 'out') {
    for (const field of fields.filter((name) => isDerived(context.kind, name)))
      report(
        ['hub'],
        `${field} is computed by the hub and cannot be read from a remote`,
        'Add direction: out.',
      )
  }
  if (entry.policy !== undefined)
    checkPolicy(entry.policy, context.kind, first, context.connections, within(report, 'policy'))
  const remoteKey =
    typeof entry.remote === 'string' ? entry.remote : Object.values(entry.remote ?? {}).join('+')
  return {
    key: entry.key ?? (fields.length === 0 ? remoteKey : fields.join('+')),
    fields,
    direction,
    policy: policyOf(entry.policy, context.kind, first, context.policies),
    set: first !== undefined && fields.length === 1 && isSet(fieldType(context.kind, first)),
  }
}

function expressionField(
  entry: FieldEntry,
  source: string,
  fields: readonly FieldName[],
  place: Place | undefined,
  context: FieldContext,
  report: Report,
): Field | undefined {
  const [field] = fields
  const type = field === undefined ? undefined : fieldType(context.kind, field)
  const reads = field !== undefined && fields.length === 1 && place === undefined
  const writes = field === undefined && place !== undefined
  if (!reads && !writes) {
    report(
      [],
      'an expression goes one way',
      'Give it either hub (to read) or remote (to write), one of each.',
    )
    return undefined
  }
  if (entry.codec !== undefined)
    report(['codec'], 'an expression has no codec', "Remove it; the hub field's own form is used.")
  const direction = reads ? 'in' : 'out'
  if (entry.direction !== undefined && entry.direction !== direction)
    report(
      ['direction'],
      `this expression can only go ${direction}`,
      `Write direction: ${direction}, or remove it.`,
    )
  const frame = frameOf(entry, fields, direction, context, report)
  const compiled = compileCel(source, reads ? 'remote' : 'record', context.kind, 'any')
  if (compiled.kind === 'problem') {
    report(['cel'], compiled.problem.message, compiled.problem.fix, compiled.problem.offset)
    return undefined
  }
  const { run } = compiled
  if (place !== undefined)
    return { kind: 'expression', lens: writer(frame, place, run, context.kind), written: placePaths(place) }
  const plain = hubCodec(field ?? '', type ?? 'text', context.defaults)
  const codec = governed(plain, context.kind, fields, context.governance)
  const get = (body: Json): Reading => {
    const outcome = run(body)
    return outcome.kind === 'failed' ? invalid(null, outcome.problem) : codec.get(outcome.value)
  }
  return { kind: 'expression', lens: { ...frame, get, put: () => ({}) }, written: [] }
}

/** A lens that only writes what an expression answers. No answer (null, or it failed) writes nothing. */
function writer(frame: Frame, place: Place, run: Expression, kind: RecordKind): Lens {
  return {
    ...frame,
    compute(fields) {
      const outcome = run(recordVariable(kind, fields))
      return outcome.kind === 'failed' ? null : outcome.value
    },
    get(body) {
      const raw = readPlace(place, body)
      if (raw === undefined) return ABSENT
      return isEmpty(raw) ? EMPTY : readAs(raw)
    },
    put(value, body) {
      const says = body === null ? undefined : readPlace(place, body)
      return value === null || same(says, value) ? {} : patchPlace(place, value, body === null)
    },
  }
}
/** A set over several places, which several entries could not share. */
function spreadField(
  entry: FieldEntry,
  fields: readonly FieldName[],
  remote: readonly string[],
  context: FieldContext,
  report: Report,
): Field | undefined {
  const [field = ''] = fields
  const type = fieldType(context.kind, field)
  if (fields.length !== 1 || !isSet(type) || type === undefined || entry.cel !== undefined) {
    const sets = Object.keys(CATALOG[context.kind]).filter((name) => isSet(fieldType(context.kind, name)))
    report(['remote'], 'only a set is held in several places', `Name one place. Sets are ${sets.join(', ')}.`)
    return undefined
  }
  const spots = spotsOf(remote, within(report, 'remote'))
  const place = { kind: 'one', path: [] } as const
  const member = type === 'tags' ? ({ codec: 'text' } as const) : {}
  const options = codecOptionsOf({ ...member, ...entry }, fields, place, context, report)
  if (spots === undefined || options === undefined || options.name === 'ref') return undefined
  if (options.name === 'list') {
    report(['codec'], 'each of several places has members of its own', 'Name the codec of one member.')
    return undefined
  }
  const { empty } = entry
  const { defaults } = context
  const frame = frameOf(entry, fields, entry.direction ?? context.direction, context, report)
  const codec = ruledCodec(options, fields, { field, type, inParts: false, empty, defaults }, context, report)
  return {
    kind: 'pair',
    lens: spreadLens(frame, spots, codec, entry.missing ?? 'absent'),
    codec: { ...codec, samples: spreadSamples(spots, codec) },
    single: false,
    written: frame.direction === 'in' ? [] : spots.map(({ path }) => path),
  }
}

function pairField(
  entry: FieldEntry,
  fields: readonly FieldName[],
  place: Place,
  context: FieldContext,
  report: Report,
): Field | undefined {
  const options = codecOptionsOf(entry, fields, place, context, report)
  if (options === undefined) return undefined
  const frame = frameOf(entry, fields, entry.direction ?? context.direction, context, report)
  const [field = ''] = fields
  const type = fieldType(context.kind, field) ?? 'text'
  const written = frame.direction === 'in' ? [] : placePaths(place)
  if (options.name === 'ref') {
    const by = refBy(options.by, type, context, report)
    return by === undefined || typeof type !== 'object'
      ? undefined
      : { ...refField({ frame, place, record: type.ref, by, empty: entry.empty ?? '' }), written }
  }
  const inParts = place.kind === 'parts'
  const { empty } = entry
  const { defaults } = context
  const codec = ruledCodec(options, fields, { field, type, inParts, empty, defaults }, context, report)
  const single = frame.set && options.name !== 'list'
  return {
    kind: 'pair',
    lens: pairLens(frame, place, codec, single, entry.missing ?? 'absent'),
    codec,
    single,
    written,
  }
}

/** The codec of an entry, which reads values as picklists and rules of names would have them. */
function ruledCodec(
  options: ValueCodecOptions,
  fields: readonly FieldName[],
  place: CodecPlace,
  { kind, governance }: FieldContext,
  report: Report,
): Codec {
  const inside = within(report, 'codec')
  const own = governedOptions(options, kind, place.field, governance, inside)
  return governed(buildCodec(own, place, inside), kind, fields, governance)
}
