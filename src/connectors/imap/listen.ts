import type { Mailbox } from '../../core/mail/message.ts'
import { type Io, VendorError } from '../connector.ts'
import { connect, examine } from './session.ts'

/** What comes at once (a folder emptied) is told of once. */
const TOGETHER_MS = 100
/** An IDLE that ends by itself within this was refused. */
const REFUSED_MS = 1_000

/**
 * IDLE (RFC 2177) on the INBOX, on a session of its own; without IDLE the server is asked every two minutes. imapflow
 * begins it anew before a server would log the session out. Other folders are left to polling.
 */
export async function listen(
  io: Io,
  _mailbox: Mailbox,
  changed: () => void,
  stop: AbortSignal,
): Promise<void> {
  if (stop.aborted) return
  const session = await connect(io, true)
  const { client } = session
  let timer: NodeJS.Timeout | undefined
  const note = () => {
    timer ??= setTimeout(() => {
      timer = undefined
      changed()
    }, TOGETHER_MS)
  }
  const close = () => client.close()
  const ended = new Promise<void>((resolve) => client.once('close', resolve))
  stop.addEventListener('abort', close)
  try {
    if (!stop.aborted) await examine(session, 'INBOX')
    client.on('exists', note)
    client.on('expunge', note)
    client.on('flags', note)
    // What came while nobody listened.
    note()
    while (client.usable && !stop.aborted) {
      const began = performance.now()
      await Promise.race([client.idle(), ended])
      if (client.usable && performance.now() - began < REFUSED_MS)
        throw new VendorError({ kind: 'unavailable', committed: 'no', message: 'The server refuses IDLE.' })
    }
    if (!stop.aborted)
      throw new VendorError({
        kind: 'unavailable',
        committed: 'no',
        message: `The connection to ${session.account.host} broke.`,
      })
  } catch (error) {
    if (!stop.aborted) throw error
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', close)
    client.close()
  }
}
