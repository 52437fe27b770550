import { consentToSend } from '../core/consent.ts'
import { emptied, type HarmfulChange, type What } from '../core/guard.ts'
import { same, type JsonObject } from '../core/json.ts'
import { mergePatches } from '../core/lens.ts'
import { planCreation, planLink, type Base } from '../core/plan.ts'
import { provenanceOf, type HubRecord, type RecordId } from '../core/model.ts'
import type { Refs, Stream } from '../core/stream.ts'
import type { Link, Settlement } from '../store/links.ts'
import type { Push } from '../connectors/connector.ts'
import type { NewOutboxRow } from '../store/outbox.ts'
import { consentOf } from './consent.ts'
import { conflictKey } from './item-keys.ts'
import { titleOf } from './title.ts'

/** What one due link needs. Pure: nothing was sent or written yet. */
export type PushStep =
  /** Nothing to send; the base may have moved. */
  | {
      readonly kind: 'settle'
      readonly settlement: Settlement
      readonly base: Base | null
      /** Conflicts that are none any more: the keys of their items. */
      readonly agreed?: readonly string[]
    }
  | {
      readonly kind: 'write'
      readonly write: NewOutboxRow
      readonly base: Base
      readonly harm: HarmfulChange | null
    }
  /** A remote edit that is not in the hub yet stands in its last observation: take it in first. */
  | { readonly kind: 'absorb'; readonly link: Link }
  /** Refers to records that do not exist at the remote yet. */
  | {
      readonly kind: 'wait'
      readonly link: Link
      readonly demands: readonly { readonly stream: string; readonly recordId: RecordId }[]
    }

const NOTHING: ReadonlySet<What> = new Set()

/** Plans the write of one link. `key` names the write for good. One step a link and pass: consent goes before all else. */
export function planPush(
  stream: Stream,
  push: Pick<Push, 'frozen' | 'isHandoff'>,
  link: Link,
  record: HubRecord,
  refs: Refs,
  key: string,
  forbidden: ReadonlySet<What> = NOTHING,
): PushStep {
  let known: ReturnType<Stream['lenses']> | null = null
  const lenses = () => (known ??= stream.lenses(refs))
  const settle = (
    how: Pick<Settlement, 'state' | 'problem'> = {},
    base: Base | null = null,
    asked: readonly string[] = [],
  ): PushStep => ({
    kind: 'settle',
    settlement: { id: link.id, wake: link.wake, ...how },
    base,
    agreed: lenses()
      .filter((lens) => lens.policy.kind === 'ask' && !asked.includes(lens.key))
      .map((lens) => conflictKey(link.id, lens.key)),
  })
  const write = (
    op: NewOutboxRow['op'],
    body: JsonObject,
    pushed: readonly string[],
    base: Base,
    harm: HarmfulChange | null = null,
  ): PushStep => ({
    kind: 'write',
    base,
    harm,
    write: {
      streamId: link.streamId,
      linkId: link.id,
      recordId: record.id,
      key,
      op,
      remoteId: link.remoteId,
      body,
      consent: consentOf(record.fields),
      pushed,
      sent: record.fields,
      wake: link.wake,
    },
  })

  const harmful = (what: What, stamp: unknown, changes: JsonObject): HarmfulChange => ({
    what,
    recordId: record.id,
    remoteId: link.remoteId,
    title: titleOf(record),
    changes,
    stamp: String(stamp),
  })

  if (link.state !== 'linked') {
    if (record.archived || !wanted(stream, link, record)) return settle({ state: 'filtered' })
    const demands = unmet(stream, record, refs)
    if (demands.length > 0) return { kind: 'wait', link, demands }
    return create(stream, record, refs, write)
  }
  if (link.observed === null) return settle()
  const frozen = push.frozen?.(link.observed) ?? null
  if (record.archived) {
    if (stream.archives === 'keep') return settle()
    if (frozen !== null) return settle({ problem: frozen })
    return write(
      'archive',
      {},
      [],
      link.base,
      harmful('deletes', '', { archived: { before: false, after: true } }),
    )
  }

  const tell =
    stream.consent === null
      ? null
      : consentToSend(consentOf(record.fields), link.consent, stream.consent.sends)
  if (tell === 'out' || (tell === 'in' && !forbidden.has('optIns'))) {
    const said = { emailConsent: { before: link.consent, after: tell } }
    const harm =
      tell === 'in' ? harmful('optIns', provenanceOf(record, 'emailConsent')?.at ?? '', said) : null
    return write('consent', stream.consent?.write(tell) ?? {}, [], link.base, harm)
  }
  const modifiedAt = stream.trustTimes ? link.modifiedAt : null
  const observed = { body: link.observed, modifiedAt, isHandoff: push.isHandoff === true }
  const plan = planLink(lenses(), record, observed, link.base, stream.connection)
  if (Object.keys(plan.hub).length > 0) return { kind: 'absorb', link }
  const base = same(plan.base, link.base) ? null : plan.base
  const asked = plan.asks.map((ask) => ask.lens)
  if (plan.patch === null) return settle({}, base, asked)
  if (frozen !== null) return settle({ problem: frozen }, base, asked)
  const lost = emptied(plan.patch, link.observed)
  const harm = Object.keys(lost).length === 0 ? null : harmful('blanks', record.version, lost)
  return write('update', plan.patch, plan.pushed, plan.base, harm)
}

/** Whether a record that is not at the remote belongs there. */
function wanted(stream: Stream, link: Link, record: HubRecord): boolean {
  if (link.demanded) return true
  return stream.createAtRemote === 'always' && stream.filterOut(record.fields)
}

/** Records of this connection's other streams that must exist at the remote first. */
function unmet(stream: Stream, record: HubRecord, refs: Refs): { stream: string; recordId: RecordId }[] {
  return stream
    .hubRefs(record.fields)
    .flatMap((ref) =>
      typeof ref.by === 'object' && refs.toKey(ref) === undefined
        ? [{ stream: ref.by.stream, recordId: ref.id }]
        : [],
    )
}

function create(
  stream: Stream,
  record: HubRecord,
  refs: Refs,
  write: (op: 'create', body: JsonObject, pushed: readonly string[], base: Base) => PushStep,
): PushStep {
  const creation = planCreation(stream.lenses(refs), record.fields)
  const state = consentOf(record.fields)
  const tells = stream.consent !== null && state === 'out' && stream.consent.sends.includes('out')
  const body = tells ? mergePatches(creation.body, stream.consent?.write('out') ?? {}) : creation.body
  return write('create', body, creation.pushed, {})
}
