import type { Connector, Io } from '../../../src/connectors/connector.ts'
import type { Mail, MailAsk, MailPage, Sighting } from '../../../src/connectors/mail.ts'
import type { Envelope, MailMessage, Sighted } from '../../../src/core/mail/message.ts'
import { pigeons } from './mail-connector.ts'
import { part } from './wreck.ts'

export const mail = part(pigeons.mail)
export const notices = part(pigeons.webhooks)

export const withMail = (over: Partial<Mail>): Connector => ({ ...pigeons, mail: { ...mail, ...over } })

export const pagedMail = (change: (page: MailPage, ask: MailAsk) => MailPage | Promise<MailPage>) =>
  withMail({ pull: async (io, mailbox, from, ask) => change(await mail.pull(io, mailbox, from, ask), ask) })

/** Every message another one, whoever asks for it. */
export const sightedAs = (change: (sighted: Sighted, sighting: Sighting) => Sighted | 'gone') => {
  const changed = (one: Sighting): Sighting => {
    if (one.kind === 'gone') return one
    const sighted = change(one.sighted, one)
    return sighted === 'gone' ? { kind: 'gone', id: one.id } : { ...one, sighted }
  }
  return withMail({
    async pull(io, mailbox, from, ask) {
      const page = await mail.pull(io, mailbox, from, ask)
      return { ...page, sightings: page.sightings.map(changed) }
    },
    async fetch(io, mailbox, ids) {
      const found = await mail.fetch(io, mailbox, ids)
      return { ...found, sightings: found.sightings.map(changed) }
    },
  })
}
export const worded = (change: (message: MailMessage) => Partial<MailMessage>) =>
  sightedAs((sighted) => ({ ...sighted, message: { ...sighted.message, ...change(sighted.message) } }))
export const addressed = (change: (envelope: Envelope) => Partial<Envelope>) =>
  worded(({ envelope }) => ({ envelope: { ...envelope, ...change(envelope) } }))

/** Everything sent in another way. */
export const sending = (change: (io: Io) => Io['fetch']) => {
  const other = (io: Io): Io => ({ ...io, fetch: change(io) })
  return withMail({
    pull: (io, mailbox, from, ask) => mail.pull(other(io), mailbox, from, ask),
    fetch: (io, mailbox, ids) => mail.fetch(other(io), mailbox, ids),
  })
}
