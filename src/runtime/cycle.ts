import { failureOf } from '../connectors/connector.ts'
import { closeItems, openItems } from '../store/inbox.ts'
import { wakeAlarms } from '../store/alert-deliveries.ts'
import { readConnection, setConnectionState } from '../store/connections.ts'
import { recheckConnections } from '../store/mail/sightings.ts'
import { markProcessed, waitingEvents } from '../store/webhook-events.ts'
import { absorb } from './absorb.ts'
import { mayWrite, waitingGates } from './approval.ts'
import { holding } from './hold.ts'
import { reviewRecords } from './governance/review.ts'
import { targetsOf, type Hub, type Target } from './hub.ts'
import { reviewKeys } from './matching/review-keys.ts'
import { matchWaiting, type MatchOptions } from './matching/step.ts'
import { mergesByLikeness } from './matching/thresholds.ts'
import { followMailHints, readMail, type MailPassed } from './mail/pass.ts'
import { reviewMerged } from './merge/review.ts'
import { observeStream, type Observed } from './observe.ts'
import { forgetErasedHints } from './privacy/hints.ts'
import { pushStream } from './push.ts'
import { keepComparisons, reportsFirst, type Compared } from './reconcile.ts'
import { ending, HeldError, openRun } from './run.ts'

/** What a pass over a connection came to. `problem` is for people; the pass is tried again by its schedule. */
export type Passed = {
  readonly connection: string
  readonly seen: number
  readonly sent: number
  readonly held: readonly string[]
  /** Streams, and mail, that may not write before their plan was approved. */
  readonly waits: readonly string[]
  readonly problem: string | null
  /** Connections that have writes waiting now. */
  readonly woken: ReadonlySet<string>
  /** More of the connection's mail waits to be read. */
  readonly mailWaits: boolean
}

/** Whether workers wait to do other work for the connection, or nobody does. */
type Others = 'wait' | 'none'

/**
 * Reads a connection's streams and its mail, then sends what waits for it. One connection is worked on by one process
 * at a time.
 */
export async function syncConnection(
  hub: Hub,
  name: string,
  mode: 'changes' | 'sweep',
  others: Others = 'wait',
): Promise<Passed> {
  return passOver(hub, name, async (targets, pass) => {
    const compared: Compared[] = []
    for (const target of targets) {
      if (target.stream.direction === 'out' || hub.stopping.aborted) continue
      // What it reports by itself is taken in first: the rest of what a comparison finds was missed.
      if (mode === 'sweep' && (await reportsFirst(hub, target))) {
        const { woken } = await readOne(hub, target, 'changes', pass)
        for (const name of woken) pass.woken.add(name)
      }
      const observed = await readOne(hub, target, mode, pass)
      if (observed.compared !== undefined) compared.push(observed.compared)
      pass.seen += observed.seen
      if (observed.held) pass.held.push(target.label)
      for (const woken of observed.woken) pass.woken.add(woken)
    }
    if (!hub.stopping.aborted) addMail(pass, await readMail(hub, name, others))
    await compareNewcomers(hub, pass)
    pass.woken.delete(name)
    await pushAll(hub, targets, pass)
    if (mode === 'sweep' || compared.length > 0) await keepComparisons(hub, targets, compared)
  })
}

/** Reads a connection's mail, for a slice of time. */
export async function mailConnection(hub: Hub, name: string, others: Others = 'wait'): Promise<Passed> {
  return passOver(hub, name, async (targets, pass) => {
    addMail(pass, await readMail(hub, name, others))
    await compareNewcomers(hub, pass, { limit: COMPARED_AT_ONCE })
    if (pass.woken.delete(name)) await pushAll(hub, targets, pass)
  })
}

function addMail(pass: Pass, mail: MailPassed): void {
  pass.seen += mail.seen
  pass.mailWaits ||= mail.waits
  pass.problems.push(...mail.problems)
  for (const woken of mail.woken) pass.woken.add(woken)
}

