import type { Instant, Json } from '../../core/json.ts'
import type { Letter } from '../mail/letter.ts'
import { named } from './contact-routes.ts'
import type { Contact, ContactFolder } from './contact.ts'
import { messageIdOf, peopleOf } from './content.ts'
import {
  editContact,
  editMessage,
  moveContact,
  moveMessage,
  putContact,
  putMessage,
  removeContact,
  removeMessage,
} from './items.ts'
import {
  addressesOf,
  findFolder,
  type GraphState,
  type Mailbox,
  type MailFolder,
  type Message,
  newContactFolder,
  newFolder,
  newMailbox,
  type User,
} from './state.ts'

export type Delivered = {
  /** Id, well-known name or display name; the inbox when left out. */
  readonly folder?: string
  readonly at?: Instant
  readonly categories?: readonly string[]
  readonly isRead?: boolean
  /** Brought in from an archive: what transport would have added is not there, a missing Message-ID stays missing. */
  readonly isImported?: boolean
}

export type GraphPeople = ReturnType<typeof graphPeople>

/** What people do in their mail programs. Mailboxes are named by address, messages and contacts by either id. */
export function graphPeople(state: GraphState) {
  const mailboxAt = (address: string): Mailbox => {
    const user = state.users.find((one) => addressesOf(one).includes(address.toLowerCase()))
    const mailbox = user === undefined ? undefined : state.mailboxes.get(user.id)
    if (mailbox === undefined) throw new Error(`No mailbox ${address}`)
    return mailbox
  }
  const folderIn = (mailbox: Mailbox, name: string): MailFolder => {
    const found =
      findFolder(mailbox, name) ??
      [...mailbox.folders.values()].find(({ displayName }) => displayName === name) ??
      null
    if (found === null) throw new Error(`${mailbox.user.address} has no folder ${name}`)
    return found
  }
  const messageIn = (address: string, id: string): Message => {
    const message = mailboxAt(address).messages.get(id)
    if (message === undefined) throw new Error(`${address} has no message ${id}`)
    return message
  }
  const contactIn = (address: string, id: string): Contact => {
    const contact = mailboxAt(address).contacts.get(id)
    if (contact === undefined) throw new Error(`${address} has no contact ${id}`)
    return contact
  }
  const contactFolderIn = ({ contactFolders, defaultContacts }: Mailbox, name?: string): ContactFolder => {
    if (name === undefined) return defaultContacts
    const found = [...contactFolders.values()].find(
      ({ displayName, ids }) => displayName === name || ids.immutable === name,
    )
    if (found === undefined) throw new Error(`No contact folder ${name}`)
    return found
  }
  /** Transport gives a Message-ID to what has none. [GK] */
  const stamped = (letter: Letter, from: string): Letter =>
    messageIdOf(letter) !== null
      ? letter
      : {
          ...letter,
          messageId: `${state.mint.token().slice(0, 32)}@${from.split('@')[1] ?? ''}.prod.outlook.com`,
        }
  const put = (
    mailbox: Mailbox,
    letter: Letter,
    how: Delivered,
    origin: Message['origin'],
    folder: MailFolder,
  ) =>
    putMessage(state, mailbox, folder, letter, {
      origin,
      receivedAt: how.at ?? state.now(),
      isDraft: false,
      isRead: how.isRead ?? origin === 'written',
      categories: how.categories ?? [],
    })
  const deliverAll = (addresses: readonly string[], letter: Letter, how: Delivered): Message[] => {
    const whole = how.isImported === true ? letter : stamped(letter, addresses[0] ?? '')
    return addresses.map((address) => {
      const mailbox = mailboxAt(address)
      return put(mailbox, whole, how, 'received', folderIn(mailbox, how.folder ?? 'inbox'))
    })
  }
  /** Colleagues whom a letter goes to get it in their inboxes, as the vendor itself delivers it. */
  const toColleagues = (from: Mailbox, letter: Letter, at: Instant): void => {
    const wanted = (['to', 'cc', 'bcc'] as const)
      .flatMap((field) => peopleOf(letter, field))
      .map(({ address }) => address.toLowerCase())
    const colleagues = state.users.filter(
      (user) =>
        user !== from.user && user.hasMailbox && addressesOf(user).some((one) => wanted.includes(one)),
    )
    deliverAll(
      colleagues.map(({ address }) => address),
      letter,
      { at },
    )
  }

  return {
    /** A person joins the tenant. */
    addUser(
      address: string,
      more: { name?: string; aliases?: readonly string[]; hasMailbox?: boolean } = {},
    ): User {
      const user: User = {
        id: state.mint.uuid(),
        address: address.toLowerCase(),
        aliases: (more.aliases ?? []).map((alias) => alias.toLowerCase()),
        name: more.name ?? address.split('@')[0] ?? address,
        hasMailbox: more.hasMailbox ?? true,
      }
      state.users.push(user)
      if (user.hasMailbox) newMailbox(state, user)
      return user
    },

    /** A person leaves, and the mailbox goes too. */
    removeUser(address: string): void {
      const at = state.users.findIndex((user) => user.address === address.toLowerCase())
      const [user] = at < 0 ? [] : state.users.splice(at, 1)
      if (user === undefined) throw new Error(`No user ${address}`)
      state.mailboxes.delete(user.id)
      for (const { id, userId } of state.subscriptions.values())
        if (userId === user.id) state.subscriptions.delete(id)
    },

    /** A mail comes in from outside; with several addresses, the same one into each of the mailboxes. */
    deliver(to: string | readonly string[], letter: Letter, how: Delivered = {}): Message[] {
      return deliverAll(typeof to === 'string' ? [to] : to, letter, how)
    },

    /** Puts a mail into Sent Items, and into the inboxes of colleagues it goes to. */
    send(from: string, letter: Letter, how: Pick<Delivered, 'at' | 'categories'> = {}): Message {
      const mailbox = mailboxAt(from)
      const whole = stamped(letter, from)
      const sent = put(mailbox, whole, how, 'written', folderIn(mailbox, 'sentitems'))
      toColleagues(mailbox, whole, how.at ?? state.now())
      return sent
    },

    move(mailbox: string, id: string, folder: string): Message {
      const message = messageIn(mailbox, id)
      moveMessage(state, message, folderIn(message.mailbox, folder))
      return message
    },

    /** To Deleted Items. */
    softDelete(mailbox: string, id: string): Message {
      return this.move(mailbox, id, 'deleteditems')
    },

    /** For good. */
    hardDelete(mailbox: string, id: string): void {
      removeMessage(state, messageIn(mailbox, id))
    },

    /** Exported and imported again, or moved to the archive mailbox and back: the same mail under new ids. */
    reimport(mailbox: string, id: string): Message {
      const message = messageIn(mailbox, id)
      const { folder, letter, origin, receivedAt, isDraft, isRead, categories } = message
      removeMessage(state, message)
      return putMessage(state, message.mailbox, folder, letter, {
        origin,
        receivedAt,
        isDraft,
        isRead,
        categories,
      })
    },

    categorise(mailbox: string, id: string, categories: readonly string[]): Message {
      const message = messageIn(mailbox, id)
      editMessage(state, message, { categories })
      return message
    },

    read(mailbox: string, id: string, isRead = true): Message {
      const message = messageIn(mailbox, id)
      editMessage(state, message, { isRead })
      return message
    },

    makeDraft(mailbox: string, letter: Letter, at: Instant = state.now()): Message {
      const box = mailboxAt(mailbox)
      return putMessage(state, box, folderIn(box, 'drafts'), stamped(letter, mailbox), {
        origin: 'written',
        receivedAt: at,
        isDraft: true,
        isRead: true,
        categories: [],
      })
    },

    editDraft(mailbox: string, id: string, fields: Partial<Letter>): Message {
      const message = messageIn(mailbox, id)
      if (!message.isDraft) throw new Error(`${id} is no draft`)
      editMessage(state, message, { letter: { ...message.letter, ...fields } })
      return message
    },

    /** A draft keeps its immutable id when it is sent: https://learn.microsoft.com/en-us/graph/outlook-immutable-id */
    sendDraft(mailbox: string, id: string): Message {
      const message = messageIn(mailbox, id)
      if (!message.isDraft) throw new Error(`${id} is no draft`)
      const { mailbox: box, folder } = message
      for (const list of [folder.byTime, box.byTime]) list.remove(message)
      message.receivedAt = state.now()
      for (const list of [folder.byTime, box.byTime]) list.add(message)
      message.isDraft = false
      message.letter = { ...message.letter, date: state.now() }
      moveMessage(state, message, folderIn(box, 'sentitems'))
      toColleagues(box, message.letter, state.now())
      return message
    },

    /** `parent` and the rest as `deliver` names folders. */
    createFolder(
      mailbox: string,
      displayName: string,
      more: { parent?: string; isHidden?: boolean } = {},
    ): MailFolder {
      const box = mailboxAt(mailbox)
      return newFolder(state, box, {
        displayName,
        parentId: more.parent === undefined ? box.rootId : folderIn(box, more.parent).ids.immutable,
        wellKnown: null,
        isHidden: more.isHidden ?? false,
      })
    },

    renameFolder(mailbox: string, folder: string, displayName: string): MailFolder {
      const box = mailboxAt(mailbox)
      const found = folderIn(box, folder)
      found.displayName = displayName
      box.folderFeed.change(found)
      return found
    },

    /** Into Deleted Items with all that is in it; for good with `isHard`. */
    deleteFolder(mailbox: string, folder: string, isHard = false): void {
      const box = mailboxAt(mailbox)
      const found = folderIn(box, folder)
      if (!isHard) {
        found.parentId = folderIn(box, 'deleteditems').ids.immutable
        return box.folderFeed.change(found)
      }
      for (const child of box.folders.values())
        if (child.parentId === found.ids.immutable) this.deleteFolder(mailbox, child.ids.immutable, true)
      for (const message of found.feed.members.values()) removeMessage(state, message)
      box.folders.delete(found.ids.immutable)
      box.folderFeed.leave(found)
    },

    addContact(mailbox: string, fields: Readonly<Record<string, Json>>, folder?: string): Contact {
      const box = mailboxAt(mailbox)
      return putContact(state, box, contactFolderIn(box, folder), named({ fields, extended: new Map() }))
    },

    editContact(mailbox: string, id: string, fields: Readonly<Record<string, Json>>): Contact {
      const contact = contactIn(mailbox, id)
      editContact(state, mailboxAt(mailbox), contact, { fields, extended: new Map() })
      return contact
    },

    moveContact(mailbox: string, id: string, folder?: string): Contact {
      const contact = contactIn(mailbox, id)
      const box = mailboxAt(mailbox)
      moveContact(state, box, contact, contactFolderIn(box, folder))
      return contact
    },

    deleteContact(mailbox: string, id: string): void {
      removeContact(state, mailboxAt(mailbox), contactIn(mailbox, id))
    },

    createContactFolder(mailbox: string, displayName: string): ContactFolder {
      const box = mailboxAt(mailbox)
      const folder = newContactFolder(state, displayName, box.defaultContacts.ids.immutable)
      box.contactFolders.set(folder.ids.immutable, folder)
      box.contactFolderFeed.join(folder)
      return folder
    },

    message: (mailbox: string, id: string): Message | null => mailboxAt(mailbox).messages.get(id) ?? null,
    messages: (mailbox: string, folder?: string): readonly Message[] => {
      const box = mailboxAt(mailbox)
      return (folder === undefined ? box : folderIn(box, folder)).byTime.all()
    },
    folder: (mailbox: string, name: string): MailFolder => folderIn(mailboxAt(mailbox), name),
    contact: (mailbox: string, id: string): Contact | null => mailboxAt(mailbox).contacts.get(id) ?? null,
    contacts: (mailbox: string): readonly Contact[] => [...new Set(mailboxAt(mailbox).contacts.values())],
  }
}
