import type { ConsentState } from '../core/consent.ts'
import { unreachable, type JsonObject } from '../core/json.ts'
import { planLink, rebase, type Base } from '../core/plan.ts'
import type { HubRecord, RecordId } from '../core/model.ts'
import type { Observation, Outcome } from '../connectors/connector.ts'
import { closeItems, openItems, type NewItem } from '../store/inbox.ts'
import {
  glance,
  postponeLinks,
  settleLinks,
  updateLinks,
  type Link,
  type LinkUpdate,
  type Settlement,
} from '../store/links.ts'
import { closeWrites, type NewOutboxRow, type OutboxRow, type OutboxState } from '../store/outbox.ts'
import { absorb } from './absorb.ts'
import { duplicateItem } from './duplicates.ts'
import type { Hub, Target } from './hub.ts'
import { rejectedKey, rejectedKeys, uncertainKey } from './item-keys.ts'
import { linksById } from './link-lookup.ts'
import { cutMeanwhile, isCut, keepErased } from './privacy/cut.ts'
import { withRaces } from './races.ts'
import { resolveRefs } from './refs.ts'
import type { RunLog } from './run.ts'

export type Answered = {
  readonly row: NewOutboxRow | OutboxRow
  readonly base: Base
  readonly outcome: Outcome
}

/** Waiting time before the n-th repeat: 2 s doubling to an hour. */
export function backoffMs(attempts: number): number {
  return Math.min(3_600_000, 2_000 * 2 ** Math.min(attempts, 20))
}
const STALE_TRIES = 3

/** What one page of outcomes makes of links, outbox and inbox; gathered first, written in one transaction. */
type Ledger = {
  /** Which link each answered object belonged to before. */
  readonly owners: Map<string, number>
  /** The records of links. */
  readonly records: ReadonlyMap<number, RecordId>
  readonly updates: LinkUpdate[]
  readonly settled: Settlement[]
  readonly postponed: Parameters<typeof postponeLinks>[1][number][]
  readonly closed: { key: string; state: OutboxState; outcome: JsonObject }[]
  readonly items: NewItem[]
  readonly closable: string[]
  /** Answers that show more than what was sent: somebody edited the object meanwhile. */
  readonly surprises: Observation[]
  readonly refetch: string[]
}

/**
 * Keeps the outcomes of a batch in one transaction: the returned object becomes the new base. What the answers show
 * beyond that (an edit made meanwhile) is absorbed after it. Returns the connections that have work now.
 */
export async function keepOutcomes(
  hub: Hub,
  target: Target,
  answered: readonly Answered[],
  run: RunLog,
): Promise<ReadonlySet<string>> {
  const now = hub.clock.now()
  const links = await linksById(
    hub.session.q,
    answered.map((a) => a.row.linkId),
  )
  const bodies = answered.flatMap(({ outcome }) =>
    outcome.kind === 'applied' && outcome.observation.kind === 'present' ? [outcome.observation.body] : [],
  )
  const refs = await resolveRefs(
    hub,
    hub.session.q,
    target,
    bodies,
    answered.map((a) => a.row.sent),
  )
  const lenses = target.stream.lenses(refs)
  const objects = await glance(
    hub.session.q,
    target.id,
    // An update is answered with the object that the link has already.
    answered.flatMap(({ row, outcome }) =>
      outcome.kind === 'applied' && outcome.observation.id !== links.get(row.linkId)?.remoteId
        ? [outcome.observation.id]
        : [],
    ),
  )
  const owners = new Map(objects.map(({ remoteId, id }) => [remoteId, id]))
  const holders = await linksById(
    hub.session.q,
    objects.map(({ id }) => id),
  )
  const ledger: Ledger = {
    owners,
    records: new Map([...holders.values(), ...links.values()].map((link) => [link.id, link.recordId])),
    updates: [],
    settled: [],
    postponed: [],
    closed: [],
    items: [],
    closable: [],
    surprises: [],
    refetch: [],
  }
  const erased: Answered[] = []
  for (const answer of answered) {
    const link = links.get(answer.row.linkId)
    if (link === undefined) continue
    if (isCut(link)) {
      erased.push(answer)
      continue
    }
    enter(ledger, target, answer, link, lenses, now)
    run.count({ [answer.outcome.kind]: 1 })
  }
  const kept = await withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      if (await cutMeanwhile(tx, links)) return 'again' as const
      await keepErased(hub, tx, target, erased)
      await updateLinks(tx, ledger.updates)
      await settleLinks(tx, ledger.settled)
      await postponeLinks(tx, ledger.postponed)
      await closeWrites(tx, ledger.closed, now)
      await openItems(tx, ledger.items, now)
      await closeItems(tx, ledger.closable, 'its outcome is known', now)
      return 'kept' as const
    }),
  )
  // Erased while its answer was on its way: nothing of it may be written any more.
  if (kept === 'again') return keepOutcomes(hub, target, answered, run)
  const again = [...ledger.surprises]
  if (ledger.refetch.length > 0) {
    again.push(...(await target.resource.fetch(await hub.io(target.stream.connection), ledger.refetch)))
  }
  const woken =
    again.length === 0
      ? new Set<string>()
      : new Set((await absorb(hub, target, again, run, { force: true })).woken)
  // A linked object may be what another stream of the connection waits for.
  if (answered.some((a) => a.row.op === 'create')) woken.add(target.stream.connection)
  return woken
}

