import { listMailboxes } from '../../store/mail/mailboxes.ts'
import { storeEvent } from '../../store/webhook-events.ts'
import { wakeHints } from '../../store/wake.ts'
import type { Hub, MailTarget } from '../hub.ts'
import { boxOf, type Box } from './box.ts'

export type Listeners = { stop(): Promise<void> }

const LOOK_MS = 60_000
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 300_000
/** A session that held this long was a good one: the next failure starts from the first wait again. */
const GOOD_MS = 60_000

/**
 * Keeps a session open for every mailbox whose connector has one, in one of the processes that share the database. A
 * change it tells of is a hint like a webhook's. Sessions that break are opened again after a growing wait; polling
 * goes on beside them.
 */
export function openListeners(hub: Hub): Listeners {
  const targets = hub.mails.filter((target) => target.mail.listen !== undefined)
  const ending = new AbortController()
  const signal = AbortSignal.any([hub.stopping, ending.signal])
  const work = targets.length === 0 ? Promise.resolve() : supervise(hub, targets, signal)
  return {
    async stop() {
      ending.abort()
      await work
    },
  }
}

async function supervise(hub: Hub, targets: readonly MailTarget[], signal: AbortSignal): Promise<void> {
  const running = new Map<number, { readonly ending: AbortController; readonly done: Promise<void> }>()
  const session = await hub.db.locks.reserve()
  try {
    let isOurs = false
    while (!signal.aborted) {
      try {
        if (!isOurs) {
          const [lock] = await session<{ got: boolean }[]>`
            select pg_try_advisory_lock(hashtextextended('concord mail listeners', 0)) as got`
          isOurs = lock?.got === true
        }
        if (isOurs) await keepRunning(hub, targets, running, signal)
      } catch (error) {
        hub.log.warn(error, 'mailboxes to listen to could not be looked up')
      }
      await pause(hub, LOOK_MS, signal)
    }
    if (isOurs) await session`select pg_advisory_unlock(hashtextextended('concord mail listeners', 0))`
  } finally {
    for (const { ending } of running.values()) ending.abort()
    await Promise.all([...running.values()].map(({ done }) => done))
    session.release()
  }
}

async function keepRunning(
  hub: Hub,
  targets: readonly MailTarget[],
  running: Map<number, { readonly ending: AbortController; readonly done: Promise<void> }>,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map<number, { readonly target: MailTarget; readonly box: Box }>()
  for (const row of await listMailboxes(hub.db.sql)) {
    const target = targets.find((one) => one.connection === row.connection)
    const box = target === undefined ? null : boxOf(target, row)
    if (target !== undefined && box !== null) wanted.set(row.id, { target, box })
  }
  for (const [id, { ending }] of running)
    if (!wanted.has(id)) {
      ending.abort()
      running.delete(id)
    }
  for (const [id, { target, box }] of wanted) {
    if (running.has(id)) continue
    const ending = new AbortController()
    const done = listenOn(hub, target, box, AbortSignal.any([signal, ending.signal]))
    running.set(id, { ending, done })
  }
}

async function listenOn(hub: Hub, target: MailTarget, box: Box, signal: AbortSignal): Promise<void> {
  let waitMs = FIRST_WAIT_MS
  while (!signal.aborted) {
    const startedAt = hub.clock.now()
    try {
      const io = await hub.io(box.connection)
      await target.mail.listen?.(io, box.mailbox, () => void hint(hub, box), signal)
    } catch (error) {
      if (signal.aborted) return
      const message = error instanceof Error ? error.message : String(error)
      hub.log.warn({ mailbox: box.label }, `listening broke off: ${message}`)
    }
    if (hub.clock.now() - startedAt > GOOD_MS) waitMs = FIRST_WAIT_MS
    await pause(hub, waitMs * (0.5 + hub.random() / 2), signal)
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  }
}

async function hint(hub: Hub, { connection, mailbox }: Box): Promise<void> {
  try {
    await hub.db.sql.begin(async (tx) => {
      const hints = [{ resource: 'mail', id: mailbox.id }]
      await storeEvent(tx, connection, `listen-${hub.uuid()}`, hints, hub.clock.now())
      await wakeHints(tx, connection)
    })
  } catch (error) {
    // The next poll finds the mail all the same.
    hub.log.warn(error, 'a change of a mailbox could not be taken down')
  }
}

async function pause(hub: Hub, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await hub.clock.sleep(ms, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
