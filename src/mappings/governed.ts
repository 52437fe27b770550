import { chosen } from '../core/governance/findings.ts'
import { tidyName } from '../core/governance/names.ts'
import { fieldKey, type Chooser } from '../core/governance/picklist.ts'
import type { Governance } from '../core/governance/rules.ts'
import { isObject, type Json } from '../core/json.ts'
import type { Reading } from '../core/lens.ts'
import type { FieldName, RecordKind } from '../core/model.ts'
import type { ValueCodecOptions } from './build-codec.ts'
import { isList, readAs, type Codec } from './codec.ts'
import { choose } from './nearest.ts'
import type { Report } from './problem.ts'

const NAMES: readonly FieldName[] = ['givenName', 'familyName']

/** Whether fields are what a person is called, of which `names: tidy` speaks. */
export const isName = (kind: RecordKind, fields: readonly FieldName[]): boolean =>
  kind === 'contact' && fields.length > 0 && fields.every((field) => NAMES.includes(field))

/**
 * A codec that reads values as the rules would have them: choices as they are listed, names as names are written. What
 * a remote writes reads as the canonical value, so that nothing is written back until the value really changes. The
 * laws hold for canonical values, because those read as themselves.
 */
export function governed(
  codec: Codec,
  kind: RecordKind,
  fields: readonly FieldName[],
  governance: Governance,
): Codec {
  const [field = ''] = fields
  const chooser = fields.length === 1 ? governance.choosers.get(fieldKey(kind, field)) : undefined
  const tidies = governance.names === 'tidy' && isName(kind, fields)
  if (chooser === undefined && !tidies) return codec
  const settle = (value: Json): Json => {
    const listed = chooser === undefined ? value : chosen(chooser, value)
    return tidies ? tidied(listed) : listed
  }
  return {
    ...codec,
    samples: chooser === undefined ? codec.samples : samplesOf(codec, chooser),
    get(raw): Reading {
      const reading = codec.get(raw)
      return reading.kind === 'value' ? readAs(settle(reading.value)) : reading
    },
  }
}

/** A mapping must carry every value of the list; one that is cut short would read as another. */
function samplesOf(codec: Codec, { list }: Chooser): readonly Json[] {
  const values = list.values.map(({ value }) => value)
  return codec.samples.some(isList) ? [values.slice(0, 1), values] : values
}

function tidied(value: Json): Json {
  if (typeof value === 'string') return tidyName(value)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([part, said]) => [part, tidied(said)]))
}

/** Options of a picklist at the remote that say what the hub's own list says. */
export function governedOptions(
  options: ValueCodecOptions,
  kind: RecordKind,
  field: FieldName,
  governance: Governance,
  report: Report,
): ValueCodecOptions {
  const chooser = governance.choosers.get(fieldKey(kind, field))
  if (options.name !== 'picklist' || chooser === undefined) return options
  const values: Record<string, string> = {}
  for (const [remote, hub] of Object.entries(options.values)) {
    const choice = chooser.choose(hub)
    if (choice.kind === 'unknown' && chooser.list.unknown !== 'keep')
      report(
        ['values'],
        `"${hub}" is not on the list of ${field} in the picklists`,
        choose(
          hub,
          chooser.list.values.map(({ value }) => value),
        ),
      )
    values[remote] = choice.value
  }
  return { ...options, values }
}
