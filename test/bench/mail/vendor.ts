import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { opened, type Opened, type Order, posted } from './wire.ts'

const CHILD = path.join(import.meta.dirname, 'vendor-child.ts')

export type MailVendor = Opened & {
  order(what: Order): void
  /** Called as each notification leaves, with when by `wallNow`. */
  onPosted(listener: (mailbox: string, at: number) => void): void
  close(): Promise<void>
}

/** Google in another process, with so many messages by mailbox: its memory and most of its work are not the hub's. */
export async function openMailVendor(held: Readonly<Record<string, number>>): Promise<MailVendor> {
  const child = fork(CHILD, [JSON.stringify(held)])
  let listener = (_mailbox: string, _at: number): void => undefined
  const ready = Promise.withResolvers<Opened>()
  child.once('exit', (code) => ready.reject(new Error(`the vendor's process ended with ${code}`)))
  child.on('message', (message) => {
    const first = opened.safeParse(message)
    if (first.success) return ready.resolve(first.data)
    const { mailbox, at } = posted.parse(message)
    listener(mailbox, at)
  })
  return {
    ...(await ready.promise),
    order: (what) => void child.send(what),
    onPosted(told) {
      listener = told
    },
    async close() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
