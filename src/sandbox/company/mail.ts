import type { MailAddress } from '../../core/mail/message.ts'
import { letter, person as called, type Letter } from '../mail/letter.ts'
import {
  autoReply,
  bounce,
  calendarReply,
  invitation,
  newsletter,
  reply,
  replyAll,
  type Stamp,
} from '../mail/makers.ts'
import type { Dice } from './dice.ts'
import { ANSWERS, ASKS, CLOSINGS, COLD, FILLERS, INTERNAL, NEWS, PRIVATE, SUBJECTS } from './mail-words.ts'
import { ascii, type Firm, type Person, REGULARS } from './people.ts'
import { OUR_DOMAIN, REPS, repsIn } from './reps.ts'
import { COMPANY_FIRST, PRODUCTS } from './words.ts'

/** A letter that was sent, by or to our people. It lies in the mailbox of each of them who sent or got it. */
export type Posted = {
  readonly letter: Letter
  /** Epoch milliseconds. */
  readonly at: number
  /** `private`: whoever of ours got it has labelled it so. */
  readonly as: 'mail' | 'draft' | 'private'
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const YEAR_DAYS = 360
/** Nothing happens in the last minutes: that is when the stories begin. */
const QUIET_MS = HOUR_MS

/** In how many of our mailboxes it lies. */
function copiesOf({ letter: { from, to, cc, bcc }, as }: Posted): number {
  const sender = from === null ? [] : [from]
  return as === 'draft' ? 1 : repsIn([...sender, ...to, ...cc, ...bcc]).length
}

export const countCopies = (mail: readonly Posted[]): number =>
  mail.reduce((sum, one) => sum + copiesOf(one), 0)

type Some<T> = readonly [T, ...T[]]
type Writer = {
  readonly dice: Dice
  readonly now: number
  readonly people: Some<Person>
  /** Whose addresses are no good any more. */
  readonly gone: Some<Person>
  readonly firms: Some<Firm>
  stamp(at: number): Stamp
}

/**
 * A year of mail, oldest first: `count` copies in our mailboxes in all. Threads with customers, and what fills mailboxes
 * otherwise. The first people of the company, whom the stories are about, have written to nobody yet.
 */
export function makeMail(
  dice: Dice,
  count: number,
  { people, firms }: { readonly people: readonly Person[]; readonly firms: readonly Firm[] },
  now: number,
): readonly Posted[] {
  let n = 0
  const others = some(people.slice(REGULARS))
  const known = others ?? some(people)
  const domains = some(firms)
  if (known === null || domains === null) throw new Error('There is nobody to write mail with')
  const writer: Writer = {
    dice,
    now,
    people: known,
    gone: some(known.filter((person) => person.mail === 'cleaned')) ?? known,
    firms: domains,
    stamp: (at) => ({
      date: Math.floor(at / 1000) * 1000,
      messageId: `${(n += 1)}.${dice.below(1e9).toString(36)}@${dice.pick(['mta1', 'mta2', 'relay'])}.example`,
    }),
  }
  const all: Posted[] = []
  let left = count
  while (left > 0) {
    const start = now - QUIET_MS - dice.below(YEAR_DAYS * DAY_MS)
    const kind = others === null ? coldMail : dice.weighted(KINDS)
    for (const posted of kind(writer, start)) {
      const copies = copiesOf(posted)
      if (copies > left || posted.at > now - QUIET_MS) break
      left -= copies
      all.push(posted)
    }
  }
  return all.toSorted((a, b) => a.at - b.at)
}

type Kind = (writer: Writer, at: number) => readonly Posted[]

/** By how often one begins; a thread is several letters, often in two mailboxes. */
const KINDS: readonly [readonly [Kind, number], ...(readonly [Kind, number])[]] = [
  [thread, 30],
  [mailing, 24],
  [among, 14],
  [coldMail, 11],
  [invited, 5],
  [secret, 5],
  [away, 4],
  [draft, 3],
  [newContact, 2],
  [undelivered, 2],
]

/** A customer writes or is written to, and it goes back and forth. */
function thread(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const customer = dice.pick(writer.people)
  const them = addressOf(customer)
  const us = dice.pick(REPS)
  const others = dice.chance(0.22) ? [dice.pick(REPS)].filter((rep) => rep !== us) : []
  const begun = dice.chance(0.55)
  const first = written(writer, at, begun ? them : us, [begun ? us : them], customer.firm, { cc: others })
  const letters = [{ letter: first, at, as: 'mail' as const }]
  const length = dice.weighted([
    [1, 30],
    [2, 32],
    [3, 18],
    [4, 12],
    [6, 8],
  ])
  for (let time = at, last = first, ours = !begun; letters.length < length; ) {
    ours = !ours
    time += HOUR_MS / 4 + dice.below((dice.chance(0.2) ? 140 : 20) * HOUR_MS)
    const text = prose(writer, ours ? us : them, ours ? ANSWERS : ASKS, customer.firm)
    last = replyAll(last, ours ? us : them, text, writer.stamp(time))
    letters.push({ letter: last, at: time, as: 'mail' })
  }
  return letters
}

function mailing(writer: Writer, at: number): readonly Posted[] {
  const { dice, firms } = writer
  const from = called(`news@${dice.pick(firms).domain}`, 'News')
  return posted(newsletter(from, dice.pick(REPS), dice.pick(NEWS), writer.stamp(at)), at)
}

function among(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const from = dice.pick(REPS)
  const to = REPS.filter((rep) => rep !== from && dice.chance(0.3))
  const subject = dice.pick(INTERNAL)
  const colleagues = to.length === 0 ? REPS.filter((rep) => rep !== from).slice(0, 1) : to
  return posted({ ...written(writer, at, from, colleagues, null), subject }, at)
}

/** From somebody whom nobody here knows. */
function coldMail(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const from = called(`${stranger(dice)}@${outside(dice)}`, 'Your partner')
  return posted({ ...written(writer, at, from, [dice.pick(REPS)], null), subject: dice.pick(COLD) }, at)
}

function invited(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const customer = dice.pick(writer.people)
  const us = dice.pick(REPS)
  const asked = invitation(us, addressOf(customer), subjectOf(dice, customer.firm), writer.stamp(at))
  const later = at + HOUR_MS / 4 + dice.below(30 * HOUR_MS)
  const answer = calendarReply(asked, addressOf(customer), writer.stamp(later))
  return [...posted(asked, at), ...posted(answer, later)]
}

/** Somebody's own affairs, which they have labelled so. */
function secret(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const from = dice.chance(0.5)
    ? addressOf(dice.pick(writer.people))
    : called(`${stranger(dice)}@${outside(dice)}`)
  const one = { ...written(writer, at, from, [dice.pick(REPS)], null), subject: dice.pick(PRIVATE) }
  return [{ letter: one, at, as: 'private' }]
}

function away(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const customer = dice.pick(writer.people)
  const us = dice.pick(REPS)
  const sent = written(writer, at, us, [addressOf(customer)], customer.firm)
  const back = autoReply(sent, addressOf(customer), writer.stamp(at + 20_000))
  return [...posted(sent, at), ...posted(back, at + 20_000)]
}

function draft(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const customer = dice.pick(writer.people)
  const one = written(writer, at, dice.pick(REPS), [addressOf(customer)], customer.firm)
  return [{ letter: one, at, as: 'draft' }]
}

/** One of ours writes to somebody new at a firm, who answers. */
function newContact(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const firm = dice.pick(writer.firms)
  const [given = '', family = ''] = dice.pick(NEW_NAMES).split(' ')
  const them = called(`${ascii(given)}.${ascii(family)}@${firm.domain}`, `${given} ${family}`)
  const us = dice.pick(REPS)
  const sent = written(writer, at, us, [them], firm)
  const later = at + HOUR_MS + dice.below(40 * HOUR_MS)
  const back = reply(sent, them, prose(writer, them, ASKS, firm), writer.stamp(later))
  return [...posted(sent, at), ...posted(back, later)]
}

function undelivered(writer: Writer, at: number): readonly Posted[] {
  const { dice } = writer
  const customer = dice.pick(writer.gone)
  const sent = written(writer, at, dice.pick(REPS), [addressOf(customer)], customer.firm)
  const back = bounce(sent, [customer.email], writer.stamp(at + 5_000))
  return [...posted(sent, at), ...posted(back, at + 5_000)]
}

const posted = (one: Letter, at: number): readonly Posted[] => [{ letter: one, at, as: 'mail' }]

function written(
  writer: Writer,
  at: number,
  from: MailAddress,
  to: readonly MailAddress[],
  firm: Firm | null,
  more: Partial<Letter> = {},
): Letter {
  const { dice } = writer
  const isOurs = from.address.endsWith(`@${OUR_DOMAIN}`)
  const text = prose(writer, from, isOurs ? ANSWERS : ASKS, firm)
  return letter({
    ...writer.stamp(at),
    from,
    to,
    subject: subjectOf(dice, firm),
    text,
    html: dice.chance(0.4) ? `<div>${text.replaceAll('\n', '<br>')}</div>` : null,
    attachments: dice.chance(0.06)
      ? [{ name: 'offer.pdf', type: 'application/pdf', content: '%PDF-1.7' }]
      : [],
    ...more,
  })
}

function subjectOf(dice: Dice, firm: Firm | null): string {
  return filled(dice, dice.pick(SUBJECTS), firm)
}

function prose(
  { dice }: Writer,
  { name }: MailAddress,
  says: readonly [string, ...string[]],
  firm: Firm | null,
): string {
  const more = Array.from({ length: dice.below(5) }, () => dice.pick(FILLERS))
  const said = [dice.pick(says), ...more].map((sentence) => filled(dice, sentence, firm)).join(' ')
  const who = name ?? ''
  return `Hello,\n\n${said}\n\n${dice.pick(CLOSINGS)}\n${who}${dice.chance(0.5) ? `\n\n-- \n${who}\n+1 202 555 0100` : ''}`
}

const filled = (dice: Dice, text: string, firm: Firm | null): string =>
  text
    .replaceAll('{product}', () => dice.pick(PRODUCTS).toLowerCase())
    .replaceAll('{firm}', firm?.name ?? 'your company')

const addressOf = ({ email, given, family }: Person): MailAddress => called(email, `${given} ${family}`)

const stranger = (dice: Dice): string =>
  `${dice.pick(['hello', 'jo', 'team', 'mia', 'sam'])}${dice.below(900)}`

/** A domain of nobody whom the company knows. */
const outside = (dice: Dice): string => `${dice.pick(COMPANY_FIRST).toLowerCase()}-${dice.below(60)}.example`

const NEW_NAMES = [
  'Astrid Nygaard',
  'Bruno Castell',
  'Chidi Okafor',
  'Dalia Haddad',
  'Esme Thorne',
  'Farid Nasser',
  'Gwen Pritchard',
  'Hugo Marchetti',
] as const

function some<T>(list: readonly T[]): Some<T> | null {
  const [first, ...rest] = list
  return first === undefined ? null : [first, ...rest]
}
