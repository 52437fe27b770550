import { describe, expect, test } from 'vitest'
import { generateCompany } from '../../src/sandbox/company/generate.ts'
import { REGULARS } from '../../src/sandbox/company/people.ts'

const NOW = Date.parse('2026-03-02T09:00:00Z')
const make = (contacts: number, seed = 1) => generateCompany({ contacts, seed, now: NOW })
const company = make(2_000)

describe('a made-up company', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(make(300, 7)).toEqual(make(300, 7))
    expect(make(300, 7).exports.contacts).not.toBe(make(300, 8).exports.contacts)
  })

  test('has 2,000 people, 300 companies and 400 deals, and scales in proportion', () => {
    const sizes = ({ people, firms, deals }: typeof company) => [people.length, firms.length, deals.length]
    expect(sizes(company)).toEqual([2_000, 300, 400])
    expect(sizes(make(20_000))).toEqual([20_000, 3_000, 4_000])
  })

  test('has enough for every story, however small it is', () => {
    const small = make(1)
    expect(small.people).toHaveLength(REGULARS)
    expect(small.members).toHaveLength(REGULARS)
    expect(small.customers).toHaveLength(REGULARS)
    expect(small.people.every(({ mail }) => mail === 'subscribed')).toBe(true)
    expect(small.deals.every(({ amount, contact }) => amount !== null && contact !== null)).toBe(true)
  })

  test('names nobody twice, and nobody real', () => {
    const emails = make(30_000).people.map(({ email }) => email)
    expect(new Set(emails).size).toBe(30_000)
    expect(emails.filter((email) => !/^[a-z0-9.]+@[a-z0-9.]+\.example$/.test(email))).toEqual([])
    expect(company.firms.filter(({ domain }) => !domain.endsWith('.example'))).toEqual([])
  })

  test('calls only numbers that are kept for fiction, each once', () => {
    const phones = make(30_000).people.flatMap(({ phone }) => phone ?? [])
    expect(new Set(phones).size).toBe(phones.length)
    const american = phones.filter((phone) => phone.startsWith('+1'))
    expect(american.length).toBeGreaterThan(1_000)
    expect(american.filter((phone) => !/^\+1\d{3}55501\d\d$/.test(phone))).toEqual([])
  })
})

describe('what its systems know', () => {
  const share = (count: number) => count / company.people.length

  test('overlaps: some people in one system, some in two, some in all three', () => {
    const systems = company.people.map(({ known }) => Object.values(known).filter(Boolean).length)
    for (const n of [1, 2, 3])
      expect(share(systems.filter((count) => count === n).length)).toBeGreaterThan(0.1)
    expect(systems).not.toContain(0)
  })

  test('has people who left the mailing list, whose mail bounced, and who never confirmed', () => {
    const statuses = Map.groupBy(company.members, ({ status }) => status)
    expect([...statuses.keys()].toSorted()).toEqual([
      'archived',
      'cleaned',
      'pending',
      'subscribed',
      'unsubscribed',
    ])
    expect(statuses.get('subscribed')?.length).toBeGreaterThan(company.members.length * 0.8)
  })

  test('has gaps, capital letters, other spellings and some customers twice', () => {
    const { members, customers, exports } = company
    expect(members.some(({ mergeFields }) => mergeFields['FNAME'] === undefined)).toBe(true)
    expect(members.some(({ email }) => /[A-Z]/.test(email))).toBe(true)
    expect(customers.some(({ phone }) => phone === null)).toBe(true)
    const byEmail = Map.groupBy(customers, ({ email }) => email.toLowerCase())
    expect([...byEmail.values()].some((same) => same.length > 1)).toBe(true)
    expect(exports.contacts).toContain('ask reception')
  })

  test('has rows in its export that nobody can read', () => {
    const [header = '', ...rows] = company.exports.contacts.trimEnd().split('\n')
    const short = rows.filter((row) => row.split(',').length < header.split(',').length)
    expect(short.length).toBeGreaterThan(0)
    expect(rows.filter((row) => row.includes('"jo "the boss" park@')).length).toBeGreaterThan(0)
    expect(rows.length).toBeLessThan(company.people.length)
  })

  test('sells in several currencies, and lines add up to their deal', () => {
    const { deals } = company
    expect(new Set(deals.map(({ currency }) => currency))).toEqual(
      new Set(['USD', 'GBP', 'EUR', 'SEK', 'JPY']),
    )
    const priced = deals.filter(({ amount, lines }) => amount !== null && lines.length > 0)
    for (const { amount, lines } of priced) {
      expect(lines.reduce((sum, { quantity, unitAmount }) => sum + quantity * unitAmount, 0)).toBe(amount)
    }
    const yen = company.exports.deals.split('\n').filter((row) => row.includes(',JPY,'))
    expect(yen.length).toBeGreaterThan(0)
    expect(yen.filter((row) => /,\d+\.\d+,JPY,/.test(row))).toEqual([])
  })

  test('has few deals won and not invoiced yet, and few without an amount', () => {
    const won = company.deals.filter(({ stage }) => stage === 'Won')
    expect(won.length).toBeGreaterThan(0)
    expect(won.length).toBeLessThan(company.deals.length * 0.06)
    const empty = company.deals.filter(({ amount }) => amount === null)
    expect(empty.length).toBeGreaterThan(0)
    expect(empty.length).toBeLessThan(company.deals.length * 0.12)
  })
})
