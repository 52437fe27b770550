import { type Letter, letter, person } from '../../../src/sandbox/mail/letter.ts'
import { autoReply, bounce, calendarReply, newsletter } from '../../../src/sandbox/mail/makers.ts'
import type { Run } from '../run.ts'
import type { Step } from '../vendor-steps.ts'
import { isOurs, REPS, type Rep } from './moods.ts'
import type { Post, Words, Written } from './post.ts'

/** What people write. Each step says what it did, or null where there is no mail or nothing to do it to. */
type MailStep = (run: Run, post: Post) => Promise<string | null> | string | null
const withPost =
  (step: MailStep): Step =>
  (run) =>
    run.post === null ? null : step(run, run.post)

/** Somebody who is known somewhere, somebody new, or somebody who may turn up in another system later. */
function somebody(run: Run): string {
  const { addresses, chance } = run
  if (chance.maybe(0.65) && addresses.known.length > 0) return chance.pick(addresses.known)
  return addresses.fresh(chance.maybe(0.5) ? `company${chance.int(1, 3)}.example` : undefined)
}

const customer = (run: Run): string => {
  for (;;) {
    const address = somebody(run)
    if (!isOurs(address)) return address
  }
}

const second = (run: Run): number => Math.floor(run.ground.clock.now / 1000) * 1000

/** What a letter answers. Its author quotes nothing, so that the words of one letter are in no other. */
function answering(parent: Written | null): Partial<Letter> {
  const id = parent?.letter.messageId ?? null
  if (parent === null || id === null) return {}
  return { inReplyTo: id, references: [...parent.letter.references.slice(-3), id] }
}

function parentOf(run: Run, post: Post): Written | null {
  const possible = post.written.filter(
    ({ kind, letter: { messageId } }) => kind === 'plain' && messageId !== null,
  )
  return possible.length > 0 && run.chance.maybe(0.5) ? run.chance.pick(possible.slice(-8)) : null
}

function customerLetter(
  run: Run,
  from: string,
  reps: readonly Rep[],
  parent: Written | null,
): (words: Words, stamp: string) => Letter {
  const cc = run.chance.maybe(0.2) ? [person(customer(run))] : []
  const isHtml = run.chance.maybe(0.2)
  const lacksId = reps.every((rep) => rep !== 'cleo@ours.example') && run.chance.maybe(0.1)
  return (words, stamp) =>
    letter({
      from: person(from, words.name),
      to: reps.map((rep) => person(rep)),
      cc: cc.filter(({ address }) => address !== from),
      subject: words.subject,
      text: words.text,
      html: isHtml ? `<p>${words.text.split('\n')[0]}</p>` : null,
      date: second(run),
      messageId: lacksId ? null : stamp,
      ...answering(parent),
    })
}

export const customerWrites = withPost(async (run, post) => {
  const { chance } = run
  const from = customer(run)
  const reps = chance.maybe(0.35) ? chance.shuffled(REPS).slice(0, 2) : [chance.pick(REPS)]
  let parent = parentOf(run, post)
  const isLate = parent === null && chance.maybe(0.2)
  if (isLate) {
    parent = post.write('plain', customerLetter(run, from, [chance.pick(REPS)], null))
    post.owed.push({ letter: parent, reps })
    run.ground.clock.now += 2_000
  }
  const one = post.write('plain', customerLetter(run, from, reps, parent))
  await post.deliver(one, reps)
  const isTwice = chance.maybe(0.05)
  if (isTwice) await post.deliver(one, reps.slice(0, 1))
  return `mail: ${from} writes letter ${one.n} to ${reps.join(' and ')}${isLate ? ', before its parent' : ''}${isTwice ? ', twice' : ''}`
})

/** A broken program gives two letters one id. */
export const repeatedId = withPost(async (run, post) => {
  const old = post.written.find(({ kind, letter: { messageId } }) => kind === 'plain' && messageId !== null)
  if (old === undefined) return null
  const rep = run.chance.pick(REPS)
  run.ground.clock.now += 2_000
  const make = customerLetter(run, customer(run), [rep], null)
  const one = post.write('plain', (words, stamp) => ({
    ...make(words, stamp),
    messageId: old.letter.messageId,
  }))
  await post.deliver(one, [rep])
  return `mail: letter ${one.n} has the id of letter ${old.n}`
})

