import { same, textsIn, type Json } from './json.ts'
import {
  fieldType,
  isDerived,
  isSet,
  provenanceOf,
  type FieldName,
  type HubRecord,
  type Provenance,
  type RecordId,
} from './model.ts'
import { groupOf, type Facet, type MergedKind } from './survivorship.ts'

/** A facet while it is worked on. */
type Draft = {
  readonly id: RecordId
  readonly fields: Record<FieldName, Json>
  readonly provenance: Record<FieldName, Provenance>
  readonly overruled: Record<FieldName, readonly RecordId[]>
}

/**
 * What the members of a merged record say once it was edited: the facets that are different. An edit belongs to
 * `editor` (the member whose link a field's edit came through), else to the member whose value stood, else to `root`; it overrules
 * what all others say. Members added to a set are the editor's, else the root's; removed ones leave every member.
 */
export function editFacets(
  kind: MergedKind,
  members: readonly Facet[],
  root: RecordId,
  before: HubRecord,
  after: HubRecord,
  editor: (field: FieldName) => RecordId | null,
): readonly Facet[] {
  const drafts = members.map(
    (facet): Draft => ({
      id: facet.id,
      fields: { ...facet.fields },
      provenance: { ...facet.provenance },
      overruled: { ...facet.overruled },
    }),
  )
  const named = (id: RecordId | null) => drafts.find((draft) => draft.id === id)
  for (const field of Object.keys(after.fields)) {
    if (isDerived(kind, field)) continue
    const [was, now] = [before.fields[field] ?? null, after.fields[field] ?? null]
    const says = provenanceOf(after, field)
    if (isSet(fieldType(kind, field))) {
      if (!same(was, now))
        editSet(drafts, named(editor(field)) ?? named(root), field, textsIn(was), textsIn(now), says)
      continue
    }
    const stands = standing(drafts, root, field, before)
    const isConfirmed = says !== undefined && !same(says, provenanceOf(before, field) ?? null)
    if (same(was, now) && !isConfirmed) continue
    // Who only confirms what stands speaks for whoever said it.
    const writer = same(was, now) ? stands : (named(editor(field)) ?? stands ?? named(root))
    if (writer === undefined) continue
    for (const part of groupOf(kind, field)) {
      // What is said together with the field stays as it stands, or one name would be made of two.
      const holder = part === field ? writer : standing(drafts, root, part, before)
      if (
        holder !== undefined &&
        (part === field || same(before.fields[part] ?? null, after.fields[part] ?? null))
      )
        overrule(drafts, holder, part, part === field)
    }
    writer.fields[field] = now
    if (says !== undefined) writer.provenance[field] = says
  }
  return drafts.filter((draft, i) => !sameFacet(draft, members[i]))
}

/** `anew`: the holder has just spoken, so that nothing said before counts more. */
function overrule(drafts: readonly Draft[], holder: Draft, field: FieldName, anew: boolean): void {
  for (const draft of drafts) {
    const by = draft.overruled[field] ?? []
    if (draft === holder) {
      if (anew) delete draft.overruled[field]
    } else if (!by.includes(holder.id)) draft.overruled[field] = [...by, holder.id]
  }
}

/** The member whose value the merged record had. */
function standing(
  drafts: readonly Draft[],
  root: RecordId,
  field: FieldName,
  before: HubRecord,
): Draft | undefined {
  const says = provenanceOf(before, field)
  const own = (draft: Draft) => provenanceOf({ ...before, ...draft }, field)
  return drafts
    .filter(
      (draft) =>
        (draft.overruled[field] ?? []).length === 0 &&
        same(draft.fields[field] ?? null, before.fields[field] ?? null),
    )
    .toSorted(
      (a, b) =>
        Number(same(own(b), says)) - Number(same(own(a), says)) ||
        Number(b.id === root) - Number(a.id === root) ||
        a.id - b.id,
    )[0]
}

function editSet(
  drafts: readonly Draft[],
  editor: Draft | undefined,
  field: FieldName,
  was: readonly string[],
  now: readonly string[],
  says: Provenance | undefined,
): void {
  const added = now.filter((item) => !was.includes(item))
  for (const draft of drafts) {
    const mine = textsIn(draft.fields[field])
    const kept = mine.filter((item) => now.includes(item) || !was.includes(item))
    const next = draft === editor ? [...new Set([...kept, ...added])] : kept
    const value = next.toSorted((a, b) => place(now, a) - place(now, b))
    if (same(value, mine)) continue
    draft.fields[field] = value.length === 0 ? null : value
    if (draft === editor && says !== undefined) draft.provenance[field] = says
  }
}

const place = (order: readonly string[], item: string): number => {
  const at = order.indexOf(item)
  return at === -1 ? order.length : at
}

const sameFacet = (a: Draft, b: Facet | undefined): boolean =>
  b !== undefined &&
  same(a.fields, b.fields) &&
  same(a.provenance, b.provenance) &&
  same(a.overruled, b.overruled)

/** What is left of members once others have gone: whatever those overruled counts again. */
export function withoutMembers(members: readonly Facet[], gone: ReadonlySet<RecordId>): readonly Facet[] {
  return members
    .filter((facet) => !gone.has(facet.id))
    .map((facet) => {
      const overruled = Object.entries(facet.overruled).flatMap(([field, by]) => {
        const left = by.filter((id) => !gone.has(id))
        return left.length === 0 ? [] : [[field, left] as const]
      })
      return { ...facet, overruled: Object.fromEntries(overruled) }
    })
}
