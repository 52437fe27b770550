import { type MailAddress } from '../../../src/core/mail/message.ts'
import { type Dice, dice } from '../../../src/sandbox/company/dice.ts'
import { type Letter, letter, person } from '../../../src/sandbox/mail/letter.ts'
import {
  autoReply,
  bounce,
  calendarReply,
  invitation,
  newsletter,
  reply,
  type Stamp,
} from '../../../src/sandbox/mail/makers.ts'
import { colleagueOf, customer, customersOf } from './customers.ts'

export const BLOCKED = 'blocked.example'
export const LABELS = { usual: 'Customers', private: 'Private' } as const

/** A letter as it lies in its owner's mailbox. */
export type Posted = { readonly letter: Letter; readonly labels: readonly string[]; readonly at: number }

type Kind =
  | 'talk'
  | 'bulk'
  | 'automatic'
  | 'internal'
  | 'stranger'
  | 'calendar'
  | 'bounce'
  | 'blocked'
  | 'private'

/** Of a hundred messages: two thirds are talk with customers, and every reason to leave one out occurs. */
const MIX: readonly [readonly [Kind, number], ...(readonly [Kind, number])[]] = [
  ['talk', 67],
  ['bulk', 12],
  ['automatic', 6],
  ['internal', 5],
  ['stranger', 5],
  ['calendar', 2],
  ['bounce', 1],
  ['blocked', 1],
  ['private', 1],
]
const GAP_MS = 7 * 60_000
const OPEN_THREADS = 40
const WORDS =
  'the offer we discussed covers delivery in March and a price per unit that holds for twelve months please let me know whether your team agrees with the revised schedule as our warehouse needs two weeks notice before each shipment leaves'.split(
    ' ',
  )

/** `count` letters of one mailbox, oldest first, ending at `until`; the same for the same owner and count. */
export function* lettersOf(owner: MailAddress, count: number, until: number): Generator<Posted> {
  const random = dice(count)
  const threads = new Map<
    number,
    { readonly last: Letter; readonly customer: number; readonly left: number }
  >()
  const crowd = customersOf(count)
  for (let i = 0; i < count; i++) {
    const at = until - (count - i) * GAP_MS
    const stamp: Stamp = { date: at, messageId: `${i}.${count}@${owner.address.split('@')[1] ?? ''}` }
    const kind = random.weighted(MIX)
    if (kind !== 'talk') {
      yield { ...other(kind, owner, crowd, random, stamp), at }
      continue
    }
    const place = random.below(OPEN_THREADS)
    const known = threads.get(place)
    // Some customers write much and many write little.
    const thread = known ?? {
      last: null,
      customer: Math.floor(crowd * random.next() ** 2),
      left: 1 + random.below(7),
    }
    const next =
      thread.last === null
        ? opening(owner, thread.customer, random, stamp)
        : answer(thread.last, owner, thread.customer, random, stamp)
    const left = thread.left - 1
    if (left > 0) threads.set(place, { last: next, customer: thread.customer, left })
    else threads.delete(place)
    yield { letter: dressed(next, random), labels: labelsOf(next, owner, random), at }
  }
}

function opening(owner: MailAddress, n: number, random: Dice, stamp: Stamp): Letter {
  const isOurs = random.chance(0.5)
  const them = customer(n)
  return letter({
    ...stamp,
    from: isOurs ? owner : them,
    to: [isOurs ? them : owner],
    cc: random.chance(0.2) ? [colleagueOf(n)] : [],
    subject: `About ${words(random, 4)}`,
    text: signed(isOurs ? owner : them, random),
  })
}

function answer(to: Letter, owner: MailAddress, n: number, random: Dice, stamp: Stamp): Letter {
  const isOurs = to.from?.address !== owner.address
  const from = isOurs ? owner : customer(n)
  const others = isOurs ? [] : [owner]
  const answered = reply(to, from, signed(from, random), stamp, { cc: to.cc })
  return others.length === 0 ? { ...answered, to: [customer(n)] } : { ...answered, to: others }
}

function other(
  kind: Exclude<Kind, 'talk'>,
  owner: MailAddress,
  crowd: number,
  random: Dice,
  stamp: Stamp,
): Omit<Posted, 'at'> {
  const inbox = ['INBOX', 'UNREAD']
  const to = [owner]
  const subject = `About ${words(random, 4)}`
  const n = random.below(crowd)
  const plain = (from: MailAddress) => letter({ ...stamp, from, to, subject, text: signed(from, random) })
  const sent = letter({ ...stamp, from: owner, to: [customer(n)], subject, text: words(random, 30) })
  switch (kind) {
    case 'bulk':
      return {
        letter: newsletter(person(`news@shop-${n}.example`, 'News'), owner, subject, stamp),
        labels: inbox,
      }
    case 'automatic':
      return random.chance(0.7)
        ? { letter: plain(person(`no-reply@app-${n % 50}.example`, 'App')), labels: inbox }
        : { letter: autoReply(sent, customer(n), stamp), labels: inbox }
    case 'internal':
      return { letter: plain(person(`mate-${n % 20}@ours.example`, 'A colleague')), labels: inbox }
    case 'stranger':
      return { letter: plain(person(`somebody-${random.below(1e6)}@elsewhere-${n}.example`)), labels: inbox }
    case 'calendar': {
      const asked = invitation(owner, customer(n), subject, stamp)
      return { letter: calendarReply(asked, customer(n), stamp), labels: inbox }
    }
    case 'bounce':
      return { letter: bounce(sent, [`gone-${n}@client-0.example`], stamp), labels: inbox }
    case 'blocked':
      return { letter: plain(person(`rival-${n % 10}@${BLOCKED}`)), labels: inbox }
    case 'private':
      return { letter: plain(customer(n)), labels: [...inbox, LABELS.private] }
  }
}

function labelsOf({ from }: Letter, owner: MailAddress, random: Dice): readonly string[] {
  const usual = random.chance(0.2) ? [LABELS.usual] : []
  return from?.address === owner.address ? ['SENT', ...usual] : ['INBOX', 'CATEGORY_PERSONAL', ...usual]
}

/** As mail programs send it: mostly with HTML beside the text, now and then with a file. */
function dressed(given: Letter, random: Dice): Letter {
  const paragraphs = (given.text ?? '')
    .split('\n\n')
    .map((text) => `<div style="margin:0 0 12px">${text}</div>`)
  return {
    ...given,
    html: random.chance(0.7)
      ? `<html><head><style>div{font-family:Arial}</style></head><body>${paragraphs.join('<br>')}</body></html>`
      : null,
    attachments: random.chance(0.08)
      ? [{ name: 'offer.pdf', type: 'application/pdf', content: 'x'.repeat(2_000) }]
      : [],
  }
}

const signed = ({ name, address }: MailAddress, random: Dice): string =>
  `${words(random, 60 + random.below(60))}.\n\n${words(random, 40)}.\n\n-- \n${name ?? address}\n+1 212 555 0100`

/** Words in a row, from anywhere in a sentence that has no end. */
function words(random: Dice, count: number): string {
  const from = random.below(WORDS.length)
  return Array.from({ length: count }, (_, i) => WORDS[(from + i) % WORDS.length]).join(' ')
}
