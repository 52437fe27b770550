import type { Instant } from '../../core/json.ts'
import type { Letter } from '../mail/letter.ts'
import type { Contact, ContactFolder } from './contact.ts'
import { Feed } from './feed.ts'
import type { ItemIds, Mint } from './mint.ts'
import { Ordered } from './ordered.ts'
import type { NotificationQueue } from './notifications.ts'
import type { Subscription } from './subscription.ts'
import type { Switches } from './switches.ts'

export type Message = {
  readonly kind: 'message'
  readonly key: number
  /** The mutable one changes with the folder. */
  ids: ItemIds
  readonly mailbox: Mailbox
  folder: MailFolder
  letter: Letter
  /** `received` came through transport and has its header; `written` was made in this mailbox. */
  readonly origin: 'received' | 'written'
  receivedAt: Instant
  readonly createdAt: Instant
  modifiedAt: Instant
  isDraft: boolean
  isRead: boolean
  categories: readonly string[]
  readonly conversationId: string
  version: number
  /** Which properties were set when, by the folder's sequence; null: none since it came here. */
  edits: Map<string, number> | null
}

export type MailFolder = {
  readonly key: number
  /** Folders keep their ids: https://learn.microsoft.com/en-us/graph/outlook-immutable-id */
  readonly ids: ItemIds
  displayName: string
  parentId: string
  readonly wellKnown: string | null
  readonly isHidden: boolean
  readonly byTime: Ordered<Message>
  readonly feed: Feed<Message>
}

/** A person of the tenant. `hasMailbox` false: a guest or an unlicensed account. */
export type User = {
  readonly id: string
  readonly address: string
  readonly aliases: readonly string[]
  readonly name: string
  readonly hasMailbox: boolean
}

export type Mailbox = {
  readonly user: User
  readonly rootId: string
  readonly folders: Map<string, MailFolder>
  readonly folderFeed: Feed<MailFolder>
  /** By either id it has now. */
  readonly messages: Map<string, Message>
  readonly byTime: Ordered<Message>
  /** Conversation by Message-ID. */
  readonly conversations: Map<string, string>
  readonly contactFolders: Map<string, ContactFolder>
  readonly contactFolderFeed: Feed<ContactFolder>
  readonly contacts: Map<string, Contact>
  readonly defaultContacts: ContactFolder
}

export type GraphState = {
  readonly now: () => Instant
  readonly random: () => number
  readonly mint: Mint
  readonly switches: Switches
  readonly tenant: { readonly id: string; readonly domain: string }
  readonly users: User[]
  /** By the user's id. */
  readonly mailboxes: Map<string, Mailbox>
  readonly subscriptions: Map<string, Subscription>
  readonly notifications: NotificationQueue
  nextKey: number
}

/** https://learn.microsoft.com/en-us/graph/api/resources/mailfolder */
const WELL_KNOWN: readonly (readonly [string, string, boolean])[] = [
  ['inbox', 'Inbox', false],
  ['drafts', 'Drafts', false],
  ['sentitems', 'Sent Items', false],
  ['deleteditems', 'Deleted Items', false],
  ['junkemail', 'Junk Email', false],
  ['archive', 'Archive', false],
  ['outbox', 'Outbox', false],
  ['conversationhistory', 'Conversation History', false],
  ['clutter', 'Clutter', true],
  ['recoverableitemsdeletions', 'Deletions', true],
]

export function newMailbox(state: GraphState, user: User): Mailbox {
  const defaultContacts = newContactFolder(state, 'Contacts', '')
  const mailbox: Mailbox = {
    user,
    rootId: state.mint.id('AQMk'),
    folders: new Map(),
    folderFeed: new Feed(),
    messages: new Map(),
    byTime: byTime(),
    conversations: new Map(),
    contactFolders: new Map([[defaultContacts.ids.immutable, defaultContacts]]),
    contactFolderFeed: new Feed(),
    contacts: new Map(),
    defaultContacts,
  }
  for (const [wellKnown, displayName, isHidden] of WELL_KNOWN)
    newFolder(state, mailbox, { displayName, parentId: mailbox.rootId, wellKnown, isHidden })
  state.mailboxes.set(user.id, mailbox)
  return mailbox
}

export function newFolder(
  state: GraphState,
  mailbox: Mailbox,
  given: Pick<MailFolder, 'displayName' | 'parentId' | 'wellKnown' | 'isHidden'>,
): MailFolder {
  const folder: MailFolder = {
    ...given,
    key: state.nextKey++,
    ids: folderIds(state),
    byTime: byTime(),
    feed: new Feed(),
  }
  mailbox.folders.set(folder.ids.immutable, folder)
  mailbox.folderFeed.join(folder)
  return folder
}

export function newContactFolder(state: GraphState, displayName: string, parentId: string): ContactFolder {
  return { key: state.nextKey++, ids: folderIds(state), displayName, parentId, feed: new Feed() }
}

function byTime(): Ordered<Message> {
  return new Ordered(
    (message) => message.receivedAt,
    (message) => message.key,
  )
}

function folderIds({ mint }: GraphState): ItemIds {
  const id = mint.id('AQMk')
  return { immutable: id, mutable: id }
}

/** By id or well-known name. Ids are case-sensitive, names are not. */
export function findFolder(mailbox: Mailbox, idOrName: string): MailFolder | null {
  const byId = mailbox.folders.get(idOrName)
  if (byId !== undefined) return byId
  const name = idOrName.toLowerCase()
  return [...mailbox.folders.values()].find(({ wellKnown }) => wellKnown === name) ?? null
}

/** By id, address or alias; addresses in any case. */
export function findUser({ users }: GraphState, idOrAddress: string): User | null {
  const wanted = idOrAddress.toLowerCase()
  return users.find(({ id, address }) => id === idOrAddress || address === wanted) ?? null
}

export function addressesOf({ address, aliases }: User): readonly string[] {
  return [address, ...aliases]
}

export function chance({ random }: GraphState, rate: number): boolean {
  return rate > 0 && random() < rate
}

export function shuffled<T>({ random }: GraphState, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [items[i], items[j]]
    if (a === undefined || b === undefined) continue
    items[i] = b
    items[j] = a
  }
  return items
}
