import type { Dice } from './dice.ts'
import type { Posted } from './mail.ts'
import { OUR_DOMAIN, REPS, repsAt, repsIn } from './reps.ts'
import { createGmailSandbox, type GmailSandbox } from '../gmail/index.ts'
import { createGraphSandbox, type GraphSandbox } from '../graph/index.ts'
import { letter, person, type Letter } from '../mail/letter.ts'
import { newsletter, replyAll } from '../mail/makers.ts'

/** What reading a message costs at Gmail, of the 6,000 units that a mailbox has in a minute. */
const UNITS_EACH = 20

export type MailroomOptions = {
  readonly now: () => number
  readonly random: () => number
  readonly dice: Dice
  /** What the stand-in for Gmail hands out of each mailbox. */
  readonly messagesPerMinute: number
}

const TENANT = { id: '0b7c1d52-6f0e-4a53-9d1e-5b1f6a2c7e44', domain: OUR_DOMAIN }
const APPLICATION = { id: '5f3c0f7a-2f7d-4b61-8a5e-9c6d1e2b3a40', secret: 'demo-client-secret' }
/** The folder, or label or category, that people keep their own affairs in. */
const PRIVATE = 'Private'

/** The mailboxes of our people at two vendors, and whoever writes to them. */
export function openMailroom({ now, random, dice, messagesPerMinute }: MailroomOptions) {
  const unitsPerUser = messagesPerMinute * UNITS_EACH
  const gmail = createGmailSandbox({
    now,
    random,
    mailboxes: repsAt('gmail').map((rep, i) => ({ ...rep, isAdmin: i === 0 })),
    unitsPerUser,
    unitsPerProject: unitsPerUser * REPS.length,
    autoDeliver: true,
  })
  const graph = createGraphSandbox({
    now,
    random,
    tenant: TENANT,
    application: APPLICATION,
    autoDeliver: true,
  })
  for (const { address, name } of repsAt('outlook')) graph.people.addUser(address, { name })
  for (const { address } of repsAt('gmail')) gmail.people.createLabel(address, PRIVATE)
  const post = (one: Posted) => deliver(gmail, graph, one)
  /** Letters of the stories by their Message-ID: what people answer to. */
  const written = new Map<string, Letter>()
  const send = async (one: Letter, at: number): Promise<string> => {
    await post({ letter: one, at, as: 'mail' })
    const { messageId } = one
    if (messageId === null) throw new Error('a letter without a Message-ID')
    written.set(messageId, one)
    return messageId
  }
  const stamp = (at: number, from: string) => ({
    date: Math.floor(at / 1000) * 1000,
    messageId: `${dice.below(2 ** 31).toString(36)}${dice.below(2 ** 31).toString(36)}@${from.split('@')[1] ?? ''}`,
  })

  return {
    gmail,
    graph,
    /** Puts a year of mail into the mailboxes. */
    async fill(mail: readonly Posted[]): Promise<void> {
      for (const one of mail) await post(one)
    },
    /** What people do with their mail, wherever their mailboxes are. */
    mail: {
      reps: REPS,
      /** Somebody outside writes to some of ours; answers the Message-ID. */
      async write(given: Written): Promise<string> {
        const { from, to, subject, text, at } = given
        const people = to.map((address) => person(address, nameOf(address)))
        return send(
          letter({
            ...stamp(at, from.address),
            from: person(from.address, from.name),
            to: people,
            subject,
            text,
          }),
          at,
        )
      },
      /** One of ours answers everybody. */
      async answer(rep: string, messageId: string, text: string): Promise<string> {
        const to = written.get(messageId)
        if (to === undefined) throw new Error(`nobody has written ${messageId}`)
        return send(replyAll(to, person(rep, nameOf(rep)), text, stamp(now(), rep)), now())
      },
      /** A firm's mailing reaches one of ours. */
      async mailing(from: string, rep: string, subject: string): Promise<string> {
        const one = newsletter(person(from, 'News'), person(rep, nameOf(rep)), subject, stamp(now(), from))
        return send(one, now())
      },
      /** A label of that name at Gmail, a category at Outlook. */
      label(rep: string, messageId: string, label: string): void {
        if (repsAt('gmail').some(({ address }) => address === rep))
          gmail.people.label(rep, idAtGmail(gmail, rep, messageId), label)
        else graph.people.categorise(rep, idAtGraph(graph, rep, messageId), [label])
      },
      /** Which of our mailboxes have it, as their vendors say. */
      mailboxesWith: (messageId: string): readonly string[] =>
        REPS.filter(({ address, host }) =>
          host === 'gmail'
            ? gmail.people.messages(address).some(({ raw }) => bears(raw, messageId))
            : graph.people.messages(address).some((one) => one.letter.messageId === messageId),
        ).map(({ address }) => address),
    },
  }
}

export type Mailroom = ReturnType<typeof openMailroom>

export type Written = {
  readonly from: { readonly address: string; readonly name: string }
  /** Addresses of ours. */
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  /** Epoch milliseconds. */
  readonly at: number
}

const nameOf = (address: string): string | null => REPS.find((rep) => rep.address === address)?.name ?? null

/** Each vendor takes care of its own mailboxes: of the sender's copy, and of those of colleagues there. */
async function deliver(gmail: GmailSandbox, graph: GraphSandbox, one: Posted): Promise<void> {
  const { letter: sent, at, as } = one
  const [sender] = repsIn(sent.from === null ? [] : [sent.from])
  if (as === 'draft') return makeDraft(gmail, graph, one)
  const to = repsIn([...sent.to, ...sent.cc, ...sent.bcc])
  const isPrivate = as === 'private'
  if (sender?.host === 'gmail') await gmail.people.send(sender.address, sent, at)
  else {
    const here = to.filter(({ host }) => host === 'gmail').map(({ address }) => address)
    const labels = ['INBOX', ...(isPrivate ? [PRIVATE] : [])]
    if (here.length > 0) await gmail.people.deliver(here, sent, { at, labels })
  }
  if (sender?.host === 'outlook') graph.people.send(sender.address, sent, { at })
  else {
    const here = to.filter(({ host }) => host === 'outlook').map(({ address }) => address)
    const categories = isPrivate ? [PRIVATE] : []
    if (here.length > 0) graph.people.deliver(here, sent, { at, categories })
  }
}

async function makeDraft(gmail: GmailSandbox, graph: GraphSandbox, one: Posted): Promise<void> {
  const [owner] = repsIn(one.letter.from === null ? [] : [one.letter.from])
  if (owner?.host === 'gmail')
    await gmail.people.deliver(owner.address, one.letter, { at: one.at, labels: ['DRAFT'] })
  else if (owner !== undefined) graph.people.makeDraft(owner.address, one.letter, one.at)
}

const bears = (raw: Buffer, messageId: string): boolean => raw.includes(`Message-ID: <${messageId}>`)

function idAtGmail({ people }: GmailSandbox, rep: string, messageId: string): string {
  const found = people.messages(rep).find(({ raw }) => bears(raw, messageId))
  if (found === undefined) throw new Error(`${rep} has no message ${messageId}`)
  return found.id
}

function idAtGraph({ people }: GraphSandbox, rep: string, messageId: string): string {
  const found = people.messages(rep).find((one) => one.letter.messageId === messageId)
  if (found === undefined) throw new Error(`${rep} has no message ${messageId}`)
  return found.ids.immutable
}
