import { same } from '../../core/json.ts'
import type { HubRecord, RecordId } from '../../core/model.ts'
import { planLink } from '../../core/plan.ts'
import type { Refs } from '../../core/stream.ts'
import type { Query } from '../../store/database.ts'
import type { Link } from '../../store/links.ts'
import type { Hub, Target } from '../hub.ts'
import { planPush } from '../push-plan.ts'
import { resolveRefs } from '../refs.ts'
import { isIdle, leaveFields, outcomeOf, spared, type Draft } from './draft.ts'
import type { Allowed, RemoteEffect } from './line.ts'

type Seen = { readonly target: Target; readonly refs: Refs; readonly pairs: readonly Pair[] }
type Pair = { readonly link: Link; readonly draft: Draft; readonly after: HubRecord }

/** The drafts' links by stream, with what their references mean; a fixed number of statements a stream. */
async function byStream(
  hub: Hub,
  q: Query,
  drafts: readonly Draft[],
  links: ReadonlyMap<RecordId, readonly Link[]>,
): Promise<readonly Seen[]> {
  const pairs = drafts.flatMap((draft) => {
    if (isIdle(draft)) return []
    const after = outcomeOf(draft)
    return (links.get(draft.record.id) ?? []).map((link): Pair => ({ link, draft, after }))
  })
  const seen: Seen[] = []
  for (const [streamId, mine] of Map.groupBy(pairs, ({ link }) => link.streamId)) {
    const target = hub.targets.find((t) => t.id === streamId)
    if (target === undefined) continue
    const refs = await resolveRefs(
      hub,
      q,
      target,
      mine.flatMap(({ link }) => (link.observed === null ? [] : [link.observed])),
      mine.map(({ after }) => after.fields),
    )
    seen.push({ target, refs, pairs: mine })
  }
  return seen
}

/** Leaves fields that a system owns: it would say again at once what the undo took back. */
export async function withoutOwned(
  hub: Hub,
  q: Query,
  drafts: readonly Draft[],
  links: ReadonlyMap<RecordId, readonly Link[]>,
): Promise<readonly Draft[]> {
  const owned = new Map<RecordId, Map<string, string>>()
  for (const { target, refs, pairs } of await byStream(hub, q, drafts, links)) {
    const { stream, label } = target
    for (const { link, draft, after } of pairs) {
      if (link.state !== 'linked' || link.observed === null || after.archived) continue
      const modifiedAt = stream.trustTimes ? link.modifiedAt : null
      const observed = { body: link.observed, modifiedAt, isHandoff: target.push?.isHandoff === true }
      const plan = planLink(stream.lenses(refs), after, observed, link.base, stream.connection)
      for (const [field, edit] of Object.entries(plan.hub)) {
        const reverted = draft.undo.fields[field]
        if (reverted === undefined || same(edit.value, reverted.value)) continue
        const fields = owned.get(draft.record.id) ?? new Map<string, string>()
        fields.set(field, `${label} would say it again (${edit.rule}): correct it there`)
        owned.set(draft.record.id, fields)
      }
    }
  }
  if (owned.size === 0) return drafts
  return drafts.map((draft) => {
    const fields = owned.get(draft.record.id)
    return fields === undefined
      ? draft
      : leaveFields(
          draft,
          [...fields].map(([field, why]) => spared('owned', field, why)),
        )
  })
}

export type Effects = {
  readonly remotes: readonly RemoteEffect[]
  readonly allow: readonly Allowed[]
}

/** What the drafts come to at each remote, as the ordinary plan of writes will find it. */
export async function effectsOf(
  hub: Hub,
  q: Query,
  drafts: readonly Draft[],
  links: ReadonlyMap<RecordId, readonly Link[]>,
  revived: ReadonlySet<number>,
): Promise<ReadonlyMap<RecordId, Effects>> {
  const effects = new Map<RecordId, { remotes: RemoteEffect[]; allow: Allowed[] }>()
  for (const { target, refs, pairs } of await byStream(hub, q, drafts, links)) {
    for (const { link, draft, after } of pairs) {
      const mine = effects.get(after.id) ?? { remotes: [], allow: [] }
      effects.set(after.id, mine)
      const add = (what: RemoteEffect['what'], why: string | null = null) =>
        mine.remotes.push({ stream: target.label, what, why })
      if (revived.has(link.id)) {
        add('create')
        continue
      }
      if (link.state === 'gone') {
        if (draft.undo.archived === false)
          add('stays', `it was deleted at ${target.label}, and is not made there again`)
        continue
      }
      if (target.push === null) {
        if (link.state === 'linked') add('stays', `${target.label} is only read: it says what it said`)
        continue
      }
      const step = planPush(target.stream, target.push, link, after, refs, '')
      if (step.kind === 'write') {
        const { op } = step.write
        add(op === 'consent' ? (step.write.consent === 'out' ? 'opt-out' : 'update') : op)
        if (step.harm !== null && step.harm.what !== 'optIns')
          mine.allow.push({ streamId: target.id, ...step.harm })
      } else if (step.kind === 'settle' && link.state === 'linked') {
        if (after.archived) {
          const kept = `${target.label} keeps its object ${link.remoteId ?? ''} (archives: keep)`
          add('stays', step.settlement.problem ?? kept)
        } else if (step.settlement.problem !== undefined) add('stays', step.settlement.problem)
      } else if (link.state === 'creating')
        add('stays', 'a write is under way there; it follows once its outcome is known')
    }
  }
  return effects
}
