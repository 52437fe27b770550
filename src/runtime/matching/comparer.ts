import { AT, ATTRIBUTES, type Agreement, type Attribute } from '../../core/match/attributes.ts'
import { compare } from '../../core/match/compare.ts'
import { evidenceOf, evidenceText } from '../../core/match/evidence.ts'
import { blockingKeys } from '../../core/match/keys.ts'
import type { Model } from '../../core/match/model.ts'
import { prepare, type Prepared } from '../../core/match/prepare.ts'
import { weigh } from '../../core/match/score.ts'
import { subjectOf, traitsOf } from '../../core/match/traits.ts'
import { isNobodys } from '../../mappings/free-mail.ts'
import type { MatchedKind } from '../../core/duplicates.ts'
import type { Fields, RecordId } from '../../core/model.ts'
import type { Recognised } from '../../store/matching.ts'
import type { Hub } from '../hub.ts'
import { keyHash } from './key-hash.ts'
import { currentModel } from './model.ts'

/** How alike two records are. */
export type Likeness = {
  /** That they are one, from 0 to 1. */
  readonly probability: number
  /** Log2 of the odds. */
  readonly weight: number
  /** Why, in words. */
  evidence(): string
  /** What both state speaks against it, whatever else agrees. */
  readonly contradicts: boolean
  /** Their names are not two ways to write one. */
  readonly namesDiffer: boolean
}

/** How the records of one kind are found and weighed. */
export type Comparer = {
  readonly kind: MatchedKind
  prepare(fields: Fields): Prepared
  /** Numbers that records share which may be one. */
  keys(prepared: Prepared): readonly number[]
  compare(a: Prepared, b: Prepared): Likeness
}

/** The comparer of a kind, with what was learned from this hub's records. */
export async function comparerOf(hub: Hub, kind: MatchedKind): Promise<Comparer> {
  return comparerWith(kind, (await currentModel(hub, kind)).model)
}

export function comparerWith(kind: MatchedKind, model: Model): Comparer {
  const subject = subjectOf(kind)
  return {
    kind,
    prepare: (fields) => prepare(subject, traitsOf(kind, fields), isNobodys),
    keys: (prepared) => blockingKeys(prepared).map((key) => keyHash(`${kind} ${key}`)),
    compare(a, b) {
      const agreement = compare(a, b)
      const { weight, probability } = weigh(model, agreement, a, b)
      return {
        weight,
        probability,
        evidence: () => evidenceText({ evidence: evidenceOf(model, agreement, a, b) }),
        contradicts: CONTRADICTING.some((name) => reaches(agreement, name, 'differs')),
        namesDiffer: reaches(agreement, 'given', 'similar') || reaches(agreement, 'family', 'similar'),
      }
    },
  }
}

const CONTRADICTING = ['birth', 'given', 'family'] as const satisfies readonly Attribute[]

/** Whether an attribute agrees no better than this. */
function reaches(agreement: Agreement, attribute: Attribute, level: string): boolean {
  const at = agreement[AT[attribute]] ?? -1
  const levels: readonly string[] = ATTRIBUTES[attribute].levels
  return at >= levels.indexOf(level)
}

/** A record made ready to be compared. */
export type Known = Recognised & { readonly prepared: Prepared }

/** Archived ones are nobody to compare with. */
export function knownOf(
  comparer: Comparer,
  records: ReadonlyMap<RecordId, Recognised>,
): ReadonlyMap<RecordId, Known> {
  return new Map(
    [...records]
      .filter(([, record]) => !record.archived)
      .map(([id, record]) => [id, { ...record, prepared: comparer.prepare(record.fields) }]),
  )
}