function enter(
  ledger: Ledger,
  target: Target,
  { row, base, outcome }: Answered,
  link: Link,
  lenses: ReturnType<Target['stream']['lenses']>,
  now: number,
): void {
  const close = (state: OutboxState, detail: JsonObject) =>
    ledger.closed.push({ key: row.key, state, outcome: detail })
  const back = row.op === 'create' ? ({ state: 'pending' } as const) : {}
  switch (outcome.kind) {
    case 'applied': {
      const { observation } = outcome
      close('applied', { id: observation.id })
      ledger.closable.push(uncertainKey(row), rejectedKey(row))
      if (row.op === 'archive' || row.op === 'update') ledger.closable.push(...rejectedKeys(link.id))
      if (observation.kind === 'absent') {
        ledger.updates.push({ ...link, state: 'gone', wake: 0 })
        ledger.settled.push({ id: link.id, wake: row.wake })
        return
      }
      if ((ledger.owners.get(observation.id) ?? link.id) !== link.id) {
        noteTaken(ledger, target, row, observation)
        return
      }
      ledger.owners.set(observation.id, link.id)
      const reading = target.stream.consent?.read(observation.body) ?? null
      const stated = reading?.state ?? null
      const expected = expectedConsent(row, link)
      const before = link.observed === null ? null : (target.stream.consent?.read(link.observed) ?? null)
      // Whoever has left is out under the address that we gave the object, too.
      const isMoved = before !== null && reading?.state === 'out' && reading.address !== before.address
      const surprising = isMoved || (stated !== null && stated !== expected && stated !== 'unknown')
      const next: LinkUpdate = {
        id: link.id,
        remoteId: observation.id,
        state: 'linked',
        observed: observation.body,
        version: observation.version,
        modifiedAt: observation.modifiedAt,
        base: rebase(lenses, base, row.pushed, row.sent, observation.body),
        consent: isMoved ? null : surprising ? link.consent : stated,
        unresolved: false,
        wake: 0,
      }
      ledger.updates.push(next)
      // After an opt-out the profile is still to be compared.
      if (row.op !== 'consent') ledger.settled.push({ id: link.id, wake: row.wake })
      const sent: HubRecord = {
        id: row.recordId,
        kind: target.stream.record,
        version: 0,
        fields: row.sent,
        provenance: {},
        archived: false,
      }
      const plan = planLink(
        lenses,
        sent,
        { body: observation.body, modifiedAt: null },
        next.base,
        target.stream.connection,
      )
      if (surprising || Object.keys(plan.hub).length > 0 || plan.asks.length > 0)
        ledger.surprises.push(observation)
      return
    }
    case 'stale':
      close('stale', {})
      ledger.closable.push(uncertainKey(row))
      if (link.remoteId !== null) ledger.refetch.push(link.remoteId)
      ledger.postponed.push({
        id: link.id,
        notBefore: link.attempts < STALE_TRIES ? now : now + backoffMs(link.attempts),
        problem: 'the object changed at the remote meanwhile',
        ...back,
      })
      return
    case 'rejected':
      close('rejected', { code: outcome.code, field: outcome.field, message: outcome.message })
      ledger.settled.push({ id: link.id, wake: row.wake, problem: outcome.message, ...back })
      ledger.closable.push(uncertainKey(row))
      ledger.items.push({
        kind: 'rejected_write',
        key: rejectedKey(row),
        title: `${target.label} refused ${row.op === 'consent' ? 'the opt-out' : `to ${row.op}`} ${target.stream.record} ${row.recordId}: ${outcome.message}`,
        fix: `${outcome.field === null ? 'Correct the record' : `Correct ${outcome.field}`} in the hub or at the source; it is sent again when the record changes, or with \`concord inbox retry ID\`.`,
        detail: { link: link.id, op: row.op, code: outcome.code, field: outcome.field, sent: row.body },
        streamId: target.id,
        recordId: row.recordId,
      })
      return
    case 'retry':
      close('retry', { message: outcome.message })
      ledger.closable.push(uncertainKey(row))
      ledger.postponed.push({
        id: link.id,
        notBefore: outcome.at ?? now + backoffMs(link.attempts),
        problem: outcome.message,
        ...back,
      })
      return
    case 'uncertain':
      close('uncertain', { message: outcome.message })
      if (row.op !== 'create') {
        ledger.postponed.push({
          id: link.id,
          notBefore: now + backoffMs(link.attempts),
          problem: outcome.message,
        })
      }
      ledger.items.push({
        kind: 'uncertain_outcome',
        key: uncertainKey(row),
        title: `Nobody knows yet whether ${target.label} carried out a ${row.op} of ${target.stream.record} ${row.recordId}`,
        fix: 'Nothing to do: it is looked up at the next sync, and never sent twice. Stays open only while the vendor cannot be reached.',
        detail: { link: link.id, op: row.op, key: row.key, message: outcome.message },
        streamId: target.id,
        recordId: row.recordId,
      })
      return
    default:
      unreachable(outcome)
  }
}

/** The remote took two records for one: the object stays with the record that had it first, which hears what it says now. */
function noteTaken(
  ledger: Ledger,
  target: Target,
  row: NewOutboxRow | OutboxRow,
  observation: Extract<Observation, { kind: 'present' }>,
): void {
  const problem = `${target.label} has ${observation.id} for another ${target.stream.record} already`
  ledger.settled.push({ id: row.linkId, wake: row.wake, state: 'filtered', problem })
  ledger.surprises.push(observation)
  const other = ledger.records.get(ledger.owners.get(observation.id) ?? 0)
  if (other === undefined || other === row.recordId) return
  const kind = target.stream.record
  ledger.items.push(
    duplicateItem(kind, [row.recordId, other], {
      title: `${target.label} takes ${kind} ${row.recordId} for ${observation.id}, which is linked to ${kind} ${other}`,
      evidence: `one object at ${target.label}: ${observation.id}`,
      streamId: target.id,
    }),
  )
}

function expectedConsent(row: NewOutboxRow | OutboxRow, link: Link): ConsentState | null {
  return row.op === 'consent' || row.op === 'create' ? row.consent : link.consent
}
