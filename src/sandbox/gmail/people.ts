import { compose, type Letter, withoutBcc } from '../mail/letter.ts'
import { addMessage, nextHistoryId, relabel, removeMessage } from './changes.ts'
import {
  addMailbox,
  type GmailMailbox,
  type GmailState,
  mailboxOf,
  type MailboxSeed,
  type Stored,
} from './state.ts'

/** A letter, or MIME as it is: text, or bytes where the charset is broken. */
export type Mail = Letter | string | Uint8Array
/** Ids of one mailbox; other mailboxes have their own. */
export type Placed = { readonly mailbox: string; readonly id: string; readonly threadId: string }
export type DeliverOptions = {
  /** Names or ids; new mail in the inbox when left out. */
  readonly labels?: readonly string[]
  /** Epoch milliseconds; now when left out. Mail imported from before is older. */
  readonly at?: number
}

export type GmailPeople = ReturnType<typeof createPeople>

/** What people and mail servers do, not through the API. Mailboxes by any of their addresses, labels by name or id. */
export function createPeople(state: GmailState) {
  const box = (address: string): GmailMailbox => {
    const mailbox = mailboxOf(state, address)
    if (mailbox === undefined) throw new Error(`No mailbox ${address}`)
    return mailbox
  }
  const found = (mailbox: GmailMailbox, id: string): Stored => {
    const stored = mailbox.byId.get(id)
    if (stored === undefined) throw new Error(`No message ${id} in ${mailbox.address}`)
    return stored
  }
  const change = (address: string, id: string, add: readonly string[], remove: readonly string[]): void => {
    const mailbox = box(address)
    relabel(state, mailbox, found(mailbox, id), add, remove)
  }
  const put = (address: string, raw: Buffer, { labels, at }: DeliverOptions): Placed => {
    const mailbox = box(address)
    const ids = (labels ?? ['INBOX', 'UNREAD']).map((label) => labelId(mailbox, label))
    const { id, threadId } = addMessage(state, mailbox, raw, ids, at)
    return { mailbox: mailbox.address, id, threadId }
  }
  const draftOf = (mailbox: GmailMailbox, draftId: string): Stored => {
    const id = mailbox.drafts.get(draftId)
    if (id === undefined) throw new Error(`No draft ${draftId} in ${mailbox.address}`)
    return found(mailbox, id)
  }
  const bothWays = async (address: string, letter: Letter, at?: number): Promise<readonly Placed[]> => {
    const sender = box(address)
    const to = localMailboxes(state, [...letter.to, ...letter.cc, ...letter.bcc])
    const time = at === undefined ? {} : { at }
    const own = to.includes(sender) ? ['SENT', 'INBOX', 'UNREAD'] : ['SENT']
    const kept = await bytesOf(letter)
    const seen = letter.bcc.length === 0 ? kept : await bytesOf(withoutBcc(letter))
    const others = to.filter((mailbox) => mailbox !== sender)
    return [
      put(address, kept, { ...time, labels: own }),
      ...others.map((mailbox) => put(mailbox.address, seen, time)),
    ]
  }

  return {
    addMailbox: (seed: MailboxSeed): GmailMailbox => addMailbox(state, seed),
    mailbox: (address: string): GmailMailbox | undefined => mailboxOf(state, address),
    mailboxes: (): readonly GmailMailbox[] => [...state.mailboxes.values()],

    /** Mail arrives, in several mailboxes at once if it was sent to several. One per mailbox, in their order. */
    async deliver(
      mailboxes: string | readonly string[],
      mail: Mail,
      options: DeliverOptions = {},
    ): Promise<readonly Placed[]> {
      const raw = await bytesOf(typeof mail === 'object' && 'subject' in mail ? withoutBcc(mail) : mail)
      return [mailboxes].flat().map((address) => put(address, raw, options))
    },

    /** The owner sends it: first the copy under Sent, then what arrives in other mailboxes of this sandbox. */
    send: bothWays,

    label: (mailbox: string, id: string, label: string): void =>
      change(mailbox, id, [labelId(box(mailbox), label)], []),
    unlabel: (mailbox: string, id: string, label: string): void =>
      change(mailbox, id, [], [labelId(box(mailbox), label)]),
    /** Nested ones are written with a slash. Answers the id, which stays when the label is renamed. */
    createLabel(address: string, name: string): string {
      const mailbox = box(address)
      if ([...mailbox.labels.values()].some((label) => label.name === name))
        throw new Error(`There is a label ${name} already`)
      const id = `Label_${mailbox.nextLabel++}`
      mailbox.labels.set(id, { id, name, type: 'user' })
      return id
    },
    /** Messages do not change by it, so that history says nothing. */
    renameLabel(address: string, label: string, name: string): void {
      const mailbox = box(address)
      const known = mailbox.labels.get(labelId(mailbox, label))
      if (known !== undefined) known.name = name
    },
    deleteLabel(address: string, label: string): void {
      const mailbox = box(address)
      const id = labelId(mailbox, label)
      for (const stored of mailbox.byDate) relabel(state, mailbox, stored, [], [id])
      mailbox.labels.delete(id)
    },

    archive: (mailbox: string, id: string): void => change(mailbox, id, [], ['INBOX']),
    markRead: (mailbox: string, id: string): void => change(mailbox, id, [], ['UNREAD']),
    markUnread: (mailbox: string, id: string): void => change(mailbox, id, ['UNREAD'], []),
    trash: (mailbox: string, id: string): void => change(mailbox, id, ['TRASH'], ['INBOX', 'SPAM']),
    untrash: (mailbox: string, id: string): void => change(mailbox, id, [], ['TRASH']),
    spam: (mailbox: string, id: string): void => change(mailbox, id, ['SPAM'], ['INBOX']),
    notSpam: (mailbox: string, id: string): void => change(mailbox, id, ['INBOX'], ['SPAM']),
    deleteForever(address: string, id: string): void {
      const mailbox = box(address)
      removeMessage(state, mailbox, found(mailbox, id))
    },

    /** Answers the draft's own id, which is the only durable one. */
    async makeDraft(address: string, letter: Letter): Promise<{ draftId: string; id: string }> {
      const mailbox = box(address)
      const { id } = addMessage(state, mailbox, await bytesOf(letter), ['DRAFT'])
      const draftId = `r${state.ids.hex(16)}`
      mailbox.drafts.set(draftId, id)
      return { draftId, id }
    },
    /** The message under it is another one afterwards (unless `rotateDraftIds` is off, then nobody hears of it). */
    async editDraft(address: string, draftId: string, letter: Letter): Promise<string> {
      const mailbox = box(address)
      const before = draftOf(mailbox, draftId)
      const raw = await bytesOf(letter)
      if (!state.switches.rotateDraftIds) {
        const edited = { ...before, raw }
        mailbox.byId.set(before.id, edited)
        mailbox.byDate.splice(mailbox.byDate.indexOf(before), 1, edited)
        return before.id
      }
      removeMessage(state, mailbox, before)
      const { id } = addMessage(state, mailbox, raw, ['DRAFT'])
      mailbox.drafts.set(draftId, id)
      return id
    },
    async sendDraft(address: string, draftId: string, letter: Letter): Promise<readonly Placed[]> {
      const mailbox = box(address)
      removeMessage(state, mailbox, draftOf(mailbox, draftId))
      mailbox.drafts.delete(draftId)
      return await bothWays(address, letter)
    },

    /** A line of a chat, as the API shows it among the mails. */
    chat(address: string, from: string, text: string): Placed {
      return put(address, Buffer.from(`From: ${from}\r\nContent-Type: text/plain\r\n\r\n${text}`), {
        labels: ['CHAT'],
      })
    },

    addAlias(address: string, alias: string): void {
      const mailbox = box(address)
      mailbox.aliases.push({ address: alias.toLowerCase(), name: mailbox.name })
    },
    suspend: (address: string, suspended = true): void => void (box(address).suspended = suspended),
    /** Every cursor of before is forgotten. */
    expireHistory(address: string): void {
      const mailbox = box(address)
      mailbox.historyId = nextHistoryId(state, mailbox)
      mailbox.historyFloor = mailbox.historyId
      mailbox.history.splice(0)
    },
    /** The owner, or the admin, takes the application's access away. */
    revoke(address: string): void {
      const mailbox = box(address).address
      for (const tokens of [state.refreshTokens, state.accessTokens])
        for (const [token, held] of tokens) if (held.mailbox === mailbox) tokens.delete(token)
    },
    expireAccessTokens: (): void => state.accessTokens.clear(),

    /** What lies in a mailbox, newest first. */
    messages: (address: string): readonly Stored[] => box(address).byDate.toReversed(),
  }
}

/** In memory of its own: small buffers otherwise share theirs with what everybody else threw away. */
async function bytesOf(mail: Mail): Promise<Buffer> {
  const bytes = typeof mail === 'object' && 'subject' in mail ? await compose(mail) : mail
  const own = Buffer.allocUnsafeSlow(Buffer.byteLength(bytes))
  if (typeof bytes === 'string') own.write(bytes)
  else own.set(bytes)
  return own
}

function labelId(mailbox: GmailMailbox, given: string): string {
  if (mailbox.labels.has(given)) return given
  const named = [...mailbox.labels.values()].find(({ name }) => name === given)
  if (named === undefined) throw new Error(`No label ${given} in ${mailbox.address}`)
  return named.id
}

function localMailboxes(
  state: GmailState,
  people: readonly { readonly address: string }[],
): readonly GmailMailbox[] {
  return [...new Set(people.flatMap(({ address }) => mailboxOf(state, address) ?? []))]
}
