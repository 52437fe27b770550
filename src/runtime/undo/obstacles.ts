import { keysOf, STRONG, type Key } from '../../core/identity.ts'
import type { RecordId } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { holders } from '../../store/identities.ts'
import type { Link } from '../../store/links.ts'
import { erasedAmong, madeByHub, mergedAway, referrersOf } from '../../store/run-changes.ts'
import type { Hub } from '../hub.ts'
import { isIdle, leave, leaveFields, outcomeOf, spared, type Draft, type Undoing } from './draft.ts'

/** Leaves records that live on in others, were erased, are kept by rule, or that others have come to need. */
export async function withoutNeeded(
  hub: Hub,
  q: Query,
  { run, undoRun }: Undoing,
  drafts: readonly Draft[],
  links: ReadonlyMap<RecordId, readonly Link[]>,
): Promise<readonly Draft[]> {
  const busy = drafts.filter((draft) => !isIdle(draft))
  const ids = busy.map(({ record }) => record.id)
  const born = busy.filter((draft) => draft.created)
  const of = (kind: 'contact' | 'company') =>
    born.filter(({ record }) => record.kind === kind).map(({ record }) => record.id)
  const [merged, erased, made, refersToContact, refersToCompany] = await Promise.all([
    mergedAway(q, ids),
    erasedAmong(q, ids),
    madeByHub(
      q,
      born.map(({ record }) => record.id),
    ),
    referrersOf(q, 'contact', of('contact'), run.id),
    referrersOf(q, 'company', of('company'), run.id),
  ])
  const labels = new Map(hub.targets.map((target) => [target.id, target.label]))
  return drafts.map((draft) => {
    const { id, kind } = draft.record
    const rule = byRule(draft, links.get(id) ?? [])
    if (rule !== null) return rule
    if (isIdle(draft)) return draft
    const into = merged.get(id)
    // Of a plan: merges of the run itself are taken back first.
    if (into !== undefined && (undoRun !== null || into.run !== run.id)) {
      const why = `it lives on in ${kind} ${into.into}: undo the merge first (\`concord undo ${into.run}\`)`
      return leave(draft, { ...spared('merged', null, why), by: into.by, at: into.at, run: into.run })
    }
    if (erased.has(id)) return leave(draft, spared('erased', null, 'everything about it was erased'))
    if (!draft.created) return draft
    const own = (links.get(id) ?? []).find(
      (link) => link.state === 'linked' && link.streamId !== run.streamId && !made.has(link.id),
    )
    if (own !== undefined) {
      const where = labels.get(own.streamId) ?? 'another system'
      return leave(
        draft,
        spared('needed', null, `${where} has it too (${own.remoteId ?? ''}), from before or of its own`),
      )
    }
    const referrer = (kind === 'contact' ? refersToContact : refersToCompany).get(id)
    return referrer === undefined
      ? draft
      : leave(draft, spared('needed', null, `${referrer.kind} ${referrer.id} refers to it`))
  })
}

/** Messages and issued invoices are facts of the world outside; no undo changes those. */
function byRule(planned: Draft, links: readonly Link[]): Draft | null {
  const { id, kind, fields, archived } = planned.record
  // Whatever else would be left of it: this is the reason.
  const draft: Draft = { ...planned, undo: { ...planned.undo, spared: [] } }
  if (archived && isIdle(planned)) return null
  if (kind === 'activity')
    return leave(
      draft,
      spared('message', null, `a logged message; \`concord mail remove ${id}\` erases it and keeps it out`),
    )
  if (kind !== 'invoice') return null
  const status = fields['status']
  const isIssued =
    (typeof status === 'string' && status !== 'requested') ||
    links.some((link) => link.state !== 'pending' && link.state !== 'filtered')
  if (draft.created && !isIssued) return null
  const why = isIssued
    ? 'an issued invoice stays; void it at the vendor by hand'
    : 'invoices follow their deals and the vendor; an undo neither issues nor changes one'
  return leave(draft, spared('invoice', null, why))
}

/** Strong keys that a draft gives to its record. */
function gained(draft: Draft): readonly Key[] {
  const after = outcomeOf(draft)
  if (after.archived) return []
  const had = draft.record.archived ? [] : keysOf(draft.record.kind, draft.record.fields)
  return keysOf(after.kind, after.fields).filter(
    (key) => STRONG[key.kind] && !had.some((k) => k.kind === key.kind && k.value === key.value),
  )
}

export type KeyCheck = {
  readonly drafts: readonly Draft[]
  /** Who holds a key now and is not among the drafts: perhaps the run itself gave it to them. */
  readonly elsewhere: readonly RecordId[]
}

/** Leaves keys where another record holds them by now; a record that would come back without its key stays away. */
export async function withoutTakenKeys(q: Query, drafts: readonly Draft[]): Promise<KeyCheck> {
  const byId = new Map(drafts.map((draft) => [draft.record.id, draft]))
  const elsewhere = new Set<RecordId>()
  const held = new Map<string, RecordId>()
  for (const kind of ['contact', 'company'] as const) {
    const keys = drafts.filter((d) => d.record.kind === kind && !isIdle(d)).flatMap((d) => gained(d))
    for (const { key, id } of await holders(q, kind, keys)) held.set(`${key.kind} ${key.value}`, id)
  }
  if (held.size === 0) return { drafts, elsewhere: [] }
  /** Who holds the key once all drafts are carried out. */
  const holder = (key: Key): RecordId | undefined => {
    const id = held.get(`${key.kind} ${key.value}`)
    const theirs = id === undefined ? undefined : byId.get(id)
    if (id === undefined || theirs === undefined) return id
    const after = outcomeOf(theirs)
    const keeps =
      !after.archived &&
      keysOf(after.kind, after.fields).some((k) => k.kind === key.kind && k.value === key.value)
    return keeps ? id : undefined
  }
  const kept = drafts.map((draft) => {
    if (isIdle(draft)) return draft
    const taken = gained(draft).flatMap((key) => {
      const id = holder(key)
      return id === undefined || id === draft.record.id ? [] : [{ key, id }]
    })
    const [first] = taken
    if (first === undefined) return draft
    for (const { id } of taken) if (!byId.has(id)) elsewhere.add(id)
    const { kind } = draft.record
    const why = taken.map(({ key, id }) => `${key.value} belongs to ${kind} ${id} by now`).join('; ')
    if (draft.undo.archived === false)
      return leave(draft, spared('key', null, `${why}: archive or merge that one first`))
    const field = kind === 'contact' ? 'emails' : 'domains'
    return withoutMembers(draft, field, new Set(taken.map(({ key }) => key.value)), why)
  })
  return { drafts: kept, elsewhere: [...elsewhere] }
}

function withoutMembers(draft: Draft, field: string, taken: ReadonlySet<string>, why: string): Draft {
  const reverted = draft.undo.fields[field]
  if (reverted === undefined || !Array.isArray(reverted.value)) return draft
  const rest = reverted.value.filter((member) => typeof member !== 'string' || !taken.has(member))
  const note = spared('key', field, why)
  const isLeft = rest.length === 0 || JSON.stringify(rest) === JSON.stringify(reverted.left)
  if (isLeft) return leaveFields(draft, [note])
  const { undo } = draft
  return {
    ...draft,
    undo: {
      ...undo,
      fields: { ...undo.fields, [field]: { ...reverted, value: rest } },
      spared: [...undo.spared, note],
    },
  }
}