/** What one stream refuses (a missing audience, a file with another shape) is its own problem; the others go on. */
async function readOne(hub: Hub, target: Target, mode: 'changes' | 'sweep', pass: Pass): Promise<Observed> {
  try {
    return await observeStream(hub, target, mode)
  } catch (error) {
    const failure = failureOf(error)
    if (failure?.kind !== 'rejected') throw error
    pass.problems.push(`${target.label}: ${failure.message}`)
    return { seen: 0, held: false, waits: false, woken: new Set() }
  }
}

/** Sends what waits for a connection. */
export async function pushConnection(hub: Hub, name: string): Promise<Passed> {
  return passOver(hub, name, (targets, pass) => pushAll(hub, targets, pass))
}

const HINTS = 500

/** Fetches what webhooks hinted at, takes it in, and sends what that leaves to this connection itself. */
export async function followHints(hub: Hub, name: string): Promise<Passed> {
  return passOver(hub, name, async (targets, pass) => {
    for (;;) {
      const events = await waitingEvents(hub.session.q, name, HINTS)
      if (events.length === 0 || hub.stopping.aborted) break
      const io = await hub.io(name)
      const hints = events.flatMap((event) => event.hints)
      for (const target of targets) {
        const ids = [...new Set(hints.filter((h) => h.resource === target.stream.resource).map((h) => h.id))]
        if (ids.length === 0 || target.stream.direction === 'out') continue
        // What hints tell of while it waits is found by the pass that follows the approval.
        if (!(await mayWrite(hub, target))) continue
        const run = openRun(hub, target, 'hints')
        try {
          const absorbed = await ending(run, async () =>
            absorb(hub, target, await target.resource.fetch(io, ids), run),
          )
          for (const woken of absorbed.woken) pass.woken.add(woken)
          pass.seen += ids.length
        } catch (error) {
          // What the guard holds waits in the inbox; the next full pass meets it again.
          if (!(error instanceof HeldError)) throw error
          pass.held.push(target.label)
        }
      }
      addMail(pass, await followMailHints(hub, name, hints))
      await forgetErasedHints(hub, targets, hints)
      await markProcessed(
        hub.session.q,
        name,
        events.map((e) => e.eventId),
        hub.clock.now(),
      )
    }
    // A hint is in a hurry: where nothing is merged by likeness, nothing that is sent waits for the comparison.
    const mergesFirst = mergesByLikeness(hub)
    if (mergesFirst) await compareNewcomers(hub, pass, { limit: COMPARED_AT_ONCE })
    if (pass.woken.delete(name)) await pushAll(hub, targets, pass)
    if (!mergesFirst) await compareNewcomers(hub, pass, { limit: COMPARED_AT_ONCE })
  })
}

/** In a pass that others wait for; what is left of the queue is a job of its own. */
const COMPARED_AT_ONCE = 500

async function compareNewcomers(hub: Hub, pass: Pass, options: MatchOptions = {}): Promise<void> {
  for (const woken of await matchWaiting(hub, options)) pass.woken.add(woken)
}

async function pushAll(hub: Hub, targets: readonly Target[], pass: Pass): Promise<void> {
  for (const target of targets) {
    if (target.push === null || hub.stopping.aborted) continue
    const pushed = await pushStream(hub, target)
    pass.sent += pushed.sent
    for (const woken of pushed.woken) if (woken !== target.stream.connection) pass.woken.add(woken)
  }
}

type Pass = {
  seen: number
  sent: number
  readonly held: string[]
  readonly waits: string[]
  readonly problems: string[]
  readonly woken: Set<string>
  mailWaits: boolean
}

