import type { Json } from '../../core/json.ts'
import type { Letter } from '../mail/letter.ts'
import type { Contact, ContactFolder } from './contact.ts'
import { messageIdOf } from './content.ts'
import { chance, type GraphState, type Mailbox, type MailFolder, type Message } from './state.ts'

export type Put = Pick<Message, 'origin' | 'receivedAt' | 'isDraft' | 'isRead' | 'categories'>

export function putMessage(
  state: GraphState,
  mailbox: Mailbox,
  folder: MailFolder,
  letter: Letter,
  given: Put,
): Message {
  const message: Message = {
    ...given,
    kind: 'message',
    key: state.nextKey++,
    ids: { immutable: state.mint.id('AAkA'), mutable: state.mint.id('AAMk') },
    mailbox,
    folder,
    letter,
    createdAt: given.receivedAt,
    modifiedAt: state.now(),
    conversationId: conversationOf(state, mailbox, letter),
    version: 1,
    edits: null,
  }
  mailbox.messages.set(message.ids.immutable, message)
  mailbox.messages.set(message.ids.mutable, message)
  mailbox.byTime.add(message)
  folder.byTime.add(message)
  folder.feed.join(message)
  state.notifications.changed({ mailbox, item: message, change: 'created', from: null })
  return message
}

/** The immutable id stays, the other becomes a new one: https://learn.microsoft.com/en-us/graph/outlook-immutable-id */
export function moveMessage(state: GraphState, message: Message, to: MailFolder): void {
  const { mailbox, folder: from } = message
  if (from === to) return
  from.feed.leave(message)
  from.byTime.remove(message)
  mailbox.messages.delete(message.ids.mutable)
  message.ids = { immutable: message.ids.immutable, mutable: state.mint.id('AAMk') }
  mailbox.messages.set(message.ids.mutable, message)
  message.folder = to
  message.edits = null
  touch(state, message)
  to.byTime.add(message)
  to.feed.join(message, chance(state, state.switches.lostMoves))
  state.notifications.changed({ mailbox, item: message, change: 'updated', from })
}

export function removeMessage(state: GraphState, message: Message): void {
  const { mailbox, folder } = message
  folder.feed.leave(message)
  folder.byTime.remove(message)
  mailbox.byTime.remove(message)
  mailbox.messages.delete(message.ids.immutable)
  mailbox.messages.delete(message.ids.mutable)
  state.notifications.changed({ mailbox, item: message, change: 'deleted', from: folder })
}

export type Edit = Partial<Pick<Message, 'isRead' | 'isDraft' | 'categories' | 'letter'>>

export function editMessage(state: GraphState, message: Message, edit: Edit): void {
  Object.assign(message, edit)
  touch(state, message)
  const { feed } = message.folder
  feed.change(message)
  message.edits ??= new Map()
  for (const name of Object.keys(edit).flatMap((name) => (name === 'letter' ? LETTER : [name])))
    message.edits.set(name, feed.seq)
  state.notifications.changed({
    mailbox: message.mailbox,
    item: message,
    change: 'updated',
    from: message.folder,
  })
}

const LETTER = ['subject', 'body', 'bodyPreview', 'toRecipients', 'ccRecipients', 'bccRecipients']

export function putContact(
  state: GraphState,
  mailbox: Mailbox,
  folder: ContactFolder,
  given: Pick<Contact, 'fields' | 'extended'>,
): Contact {
  const contact: Contact = {
    ...given,
    kind: 'contact',
    key: state.nextKey++,
    ids: { immutable: state.mint.id('AAkA'), mutable: state.mint.id('AAMk') },
    folder,
    createdAt: state.now(),
    modifiedAt: state.now(),
    version: 1,
  }
  mailbox.contacts.set(contact.ids.immutable, contact)
  mailbox.contacts.set(contact.ids.mutable, contact)
  folder.feed.join(contact)
  state.notifications.changed({ mailbox, item: contact, change: 'created', from: null })
  return contact
}

export function editContact(
  state: GraphState,
  mailbox: Mailbox,
  contact: Contact,
  patch: { readonly fields: Readonly<Record<string, Json>>; readonly extended: ReadonlyMap<string, string> },
): void {
  contact.fields = { ...contact.fields, ...patch.fields }
  contact.extended = new Map([...contact.extended, ...patch.extended])
  touch(state, contact)
  contact.folder.feed.change(contact)
  state.notifications.changed({ mailbox, item: contact, change: 'updated', from: contact.folder })
}

export function moveContact(state: GraphState, mailbox: Mailbox, contact: Contact, to: ContactFolder): void {
  const from = contact.folder
  if (from === to) return
  from.feed.leave(contact)
  mailbox.contacts.delete(contact.ids.mutable)
  contact.ids = { immutable: contact.ids.immutable, mutable: state.mint.id('AAMk') }
  mailbox.contacts.set(contact.ids.mutable, contact)
  contact.folder = to
  touch(state, contact)
  to.feed.join(contact)
  state.notifications.changed({ mailbox, item: contact, change: 'updated', from })
}

export function removeContact(state: GraphState, mailbox: Mailbox, contact: Contact): void {
  contact.folder.feed.leave(contact)
  mailbox.contacts.delete(contact.ids.immutable)
  mailbox.contacts.delete(contact.ids.mutable)
  state.notifications.changed({ mailbox, item: contact, change: 'deleted', from: contact.folder })
}

function touch(state: GraphState, item: Message | Contact): void {
  item.modifiedAt = state.now()
  item.version += 1
}

/** A conversation is one mailbox's own: [GK], nothing says that it is the same in two. */
function conversationOf(state: GraphState, mailbox: Mailbox, letter: Letter): string {
  const related = [letter.inReplyTo, ...letter.references].flatMap((id) => (id === null ? [] : [`<${id}>`]))
  const own = messageIdOf(letter)
  const known = [...related, ...(own === null ? [] : [own])].flatMap(
    (id) => mailbox.conversations.get(id) ?? [],
  )[0]
  const conversation = known ?? state.mint.id('AQMk')
  for (const id of [...related, ...(own === null ? [] : [own])]) mailbox.conversations.set(id, conversation)
  return conversation
}
