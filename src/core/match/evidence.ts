import { AT, ATTRIBUTE_NAMES, ATTRIBUTES, type Agreement, type Attribute } from './attributes.ts'
import type { Model } from './model.ts'
import type { Prepared } from './prepare.ts'
import { jaroWinkler } from './similarity.ts'
import { joined } from './text.ts'

export type Evidence = {
  readonly attribute: Attribute
  /** As in ATTRIBUTES. */
  readonly level: string
  /** What it adds to the weight; below 0 it speaks against. Term frequency aside. */
  readonly weight: number
  /** How alike the values are, 0 to 1, where they are neither the same nor different. */
  readonly similarity: number | null
}

export function evidenceOf(
  model: Model,
  agreement: Agreement,
  a: Prepared,
  b: Prepared,
): readonly Evidence[] {
  return ATTRIBUTE_NAMES.flatMap((attribute): Evidence[] => {
    const at = agreement[AT[attribute]] ?? -1
    const level = ATTRIBUTES[attribute].levels[at]
    if (level === undefined || level === 'straight') return []
    const weight = Math.log2((model.m[attribute][at] ?? 1) / (model.u[attribute][at] ?? 1))
    const between = level !== 'exact' && level !== 'differs' && level !== 'swapped'
    return [{ attribute, level, weight, similarity: between ? similarityOf(attribute, a, b) : null }]
  })
}

function similarityOf(attribute: Attribute, a: Prepared, b: Prepared): number | null {
  switch (attribute) {
    case 'given':
    case 'family':
    case 'street':
    case 'unit':
    case 'city':
    case 'organisation': {
      const straight = jaroWinkler(joined(a[attribute]), joined(b[attribute]))
      return attribute === 'given' || attribute === 'family'
        ? Math.max(
            straight,
            jaroWinkler(joined(a.given), joined(b.family)),
            jaroWinkler(joined(a.family), joined(b.given)),
          )
        : straight
    }
    case 'organisationWithin':
      return jaroWinkler(joined(a.organisation), joined(b.organisation))
    case 'cityWithin':
      return jaroWinkler(joined(a.city), joined(b.city))
    default:
      return null
  }
}

/** In words, what speaks for it first: "same phone; surname 0.96; company differs". */
export function evidenceText(scored: { readonly evidence: readonly Evidence[] }): string {
  return scored.evidence
    .toSorted((one, two) => two.weight - one.weight || AT[one.attribute] - AT[two.attribute])
    .map(inWords)
    .join('; ')
}

function inWords({ attribute, level, similarity }: Evidence): string {
  const { label } = ATTRIBUTES[attribute]
  switch (level) {
    case 'exact':
      return `same ${label}`
    case 'differs':
      return `${label} differs`
    case 'swapped':
      return 'first and last name swapped'
    case 'nickname':
      return `${label} is a short form`
    case 'initial':
      return `${label} by its initial`
    case 'two of three':
      return `${label} agrees but for one part`
    case 'near':
      return `${label} is near`
    case 'same before the @':
      return `${label} is the same before the @`
    case 'slip':
      return similarity === null ? `${label} but for a slip` : `${label} ${similarity.toFixed(2)}`
    case 'part':
      return `${label} agrees in part`
    default:
      return similarity === null ? `${label} is similar` : `${label} ${similarity.toFixed(2)}`
  }
}
