import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newcomer } from '../../../src/core/mail/newcomers.ts'
import { addressForms, participantsOf, type Participant } from '../../../src/core/mail/people.ts'
import type { MailRules } from '../../../src/core/mail/rules.ts'
import { anyEnvelope, anyRules, envelope, facts, mailbox, people, rules } from './support.ts'

describe('participants', () => {
  test('one an address, in the strongest role, with the first name that is given', () => {
    const found = participantsOf(
      envelope({
        from: people('Jo@Acme.com'),
        to: [
          { address: 'ann@ours.com', name: null },
          { address: 'jo@acme.com', name: 'Jo Lee' },
        ],
        cc: [
          { address: 'ANN@ours.com', name: 'Ann' },
          { address: 'undisclosed', name: 'x' },
        ],
        bcc: people('bo@eu.ours.com'),
        replyTo: people('other@acme.com'),
      }),
      mailbox,
      rules(),
      facts,
    )
    expect(found).toEqual([
      { address: 'jo@acme.com', name: 'Jo Lee', role: 'from', side: 'them' },
      { address: 'ann@ours.com', name: 'Ann', role: 'to', side: 'us' },
      { address: 'bo@eu.ours.com', name: null, role: 'bcc', side: 'us' },
    ])
  })

  test('never two of one address, never something that is none, never more than are stored', () => {
    fc.assert(
      fc.property(anyEnvelope, anyRules, (one, by) => {
        const found = participantsOf(one, mailbox, by, facts).map(({ address }) => address)
        expect(new Set(found).size).toBe(found.length)
        for (const address of found) expect(address).toMatch(/^[^@\s]+@[a-z0-9.-]+\.[a-z]+$/)
      }),
    )
    const many = envelope({ to: people(...Array.from({ length: 5_000 }, (_, i) => `p${i}@acme.com`)) })
    expect(participantsOf(many, mailbox, rules(), facts).length).toBe(1_001)
  })

  test('internal domains are the configured ones, with everything below, and the own one', () => {
    const side = (address: string, by: Partial<MailRules>) =>
      participantsOf(envelope({ from: people(address) }), mailbox, rules(by), facts)[0]?.side
    expect(side('x@ours.com', {})).toBe('us')
    expect(side('x@alias.net', {})).toBe('them')
    expect(side('x@alias.net', { internalDomains: ['Alias.net'] })).toBe('us')
    expect(side('x@de.alias.net', { internalDomains: ['@alias.net'] })).toBe('us')
    expect(side('x@ours.com.evil.io', {})).toBe('them')
    expect(side('x@acme.com', { internalDomains: [''] })).toBe('them')
  })
})

describe('forms of an address', () => {
  test.each<[string, Partial<MailRules>, string[]]>([
    ['Jo+shop@Acme.com', {}, ['jo+shop@acme.com']],
    ['jo+shop@acme.com', { plusTags: true }, ['jo+shop@acme.com', 'jo@acme.com']],
    ['jo+a+b@acme.com', { plusTags: true }, ['jo+a+b@acme.com', 'jo@acme.com']],
    ['+jo@acme.com', { plusTags: true }, ['+jo@acme.com']],
    ['jo+x@yahoo.co.uk', { plusTags: true }, ['jo+x@yahoo.co.uk']],
    ['j.o@acme.com', { dots: true }, ['j.o@acme.com']],
    ['j.o+x@gmail.com', { dots: true }, ['j.o+x@gmail.com', 'jo+x@gmail.com']],
    [
      'j.o+x@googlemail.com',
      { dots: true, plusTags: true },
      ['j.o+x@googlemail.com', 'j.o@googlemail.com', 'jo@gmail.com'],
    ],
    ['jo@googlemail.com', {}, ['jo@googlemail.com']],
    ['undisclosed', { dots: true, plusTags: true }, ['undisclosed']],
  ])('%s by %j', (address, by, forms) => {
    expect(addressForms(address, rules(by))).toEqual(forms)
  })

  test('the last one is canonical: it is its own only form, and spellings of one mailbox share it', () => {
    const all = rules({ dots: true, plusTags: true })
    fc.assert(
      fc.property(
        fc.emailAddress(),
        fc.constantFrom('acme.com', 'gmail.com', 'yahoo.com'),
        (given, domain) => {
          const last = addressForms(`${given.split('@')[0]}@${domain}`, all).at(-1) ?? ''
          expect(addressForms(last, all)).toEqual([last])
        },
      ),
    )
    const spellings = ['a.b@gmail.com', 'ab+x@gmail.com', 'A.B+y.z@googlemail.com', 'ab@gmail.com']
    expect(new Set(spellings.map((address) => addressForms(address, all).at(-1)))).toEqual(
      new Set(['ab@gmail.com']),
    )
  })
})

