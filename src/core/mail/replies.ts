import type { Instant } from '../json.ts'

/** One logged message of a contact or deal. `thread` is any name of its thread. */
export type Exchange<Thread> = {
  readonly thread: Thread
  readonly at: Instant
  readonly direction: 'sent' | 'received'
}

/** The derived fields of the same names; null where there is nothing to tell. */
export type ReplyFacts = {
  /** When we last wrote. */
  readonly lastContactedAt: Instant | null
  /** When they last wrote. */
  readonly lastRepliedAt: Instant | null
  readonly firstResponseMinutes: number | null
}

/**
 * What the mail of one contact (or deal) says, from all of its logged messages in any order.
 *
 * `firstResponseMinutes`: of the earliest thread that they began, the whole minutes from their first message to our
 * first one after it; null until we answered. A thread that we began is no request to be answered. In SQL: per thread
 * min(at) by direction; the thread with the least received minimum that no sent one precedes; then the least later sent.
 */
export function replyFacts<Thread>(messages: readonly Exchange<Thread>[]): ReplyFacts {
  const times = (direction: 'sent' | 'received') =>
    messages.filter((message) => message.direction === direction).map(({ at }) => at)
  return {
    lastContactedAt: latest(times('sent')),
    lastRepliedAt: latest(times('received')),
    firstResponseMinutes: firstResponse(messages),
  }
}

function firstResponse<Thread>(messages: readonly Exchange<Thread>[]): number | null {
  const asked = new Map<Thread, Instant>()
  const written = new Map<Thread, Instant>()
  for (const { thread, at, direction } of messages) {
    const first = direction === 'received' ? asked : written
    first.set(thread, Math.min(at, first.get(thread) ?? at))
  }
  let earliest: { thread: Thread; at: Instant } | null = null
  for (const [thread, at] of asked)
    if ((written.get(thread) ?? at) >= at && (earliest === null || at < earliest.at))
      earliest = { thread, at }
  if (earliest === null) return null
  const { thread, at: askedAt } = earliest
  const answers = messages.filter(
    (message) => message.thread === thread && message.direction === 'sent' && message.at >= askedAt,
  )
  const answeredAt = answers.reduce<Instant | null>(
    (least, { at }) => (least === null ? at : Math.min(least, at)),
    null,
  )
  return answeredAt === null ? null : Math.floor((answeredAt - askedAt) / 60_000)
}

const latest = (times: readonly Instant[]): Instant | null =>
  times.reduce<Instant | null>((last, at) => (last === null ? at : Math.max(last, at)), null)

/** What of a deal says whether its next step is late; dates are YYYY-MM-DD. */
export type Step = {
  readonly isOpen: boolean
  readonly nextStep: string | null
  readonly nextStepDue: string | null
}

/**
 * `nextStepOverdueSince`: the earliest day on which a next step was due and passed, over one deal or all of a contact's;
 * null where none is late. `today` is a date in the company's time zone: what is due today is not late.
 */
export function overdueSince(steps: readonly Step[], today: string): string | null {
  const late = steps
    .filter((step) => step.isOpen && (step.nextStep ?? '').trim() !== '')
    .map((step) => step.nextStepDue)
    .filter((due) => due !== null)
    .filter((due) => due < today)
  return late.toSorted()[0] ?? null
}
