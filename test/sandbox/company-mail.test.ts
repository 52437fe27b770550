import { describe, expect, test } from 'vitest'
import { dice } from '../../src/sandbox/company/dice.ts'
import { generateCompany } from '../../src/sandbox/company/generate.ts'
import { countCopies } from '../../src/sandbox/company/mail.ts'
import { openMailroom } from '../../src/sandbox/company/mailroom.ts'
import { REGULARS } from '../../src/sandbox/company/people.ts'
import { REPS } from '../../src/sandbox/company/reps.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

const NOW = Date.parse('2026-03-02T09:00:00Z')
const make = (contacts: number, seed = 1) => generateCompany({ contacts, seed, now: NOW })
const { mail, people } = make(2_000)

const roomOf = () =>
  openMailroom({ now: () => NOW, random: seeded(3), dice: dice(4), messagesPerMinute: 30_000 })

describe('the mail of a made-up company', () => {
  test('is 5,000 copies of letters for 2,000 people, and scales in proportion', () => {
    expect(countCopies(mail)).toBe(5_000)
    expect(mail.length).toBeLessThan(4_500)
    expect(countCopies(make(300).mail)).toBe(750)
    expect(countCopies(make(1).mail)).toBe(REGULARS * 2.5)
  })

  test('is of the last year, oldest first, each letter with an id of its own', () => {
    const times = mail.map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times.every((at) => Number.isInteger(at))).toBe(true)
    expect(times[0]).toBeGreaterThan(NOW - 366 * 86_400_000)
    expect(times.at(-1)).toBeLessThan(NOW - 600_000)
    expect(new Set(mail.map(({ letter }) => letter.messageId)).size).toBe(mail.length)
  })

  test('has threads: each answer names what it answers, which came before', () => {
    const sentAt = new Map(mail.map(({ letter, at }) => [letter.messageId, at]))
    const answers = mail.filter(({ letter }) => letter.inReplyTo !== null)
    expect(answers.length).toBeGreaterThan(800)
    const early = answers.filter(({ letter, at }) => !((sentAt.get(letter.inReplyTo) ?? Infinity) < at))
    expect(early).toEqual([])
  })

  test('has what a mailbox is full of', () => {
    const count = (is: (one: (typeof mail)[number]) => boolean) => mail.filter(is).length
    expect(count(({ letter }) => letter.headers['List-Id'] !== undefined)).toBeGreaterThan(300)
    expect(count(({ letter }) => letter.calendar?.method === 'REPLY')).toBeGreaterThan(50)
    expect(count(({ letter }) => letter.report !== null)).toBeGreaterThan(20)
    expect(count(({ letter }) => letter.headers['X-Auto-Response-Suppress'] === 'All')).toBeGreaterThan(50)
    expect(count(({ as }) => as === 'private')).toBeGreaterThan(50)
    expect(count(({ as }) => as === 'draft')).toBeGreaterThan(20)
    expect(count(({ letter }) => letter.cc.length > 0)).toBeGreaterThan(100)
    expect(count(({ letter }) => letter.attachments.length > 0)).toBeGreaterThan(50)
  })

  test('leaves those alone whom the stories are about', () => {
    const regulars = new Set(people.slice(0, REGULARS).map(({ email }) => email))
    const named = mail.flatMap(({ letter: { from, to, cc } }) => [from, ...to, ...cc])
    expect(named.filter((one) => one !== null && regulars.has(one.address))).toEqual([])
  })

  test('lies in the mailboxes of those who sent or got it, at their vendors', async () => {
    const room = roomOf()
    const small = make(300)
    await room.fill(small.mail)
    const { gmail, graph } = room
    const held = REPS.map(({ address, host }) =>
      host === 'gmail' ? gmail.people.messages(address).length : graph.people.messages(address).length,
    )
    expect(held.reduce((sum, n) => sum + n, 0)).toBe(750)
    expect(Math.min(...held)).toBeGreaterThan(60)
    const shared = small.mail.filter(
      ({ letter }) => room.mail.mailboxesWith(letter.messageId ?? '').length > 1,
    )
    expect(shared.length).toBeGreaterThan(20)
  })
})

test('people write, answer everybody, and label, wherever their mailboxes are', async () => {
  const room = roomOf()
  const [first, , , , fifth] = REPS
  const both = [first.address, fifth?.address ?? '']
  const from = { address: 'jo@acme.example', name: 'Jo' }
  const asked = await room.mail.write({ from, to: both, subject: 'Price', text: 'How much?', at: NOW })
  expect(room.mail.mailboxesWith(asked)).toEqual(both)
  const answered = await room.mail.answer(first.address, asked, 'Twelve.')
  expect(room.mail.mailboxesWith(answered)).toEqual(both)
  const [sent] = room.gmail.people.messages(first.address)
  expect(sent?.raw.toString()).toContain(`In-Reply-To: <${asked}>`)
  for (const rep of both) room.mail.label(rep, asked, 'Private')
  const [, labelled] = room.gmail.people.messages(first.address)
  expect(labelled?.labels.some((label) => label.startsWith('Label_'))).toBe(true)
  const inOutlook = room.graph.people.messages(both[1] ?? '').find(({ letter }) => letter.messageId === asked)
  expect(inOutlook?.categories).toEqual(['Private'])
  expect(() => room.mail.label(first.address, 'nobody@acme.example', 'Private')).toThrow('no message')
})
