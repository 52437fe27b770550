import { VendorError } from '../../../src/connectors/connector.ts'
import { addressed, mail, pagedMail, sightedAs, withMail, worded } from './wreck-mail.ts'
import type { Sabotages } from './wreck.ts'

export const WRECKED_MAIL_MESSAGES: Sabotages = [
  [
    'labels by the vendor’s ids',
    'a label or folder that is given is sighted with its name, and taken away, without it',
    () =>
      sightedAs((sighted) => ({ ...sighted, labels: sighted.labels?.map((_, i) => `Label_${i}`) ?? null })),
  ],
  [
    'a label that is never taken away',
    'a label or folder that is given is sighted with its name, and taken away, without it',
    () => {
      const labels = new Map<string, readonly string[]>()
      return sightedAs((sighted, { id }) => {
        const all = [...new Set([...(labels.get(id) ?? []), ...(sighted.labels ?? [])])]
        labels.set(id, all)
        return { ...sighted, labels: all }
      })
    },
  ],
  [
    'a move that is a delete',
    'a message that was moved or labelled is not gone',
    () =>
      pagedMail((page) => ({
        ...page,
        sightings: page.sightings.flatMap((one) =>
          one.kind === 'message' && (one.sighted.labels?.length ?? 0) > 0
            ? [{ kind: 'gone' as const, id: one.id }, one]
            : [one],
        ),
      })),
  ],
  [
    'names of labels that are kept for ever',
    'a label or folder with another name shows in the messages that it has',
    () => {
      const names = new Map<string, readonly string[]>()
      return sightedAs((sighted, { id }) => {
        const labels = names.get(id) ?? sighted.labels ?? []
        if (labels.length > 0) names.set(id, labels)
        return { ...sighted, labels }
      })
    },
  ],
  [
    'the trash as any folder',
    'flags tell what was sent, and what lies in the spam and in the trash',
    () => sightedAs((sighted) => ({ ...sighted, flags: sighted.flags.filter((flag) => flag !== 'trash') })),
  ],
  [
    'what was sent as if it had come in',
    'flags tell what was sent, and what lies in the spam and in the trash',
    () => sightedAs((sighted) => ({ ...sighted, flags: sighted.flags.filter((flag) => flag !== 'sent') })),
  ],
  [
    'drafts as mail',
    'a draft is flagged as one',
    () => sightedAs((sighted) => ({ ...sighted, flags: sighted.flags.filter((flag) => flag !== 'draft') })),
  ],
  [
    'the trash for nothing',
    'mail that is put into the trash or the spam is sighted there, and is not gone',
    () => sightedAs((sighted) => (sighted.flags.includes('trash') ? 'gone' : sighted)),
  ],
  [
    'deletes that only a fetch tells',
    'what is deleted for good is gone, and nothing else is',
    () =>
      pagedMail((page) => ({ ...page, sightings: page.sightings.filter((one) => one.kind === 'message') })),
  ],
  [
    'a fetch of what is asked twice',
    'fetch shows each message as a pull does, once',
    () =>
      withMail({
        async fetch(io, mailbox, ids) {
          const found = await Promise.all(ids.map((id) => mail.fetch(io, mailbox, [id])))
          return { sightings: found.flatMap((one) => one.sightings), bad: [] }
        },
      }),
  ],
  [
    'a fetch without texts',
    'fetch shows each message as a pull does, once',
    () =>
      withMail({
        async fetch(io, mailbox, ids) {
          const { sightings, bad } = await mail.fetch(io, mailbox, ids)
          const bare = sightings.map((one) =>
            one.kind === 'gone'
              ? one
              : { ...one, sighted: { ...one.sighted, message: { ...one.sighted.message, text: null } } },
          )
          return { sightings: bare, bad }
        },
      }),
  ],
  [
    'an unknown id that stops the others',
    'an unknown id is gone, not an error',
    () =>
      withMail({
        async fetch(io, mailbox, ids) {
          const found = await mail.fetch(io, mailbox, ids)
          if (found.sightings.every((one) => one.kind === 'message')) return found
          throw new VendorError({ kind: 'missing', message: 'No such letter.' })
        },
      }),
  ],
  [
    'bad messages that are passed over',
    'a message that cannot be read is bad, by its id, and the others are read',
    () => pagedMail((page) => ({ ...page, bad: [] })),
  ],
  [
    'a bad message that nobody can name',
    'a message that cannot be read is bad, by its id, and the others are read',
    () => pagedMail((page) => ({ ...page, bad: page.bad.map((row) => ({ ...row, id: null })) })),
  ],
  [
    'people without names',
    'the envelope says who wrote to whom, with their names',
    () => addressed(({ from }) => ({ from: from.map((one) => ({ ...one, name: null })) })),
  ],
  [
    'references newest first',
    'the envelope says in which thread: Message-ID, In-Reply-To and References',
    () => addressed(({ references }) => ({ references: references.toReversed() })),
  ],
  [
    'ids in brackets',
    'the envelope says in which thread: Message-ID, In-Reply-To and References',
    () => addressed(({ messageId }) => ({ messageId: `<${messageId}>` })),
  ],
  [
    'one time for both',
    'the envelope has both times: of the Date header, and of the mailbox',
    () => addressed(({ sentAt, at }) => ({ at: sentAt ?? at })),
  ],
  [
    'no Bcc',
    'mail that was sent shows whom it went to in Bcc, and in which thread',
    () => addressed(() => ({ bcc: [] })),
  ],
  [
    'an id of each mailbox’s own',
    'one message in two mailboxes is one: the same Message-ID, sender and date',
    () =>
      withMail({
        async pull(io, mailbox, from, ask) {
          const page = await mail.pull(io, mailbox, from, ask)
          const sightings = page.sightings.map((one) => {
            if (one.kind === 'gone') return one
            const { message } = one.sighted
            const envelope = { ...message.envelope, messageId: `${mailbox.id}.${message.envelope.messageId}` }
            return { ...one, sighted: { ...one.sighted, message: { ...message, envelope } } }
          })
          return { ...page, sightings }
        },
      }),
  ],
  [
    'no headers',
    'the marks of newsletters and automatic mail are there',
    () => addressed(() => ({ headers: {} })),
  ],
  [
    'invitations as mail',
    'a reply to an invitation is told by its calendar method',
    () => addressed(() => ({ calendar: null })),
  ],
  [
    'bounces as mail',
    'a delivery report names whom mail did not reach',
    () => addressed(() => ({ bounce: null })),
  ],
  [
    'HTML as it came',
    'HTML is safe to show, and its words are the text too',
    () =>
      worded(({ html }) => ({
        html: html === null ? null : `${html}<img src="https://track.example/p.gif">`,
      })),
  ],
  [
    'no words of HTML',
    'HTML is safe to show, and its words are the text too',
    () => worded(({ html, text }) => ({ text: html === null ? text : null })),
  ],
  [
    'text with all that it answers to',
    'quoted text and signature are apart from what its author wrote',
    () => worded(({ text, quoted }) => ({ text: `${text}\n${quoted ?? ''}` })),
  ],
  [
    'a signature as text',
    'quoted text and signature are apart from what its author wrote',
    () => worded(({ text, signature }) => ({ text: `${text}\n${signature ?? ''}`, signature: null })),
  ],
  [
    'attachments nowhere',
    'attachments are listed with name and type, and their content is nowhere',
    () => worded(() => ({ attachments: [] })),
  ],
]