async function passOver(
  hub: Hub,
  name: string,
  work: (targets: readonly Target[], pass: Pass) => Promise<void>,
): Promise<Passed> {
  return holding(hub, [name], async () => {
    const pass: Pass = {
      seen: 0,
      sent: 0,
      held: [],
      waits: [],
      problems: [],
      woken: new Set(),
      mailWaits: false,
    }
    const done = (problem: string | null): Passed => {
      const { problems, ...rest } = pass
      return {
        connection: name,
        ...rest,
        problem: problem ?? (problems.length === 0 ? null : problems.join('; ')),
      }
    }
    const connection = await readConnection(hub.session.q, name)
    if (connection === undefined)
      return done(`no connection is called ${name}. Fix: \`concord connections add ${name}\`.`)
    if (connection.state === 'paused') return done(`${name} is paused`)
    if (connection.state === 'unauthorised') return done(connection.problem)
    const wait = connection.notBefore
    if (wait !== null && wait > hub.clock.now()) {
      return done(`${name} asked to be left alone until ${new Date(wait).toISOString()}`)
    }
    try {
      pass.waits.push(...(await waitingGates(hub, name)).map((gate) => gate.label))
      await work(targetsOf(hub, name), pass)
      return done(null)
    } catch (error) {
      const failure = failureOf(error)
      if (failure === null) throw error
      if (failure.kind === 'auth') await refuse(hub, name, failure.message)
      hub.log.warn({ connection: name, failure: failure.kind }, failure.message)
      return done(failure.message)
    }
  })
}

const connectionKey = (name: string): string => `connection:${name}`

/** Credentials that the vendor refuses stop the connection until a person gives new ones. */
async function refuse(hub: Hub, name: string, message: string): Promise<void> {
  await setConnectionState(hub.db.sql, name, 'unauthorised', message)
  await openItems(
    hub.db.sql,
    [
      {
        kind: 'connection',
        key: connectionKey(name),
        title: `${name} refuses its credentials: ${message}`,
        fix: `Nothing is read from or sent to ${name} until it has new ones: \`concord connections add ${name}\`.`,
        detail: { connection: name, message },
        streamId: null,
        recordId: null,
      },
    ],
    hub.clock.now(),
  )
}

export async function connectionRestored(hub: Hub, name: string): Promise<void> {
  await closeItems(hub.db.sql, [connectionKey(name)], 'new credentials work', hub.clock.now())
  await wakeAlarms(hub.db.sql)
}

/** More rounds than systems in a chain of consequences; a hub that is still busy then is left to its workers. */
const ROUNDS = 12

/** Reads every named connection, all of its mail too, then sends until all agree. */
export async function syncAll(
  hub: Hub,
  names: readonly string[],
  mode: 'changes' | 'sweep',
): Promise<readonly Passed[]> {
  await reviewRecords(hub)
  await reviewMerged(hub)
  await reviewKeys(hub)
  const passed: Passed[] = []
  let waiting = new Set<string>()
  const take = (pass: Passed): Passed => {
    passed.push(pass)
    waiting = waiting.union(pass.woken)
    return pass
  }
  // A mailbox with a problem waits for the next sync; the others are read to their end.
  const goesOn = (pass: Passed) => pass.mailWaits && !hub.stopping.aborted
  for (const name of names) {
    let pass = take(await syncConnection(hub, name, mode, 'none'))
    waiting.delete(name)
    while (goesOn(pass)) pass = take(await mailConnection(hub, name, 'none'))
  }
  // Contacts that came later than the mail they are in.
  for (let round = 0; round < ROUNDS && hub.mails.length > 0 && !hub.stopping.aborted; round++) {
    const due = (await recheckConnections(hub.session.q)).filter((name) => names.includes(name))
    const passes: Passed[] = []
    for (const name of due) passes.push(take(await mailConnection(hub, name, 'none')))
    if (passes.every((pass) => pass.seen === 0)) break
  }
  for (const woken of await matchWaiting(hub)) waiting.add(woken)
  for (let round = 0; round < ROUNDS && waiting.size > 0 && !hub.stopping.aborted; round++) {
    const due = [...waiting].filter((name) => names.includes(name))
    waiting = new Set()
    for (const name of due) {
      const pass = await pushConnection(hub, name)
      passed.push(pass)
      waiting = waiting.union(pass.woken)
    }
  }
  return passed
}
