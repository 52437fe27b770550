import { failureOf } from '../../connectors/connector.ts'
import { newestItem, newItems } from '../../store/inbox.ts'
import { endPlan, openPlan } from '../../store/plans.ts'
import { highestRecordId } from '../../store/records.ts'
import { gatesOf, isOpen, type Gate } from '../approval.ts'
import { holding } from '../hold.ts'
import { nestedSession, targetsOf, type Hub, type Target } from '../hub.ts'
import { rulesFor } from '../../core/mail/rules.ts'
import { matchWaiting } from '../matching/step.ts'
import { observeStream } from '../observe.ts'
import { pushStream } from '../push.ts'
import { rulesInWords } from './mail-words.ts'
import { openPlanning, type Planning } from './planning.ts'
import {
  NO_SUMMARY,
  streamSummaryOf,
  summaryJson,
  type MailSummary,
  type PlanSummary,
  type StreamSummary,
} from './summary.ts'

/** Questions that are stored by title; all are counted. */
const SAMPLES = 20
/** As in a sync: more rounds than systems in a chain of consequences. */
const ROUNDS = 12

export type MadePlan = { readonly id: number; readonly summary: PlanSummary }

class Rollback extends Error {}

/**
 * Works out what syncing these connections would do, and keeps it for a person to approve: the real thing, in one
 * transaction that is rolled back, with a pretended answer to every write. Only the plan itself is stored. Holds the
 * connections and, while it runs, the records it touches. `begun` is told the plan's id at once. A vendor that cannot
 * be read as a whole ends it; what one stream is refused is that stream's own problem, and no part of the plan.
 */
export async function makePlan(
  hub: Hub,
  names: readonly string[],
  by: string,
  begun: (id: number) => void = () => undefined,
): Promise<MadePlan> {
  const connections = [...new Set(names)].toSorted()
  const gates = (await gatesOf(hub)).filter((gate) => connections.includes(gate.connection))
  const shapes = Object.fromEntries(gates.map((gate) => [gate.label, gate.shape]))
  const id = await openPlan(hub.db.beside, { connections, shapes, by }, hub.clock.now())
  begun(id)
  try {
    // In the order of their names, so that two plans cannot wait for each other.
    const summary = await holding(hub, connections, () => rolledBack(hub, [...new Set(names)], id, gates))
    await endPlan(hub.db.beside, id, 'open', summaryJson(summary))
    return { id, summary }
  } catch (error) {
    const failure = failureOf(error)
    const problem = failure?.message ?? 'It could not be worked out; the log has the cause.'
    await endPlan(hub.db.beside, id, 'failed', summaryJson({ ...NO_SUMMARY, problem }))
    throw error
  }
}

async function rolledBack(
  hub: Hub,
  names: readonly string[],
  id: number,
  gates: readonly Gate[],
): Promise<PlanSummary> {
  let summary: PlanSummary | undefined
  try {
    await hub.db.sql.begin(async (tx) => {
      const planning = openPlanning(hub.db.beside, id, await highestRecordId(tx))
      summary = await dryRun(
        { ...hub, session: nestedSession(tx), preview: true, planning },
        planning,
        names,
        gates,
      )
      await planning.end()
      throw new Rollback()
    })
  } catch (error) {
    if (!(error instanceof Rollback)) throw error
  }
  if (summary === undefined) throw new Error('the plan was not made')
  return summary
}

/** As a sync goes through connections: each is read and written, and then all until nothing waits. */
async function dryRun(
  hub: Hub,
  planning: Planning,
  names: readonly string[],
  gates: readonly Gate[],
): Promise<PlanSummary> {
  const q = hub.session.q
  const before = await newestItem(q)
  const problems = new Map<number, string>()
  let waiting = new Set<string>()
  const take = (woken: ReadonlySet<string>) => {
    waiting = waiting.union(woken)
  }
  for (const name of names) {
    for (const target of targetsOf(hub, name)) take(await readOne(hub, planning, target, problems))
    take(await matchWaiting(hub))
    waiting.delete(name)
    take(await pushAll(hub, planning, name))
  }
  for (let round = 0; round < ROUNDS && waiting.size > 0 && !hub.stopping.aborted; round++) {
    const due = [...waiting].filter((name) => names.includes(name))
    waiting = new Set()
    for (const name of due) take(await pushAll(hub, planning, name))
  }
  const streams = names.flatMap((name) =>
    targetsOf(hub, name).map((target): StreamSummary => {
      const waits = isWaiting(hub, gates, target.id)
      return streamSummaryOf(target.label, planning.tally(target.id), {
        waits,
        problem: problems.get(target.id) ?? null,
      })
    }),
  )
  const { counts: questions, samples } = await newItems(q, before, SAMPLES)
  const mail: MailSummary[] = []
  for (const name of names) mail.push(...(await mailOf(hub, name, gates)))
  return { streams, mail, questions, samples: [...samples], problem: null }
}

const isWaiting = (hub: Hub, gates: readonly Gate[], id: number): boolean =>
  hub.configuration.approvals === 'ask' && gates.some((gate) => gate.id === id && !isOpen(gate))

async function readOne(
  hub: Hub,
  planning: Planning,
  target: Target,
  problems: Map<number, string>,
): Promise<ReadonlySet<string>> {
  if (target.stream.direction === 'out' || hub.stopping.aborted) return new Set()
  planning.current = target.id
  try {
    const observed = await observeStream(hub, target, 'changes')
    planning.seen(target.id, observed.seen)
    return observed.woken
  } catch (error) {
    const failure = failureOf(error)
    if (failure?.kind !== 'rejected') throw error
    problems.set(target.id, failure.message)
    return new Set()
  }
}

async function pushAll(hub: Hub, planning: Planning, name: string): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  for (const target of targetsOf(hub, name)) {
    if (target.push === null || hub.stopping.aborted) continue
    planning.current = target.id
    for (const one of (await pushStream(hub, target)).woken) if (one !== name) woken.add(one)
  }
  return woken
}

/** The mailboxes that would be read, and by which rules: what they hold is only read by a sync. */
async function mailOf(hub: Hub, name: string, gates: readonly Gate[]): Promise<readonly MailSummary[]> {
  const target = hub.mails.find((mail) => mail.connection === name)
  const gate = gates.find((one) => one.connection === name && one.kind === 'mail')
  if (target === undefined || gate === undefined) return []
  const waits = isWaiting(hub, gates, gate.id)
  const said = { connection: name, waits, rules: [...rulesInWords(target.config)] }
  try {
    const found = waits ? await target.mail.mailboxes(await hub.io(name)) : []
    const read = found.filter(({ address }) => rulesFor(target.config, address.toLowerCase()) !== null)
    return [{ ...said, mailboxes: read.map(({ address }) => address).toSorted(), problem: null }]
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null || failure.kind === 'auth') throw error
    return [{ ...said, mailboxes: [], problem: failure.message }]
  }
}