describe('newcomers', () => {
  const person = (change: Partial<Participant> = {}): Participant => ({
    address: 'jo@mail.acme.com',
    name: 'Jo Lee',
    role: 'to',
    side: 'them',
    ...change,
  })
  const of = (
    change: Partial<Participant>,
    direction: 'sent' | 'received' = 'sent',
    by: Partial<MailRules> = {},
  ) => newcomer(person(change), direction, rules(by), facts)

  test('take name and company from what the header says', () => {
    expect(of({})).toEqual({
      kind: 'contact',
      fields: { givenName: 'Jo', familyName: 'Lee', emails: ['jo@mail.acme.com'] },
      companyDomain: 'acme.com',
    })
  })

  test.each<[string | null, object]>([
    ['Lee, Jo', { givenName: 'Jo', familyName: 'Lee' }],
    ["'Jo van der Berg'", { givenName: 'Jo', familyName: 'van der Berg' }],
    ['"Lee, Jo (Acme)"', { givenName: 'Jo', familyName: 'Lee' }],
    ['Jo Lee via Docs', { givenName: 'Jo', familyName: 'Lee' }],
    ['Jo  Lee [EXT] |', { givenName: 'Jo', familyName: 'Lee' }],
    ['Jo\u202e Lee', { givenName: 'Jo', familyName: 'Lee' }],
    ['Jo', { givenName: 'Jo' }],
    ['jo@mail.acme.com', {}],
    ['12345', {}],
    ['  ', {}],
    [null, {}],
  ])('name %j', (name, fields) => {
    expect(of({ name })).toMatchObject({ fields: { ...fields, emails: ['jo@mail.acme.com'] } })
    const made = of({ name })
    expect(made.kind === 'contact' && Object.keys(made.fields).length).toBe(Object.keys(fields).length + 1)
  })

  test('free-mail domains are nobody’s company', () => {
    expect(of({ address: 'jo@gmail.com' })).toMatchObject({ companyDomain: null })
    expect(of({ address: 'jo@mail.gmail.com' })).toMatchObject({ companyDomain: null })
  })

  test.each<[string, Partial<Participant>, 'sent' | 'received', Partial<MailRules>]>([
    ['one of us', { side: 'us' }, 'sent', {}],
    ['the rule never', {}, 'sent', { newContacts: 'never' }],
    ['received mail', { role: 'from' }, 'received', {}],
    ['a stranger’s copies', { role: 'cc' }, 'received', { newContacts: 'sent-and-received' }],
    ['the sender of sent mail', { role: 'from' }, 'sent', {}],
    ['a machine', { address: 'no-reply@acme.com' }, 'sent', {}],
    ['an unsubscribe address', { address: 'unsubscribe+12ab@acme.com' }, 'sent', {}],
    ['no address', { address: 'jo@localhost' }, 'sent', {}],
  ])('none of %s, with a reason', (_, change, direction, by) => {
    const made = of(change, direction, by)
    expect(made.kind === 'none' && made.why).toMatch(/\w{3}/)
  })

  test('received mail makes one of its author where the rules say so', () => {
    expect(of({ role: 'from' }, 'received', { newContacts: 'sent-and-received' }).kind).toBe('contact')
  })
})
