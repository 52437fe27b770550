import { isEmpty, isObject, same, textOf, type Instant, type Json, type JsonObject } from '../../core/json.ts'
import { effective, read, spread, type Lens } from '../../core/lens.ts'
import {
  CATALOG,
  isDerived,
  provenanceOf,
  type FieldName,
  type HubRecord,
  type RecordId,
} from '../../core/model.ts'
import type { FieldChange } from '../../store/explain.ts'
import type { RootedFacet } from '../../store/facets.ts'

/** Why a field holds what it holds. */
export type FieldStory = {
  readonly field: FieldName
  readonly label: string
  readonly value: Json
  readonly source: string
  readonly at: Instant
  readonly rule: string
  /** The run that set the value; null where none did, or history does not tell. */
  readonly run: number | null
  /** How the hub works it out; null for fields that others state. */
  readonly derived: string | null
  /** Earlier values and edits elsewhere that did not stand, latest first. */
  readonly past: readonly PastValue[]
  /** What each system says now, where it says it in other words, and what exactly stands there. */
  readonly systems: readonly SystemValue[]
  /** Of merged records: what each member says by itself. */
  readonly members: readonly {
    readonly id: RecordId
    readonly value: Json
    readonly source: string
    /** Its value is the one that stands. */
    readonly stands: boolean
  }[]
}

export type PastValue = {
  readonly at: Instant
  readonly source: string
  readonly before: Json
  readonly after: Json
  readonly rule: string
  readonly lost: { readonly source: string; readonly value: Json } | null
  readonly run: number | null
}

export type SystemValue = {
  readonly stream: string
  readonly value: Json
  /** As it is written there, where that is another way of saying it. */
  readonly wrote: Json
  readonly agrees: boolean
  readonly policy: string
}

/** How the fields that nobody states come about. */
const DERIVED: Readonly<Record<FieldName, string>> = {
  emailConsent: 'the strictest of all statements about the addresses; see the statements below',
  lastContactedAt: 'the time of the latest logged message that one of us sent to them',
  lastRepliedAt: 'the time of the latest logged message that they sent to one of us',
  firstResponseMinutes: 'from their first message in a thread to our first answer in it',
  nextStepOverdueSince: 'the day after `nextStepDue` of an open deal, while no step was taken',
  bouncingEmails: 'the addresses of which mail came back',
  paymentStatus: "follows the deal's invoices: none, invoiced, partly paid, paid or void",
}

export function fieldStory(
  record: HubRecord,
  field: FieldName,
  changes: readonly FieldChange[],
  seen: readonly Seen[],
  facets: readonly RootedFacet[],
): FieldStory {
  const origin = provenanceOf(record, field)
  const mine = changes.filter((entry) => entry.field === field)
  const value = record.fields[field] ?? null
  return {
    field,
    label: CATALOG[record.kind][field]?.label ?? field,
    value,
    source: origin?.source ?? 'nobody',
    at: origin?.at ?? 0,
    rule: origin?.rule ?? 'never set',
    run: runOf(mine, origin?.source, value),
    derived: isDerived(record.kind, field) ? (DERIVED[field] ?? 'worked out by the hub') : null,
    past: pastOf(mine),
    systems: seen.flatMap((one) => systemValue(one, field, value)),
    members: facets.map((facet) => ({
      id: facet.id,
      value: facet.fields[field] ?? null,
      source: (facet.provenance[field] ?? facet.provenance['*'])?.source ?? 'nobody',
      stands: !isEmpty(facet.fields[field]) && same(facet.fields[field] ?? null, value),
    })),
  }
}

/** The latest run in which the source of the value said it. An undo that gave it back did not say it. */
function runOf(changes: readonly FieldChange[], source: string | undefined, value: Json): number | null {
  const set = changes.find(
    ({ op, change, ...entry }) =>
      op !== 'keep' && entry.source === source && same(change['after'] ?? null, value),
  )
  return (set ?? changes.find((entry) => entry.op !== 'keep' && entry.source === source))?.run ?? null
}

function pastOf(changes: readonly FieldChange[]): readonly PastValue[] {
  const told = changes.filter((entry) => entry.op !== 'create')
  // Where something came after it, what it was born with is past too.
  const shown = told.some((entry) => entry.op !== 'keep') ? changes : told
  return shown.map(({ at, source, run, op, change }) => {
    const lost = isObject(change['lost']) ? change['lost'] : null
    return {
      at,
      source,
      before: change['before'] ?? null,
      after: change['after'] ?? null,
      rule: op === 'create' ? 'created' : textOf(change['rule']),
      lost: lost === null ? null : { source: textOf(lost['source']), value: lost['value'] ?? null },
      run,
    }
  })
}

/** A linked object with the lenses that read it. */
export type Seen = { readonly stream: string; readonly lenses: readonly Lens[]; readonly body: JsonObject }

function systemValue({ stream, lenses, body }: Seen, field: FieldName, value: Json): readonly SystemValue[] {
  return lenses.flatMap((lens): SystemValue[] => {
    if (!lens.fields.includes(field) || lens.compute !== undefined) return []
    const policy = policyWords(lens)
    const reading = read(lens, body)
    if (reading.kind === 'absent') return []
    if (reading.kind === 'invalid')
      return [
        {
          stream,
          value: null,
          wrote: reading.raw,
          agrees: false,
          policy: `cannot be read: ${reading.problem}`,
        },
      ]
    const theirs = spread(lens, reading.value)[field] ?? null
    return [
      {
        stream,
        value: theirs,
        wrote: wroteOf(lens, reading.value, body),
        agrees: same(theirs, value),
        policy,
      },
    ]
  })
}

function policyWords({ policy, direction }: Lens): string {
  const way = { both: '', in: 'only read; ', out: 'only written; ' }[direction]
  if (policy.kind === 'owner') return `${way}owned by ${policy.source}`
  return policy.kind === 'prefer' ? `${way}prefers ${policy.order.join(', ')}` : `${way}${policy.kind}`
}

/** What stands at the remote in the place that the lens reads; null where it says just what was read. */
function wroteOf(lens: Lens, value: Json, body: JsonObject): Json {
  const rewritten = lens.direction === 'in' ? null : effective(lens.put(value, null), body)
  const leaf = rewritten === null ? undefined : firstLeaf(rewritten, body)
  return leaf === undefined || same(leaf, value) ? null : leaf
}

function firstLeaf(patch: JsonObject, body: Json | undefined): Json | undefined {
  if (!isObject(body)) return undefined
  for (const [key, value] of Object.entries(patch)) {
    const there = body[key]
    const leaf = isObject(value) && isObject(there) ? firstLeaf(value, there) : there
    if (leaf !== undefined && !isEmpty(leaf)) return leaf
  }
  return undefined
}