/** What was answered before it came. */
export const lateParent = withPost(async (_run, post) => {
  const owed = post.owed.shift()
  if (owed === undefined) return null
  await post.deliver(owed.letter, owed.reps)
  return `mail: letter ${owed.letter.n} arrives late`
})

export const repWrites = withPost(async (run, post) => {
  const { chance } = run
  const from = chance.pick(REPS)
  const people = new Set([customer(run)])
  if (chance.maybe(0.2)) people.add(customer(run))
  const hidden = chance.maybe(0.2) ? customer(run) : null
  const colleague = chance.maybe(0.25) ? chance.pick(REPS.filter((rep) => rep !== from)) : null
  const parent = parentOf(run, post)
  const one = post.write('plain', (words, stamp) =>
    letter({
      from: person(from),
      to: [...people].map((address) => person(address)),
      cc: colleague === null ? [] : [person(colleague)],
      bcc: hidden === null || people.has(hidden) ? [] : [person(hidden)],
      subject: words.subject,
      text: words.text,
      date: second(run),
      messageId: stamp,
      ...answering(parent),
    }),
  )
  await post.send(one, from)
  return `mail: ${from} sends letter ${one.n} to ${[...people].join(' and ')}, copy to ${colleague}, hidden to ${hidden}`
})

export const noise = withPost(async (run, post) => {
  const { chance } = run
  const rep = chance.pick(REPS)
  const who = person(customer(run))
  const to = person(rep)
  const date = second(run)
  const asked = letter({ from: to, to: [who], subject: 'Something', messageId: 'asked@ours.example', date })
  const kind = chance.weighted({ newsletter: 3, automatic: 2, bounce: 2, calendar: 2, internal: 2, chat: 1 })
  const one = post.write(kind, (words, messageId) => {
    const stamp = { date, messageId }
    const made = (): Letter => {
      switch (kind) {
        case 'newsletter':
          return newsletter(chance.maybe(0.5) ? who : person('news@shop.example'), to, words.subject, stamp)
        case 'automatic':
          return autoReply(asked, who, stamp)
        case 'bounce':
          return bounce(asked, [who.address], stamp)
        case 'calendar':
          return calendarReply(asked, who, stamp)
        case 'internal':
          return letter({ ...stamp, from: person(REPS.find((other) => other !== rep) ?? rep), to: [to] })
        case 'chat':
          return letter({ ...stamp, from: who, to: [to] })
      }
    }
    return { ...made(), subject: words.subject, text: words.text, html: null }
  })
  if (kind !== 'chat') await post.deliver(one, [rep])
  else if (rep === 'cleo@ours.example') return null
  else post.chat(one, rep)
  return `mail: ${rep} gets letter ${one.n} (${kind}) of ${one.letter.from?.address}`
})

export const draft = withPost(async (run, post) => {
  const { chance } = run
  const at = post.drafts.length - 1
  const act = at < 0 ? 'make' : chance.weighted({ make: 2, edit: 2, send: 3 })
  const rep = act === 'make' ? chance.pick(REPS) : (post.drafts[at]?.rep ?? chance.pick(REPS))
  const to = customer(run)
  const one = post.write(act === 'send' ? 'plain' : 'draft', (words, messageId) =>
    letter({
      from: person(rep),
      to: [person(to)],
      subject: words.subject,
      text: words.text,
      date: second(run),
      messageId,
    }),
  )
  if (act === 'make') await post.draft(one, rep)
  else if (act === 'edit') await post.editDraft(at, one)
  else await post.sendDraft(at, one)
  return `mail: ${rep} ${act}s draft ${one.n} to ${to}`
})

/** What lies in the mailboxes before the hub sees them. */
export async function fillMailboxes(run: Run): Promise<void> {
  for (let n = run.chance.int(3, 8); n > 0; n--) {
    const step = run.chance.weighted({ customer: 5, rep: 3, noise: 3 })
    const told = await { customer: customerWrites, rep: repWrites, noise }[step](run)
    if (typeof told === 'string') run.note(told)
    run.ground.clock.now += 60_000
  }
}
