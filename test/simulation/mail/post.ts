import { compose, type Letter, withoutBcc } from '../../../src/sandbox/mail/letter.ts'
import type { MailGround } from './mail-ground.ts'
import { isGmail, isOurs, REPS, type Rep } from './moods.ts'

export type Kind =
  | 'plain'
  | 'draft'
  | 'newsletter'
  | 'automatic'
  | 'bounce'
  | 'calendar'
  | 'internal'
  | 'chat'

/** One letter, whatever number of mailboxes show it. Its author knows what it is. */
export type Written = {
  readonly n: number
  readonly kind: Kind
  readonly letter: Letter
  /** What a person said of it in the hub. */
  withdrawn: 'private' | 'removed' | null
  wasWithdrawn: boolean
}
export type Act = 'trash' | 'delete' | 'other'

/** A letter in one mailbox. */
export type Copy = {
  of: Written
  readonly rep: Rep
  readonly id: string
  /** The sender's own, which shows Bcc and lies under what was sent. */
  isOwn: boolean
  /** What people did to it since all came to rest. */
  acts: Act[]
  /** It was sorted, ever. */
  wasSorted: boolean
  /** What the hub made of it when all came to rest. */
  settled: string | null
  /** Deleted while nobody could tell: the vendor had forgotten its list of changes. */
  mayLinger: boolean
}

/** Everything written, and where it lies. Knows nothing of the hub. */
export class Post {
  readonly written: Written[] = []
  readonly copies: Copy[] = []
  /** Letters that are answered already and arrive later. */
  readonly owed: { readonly letter: Written; readonly reps: readonly Rep[] }[] = []
  /** Drafts of Google have an id that stays; drafts of Microsoft have the message's. */
  readonly drafts: { readonly rep: Rep; readonly draftId: string; copy: Copy }[] = []
  /** To whom somebody of us wrote, by hand. */
  readonly wroteTo = new Set<string>()
  /** Mailboxes whose list of changes the vendor forgot since all came to rest. */
  readonly gaps = new Set<Rep>()
  /** The rules changed since then. */
  moodChanged = false
  readonly #ground: MailGround

  constructor(ground: MailGround) {
    this.#ground = ground
  }

  /** Every letter has words of its own, which are looked for in the database. */
  write(kind: Kind, make: (words: Words, stamp: string) => Letter): Written {
    const n = this.written.length + 1
    const words = { subject: `About zq${n}sz`, text: `zq${n}bz\n\n> zq${n}qz`, name: `Zoe zq${n}nz` }
    const one: Written = {
      n,
      kind,
      letter: make(words, `m${n}@mail.example`),
      withdrawn: null,
      wasWithdrawn: false,
    }
    this.written.push(one)
    return one
  }

  /** It arrives, in all of these mailboxes at once. */
  async deliver(one: Written, reps: readonly Rep[], labels?: readonly string[]): Promise<readonly Copy[]> {
    const { google, graph } = this.#ground
    const seen = withoutBcc(one.letter)
    const made: Copy[] = []
    for (const rep of reps) {
      if (!isGmail(rep)) {
        for (const { ids } of graph.people.deliver(rep, seen))
          made.push(this.#copy(one, rep, ids.immutable, false))
        continue
      }
      const placed = await google.people.deliver(rep, seen, labels === undefined ? {} : { labels })
      for (const { id } of placed) made.push(this.#copy(one, rep, id, false))
    }
    return made
  }

  /** One of us sends it: colleagues get theirs, whatever system they are in. */
  async send(one: Written, from: Rep): Promise<void> {
    const { google, graph } = this.#ground
    if (isGmail(from)) {
      const [own] = await google.people.deliver(from, await compose(one.letter), { labels: ['SENT'] })
      if (own !== undefined) this.#copy(one, from, own.id, true)
    } else this.#copy(one, from, graph.people.send(from, one.letter).ids.immutable, true)
    await this.#toOthers(one, from)
  }

  async #toOthers(one: Written, from: Rep): Promise<void> {
    const { to, cc, bcc } = one.letter
    const all = [...to, ...cc, ...bcc].map(({ address }) => address)
    for (const address of all) if (!isOurs(address) && one.kind === 'plain') this.wroteTo.add(address)
    const reps = REPS.filter((rep) => rep !== from && all.includes(rep))
    await this.deliver(one, reps)
  }

  async draft(one: Written, rep: Rep): Promise<void> {
    const { google, graph } = this.#ground
    if (isGmail(rep)) {
      const { draftId, id } = await google.people.makeDraft(rep, one.letter)
      this.drafts.push({ rep, draftId, copy: this.#copy(one, rep, id, true) })
      return
    }
    const id = graph.people.makeDraft(rep, one.letter).ids.immutable
    this.drafts.push({ rep, draftId: id, copy: this.#copy(one, rep, id, true) })
  }

  async editDraft(at: number, one: Written): Promise<void> {
    const { google, graph } = this.#ground
    const draft = this.drafts[at]
    if (draft === undefined) return
    if (isGmail(draft.rep)) {
      const id = await google.people.editDraft(draft.rep, draft.draftId, one.letter)
      draft.copy = this.#copy(one, draft.rep, id, true)
    } else {
      graph.people.editDraft(draft.rep, draft.draftId, one.letter)
      draft.copy.of = one
    }
  }

  async sendDraft(at: number, one: Written): Promise<void> {
    const { google, graph } = this.#ground
    const [draft] = this.drafts.splice(at, 1)
    if (draft === undefined) return
    const { rep, draftId, copy } = draft
    if (isGmail(rep)) {
      // Google's own delivery to colleagues is part of it.
      for (const { mailbox, id } of await google.people.sendDraft(rep, draftId, one.letter)) {
        const owner = REPS.find((other) => other === mailbox)
        if (owner !== undefined) this.#copy(one, owner, id, owner === rep)
      }
    } else {
      graph.people.editDraft(rep, draftId, one.letter)
      graph.people.sendDraft(rep, draftId)
      copy.of = one
    }
    for (const { address } of one.letter.to) if (!isOurs(address)) this.wroteTo.add(address)
  }

  chat(one: Written, rep: Rep): void {
    const text = `${one.letter.subject ?? ''} ${one.letter.text ?? ''}`
    const { id } = this.#ground.google.people.chat(rep, one.letter.from?.address ?? '', text)
    this.#copy(one, rep, id, false)
  }

  /** Exported and imported again: the same letter under another id. */
  reimport(copy: Copy): void {
    const { ids } = this.#ground.graph.people.reimport(copy.rep, copy.id)
    const again = this.#copy(copy.of, copy.rep, ids.immutable, copy.isOwn)
    again.wasSorted = true
    copy.acts.push('other')
  }

  #copy(of: Written, rep: Rep, id: string, isOwn: boolean): Copy {
    const copy: Copy = {
      of,
      rep,
      id,
      isOwn,
      acts: [],
      wasSorted: false,
      settled: null,
      mayLinger: false,
    }
    this.copies.push(copy)
    return copy
  }
}

export type Words = { readonly subject: string; readonly text: string; readonly name: string }
