import { ImapFlow } from 'imapflow'
import { type Failure, failureOf, type Io } from '../../src/connectors/connector.ts'
import { imap } from '../../src/connectors/imap/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Mailbox, Sighted } from '../../src/core/mail/message.ts'
import { type Reader, readerOf } from './reader.ts'
import { compose, type Letter, letter, person } from '../../src/sandbox/mail/letter.ts'

export const DAY = 86_400_000

export const mail = (() => {
  if (imap.mail === undefined) throw new Error('no mail')
  return imap.mail
})()

export type Access = {
  readonly settings: JsonObject
  readonly password?: string
  readonly token?: () => Promise<string>
  readonly now?: () => number
  readonly stopping?: AbortSignal
}

export function ioFor(access: Access): Io {
  const io: Io = {
    fetch: () => Promise.reject(new Error('nothing is asked by HTTP')),
    now: access.now ?? Date.now,
    secrets: access.password === undefined ? {} : { password: access.password },
    settings: access.settings,
    as: () => io,
    token: access.token ?? (() => Promise.reject(new Error('no token is asked for'))),
    ...(access.stopping === undefined ? {} : { stopping: access.stopping }),
  }
  return io
}

export async function failure(promise: Promise<unknown>): Promise<Failure | null> {
  try {
    await promise
    return null
  } catch (error) {
    const found = failureOf(error)
    if (found === null) throw error
    return found
  }
}

export type Hub = Reader & {
  /** Everything there is to read. */
  settle(): Promise<void>
  /** Messages that are there, by subject. */
  subjects(): readonly string[]
  bySubject(subject: string): Sighted
}

export function hubOf(io: Io, mailbox: Mailbox): Hub {
  const reader = readerOf(mail, io, mailbox)
  // Its ids may come back: what is gone is no longer known.
  reader.knows = (id) => reader.read.get(id)?.kind === 'message'
  const hub: Hub = Object.assign(reader, {
    async settle() {
      do {
        await hub.drain('live')
        await hub.drain('backfill')
        await hub.drain('live')
      } while (hub.pages.at(-1)?.backfill.kind !== 'done')
    },
    subjects: () =>
      [...hub.read.values()]
        .flatMap((one) => (one.kind === 'message' ? [one.sighted.message.subject ?? ''] : []))
        .toSorted(),
    bySubject(subject: string) {
      const found = [...hub.read.values()].filter(
        (one) => one.kind === 'message' && one.sighted.message.subject === subject,
      )
      const [one] = found
      if (found.length !== 1 || one?.kind !== 'message')
        throw new Error(`${found.length} messages "${subject}"`)
      return one.sighted
    },
  })
  return hub
}

export const gone = (hub: Hub): number => [...hub.read.values()].filter(({ kind }) => kind === 'gone').length

/** A person's own mail program. */
export type Person = {
  readonly address: string
  readonly client: ImapFlow
  append(folder: string, subject: string, more?: Partial<Letter> & Appended): Promise<number>
  raw(folder: string, source: string | Buffer, more?: Appended): Promise<number>
  /** Opens the folder, and does something in it. */
  within<T>(folder: string, act: (client: ImapFlow) => Promise<T>): Promise<T>
}
type Appended = { readonly flags?: readonly string[]; readonly at?: number }

export async function signIn(port: number, address: string): Promise<Person> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: address, pass: 'secret' },
    logger: false,
    disableAutoIdle: true,
  })
  client.on('error', () => undefined)
  await client.connect()
  let count = 0
  const made: Person = {
    address,
    client,
    async append(folder, subject, { flags, at, ...fields } = {}) {
      count += 1
      const text = await compose(
        letter({
          from: person('jo@customer.example', 'Jo Wu'),
          to: [person(address)],
          subject,
          date: at ?? Date.UTC(2026, 4, 1, 9, count % 60),
          messageId: `${address}-${count}@customer.example`,
          text: `Hello, ${subject}`,
          ...fields,
        }),
      )
      return made.raw(folder, text, { ...(flags && { flags }), ...(at !== undefined && { at }) })
    },
    async raw(folder, source, { flags = [], at } = {}) {
      const done = await client.append(
        folder,
        source,
        [...flags],
        at === undefined ? undefined : new Date(at),
      )
      if (done === false || done.uid === undefined) throw new Error(`not appended to ${folder}`)
      return done.uid
    },
    async within(folder, act) {
      await client.mailboxOpen(folder)
      return act(client)
    },
  }
  return made
}

export function plainSettings(port: number, user: string): JsonObject {
  return { host: '127.0.0.1', port, security: 'none', user }
}

export function mailboxAt(address: string): Mailbox {
  return { id: address, address, addresses: [address] }
}
