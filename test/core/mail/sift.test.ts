import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Envelope, MailFlag } from '../../../src/core/mail/message.ts'
import { newcomer } from '../../../src/core/mail/newcomers.ts'
import { participantsOf } from '../../../src/core/mail/people.ts'
import { sift } from '../../../src/core/mail/sift.ts'
import { anyRules, anySeen, facts, judged, mailbox, NOON, people, rules, seen, shown } from './support.ts'

const ours = people('ann@ours.com')
const customer = people('jo@acme.com')
const toCustomer: Partial<Envelope> = { from: ours, to: customer }

describe('direction', () => {
  test.each<[string, Partial<Envelope>, MailFlag[], string]>([
    ['a customer writes', {}, [], 'received'],
    ['the owner writes', toCustomer, ['sent'], 'sent'],
    ['the owner writes, seen in the inbox by way of a copy to self', { ...toCustomer, cc: ours }, [], 'sent'],
    [
      'a colleague writes to a customer with the owner in copy',
      { from: people('bo@ours.com'), to: customer, cc: ours },
      [],
      'sent',
    ],
    [
      'a colleague of a branch writes',
      { from: people('bo@eu.ours.com'), to: customer, cc: ours },
      [],
      'sent',
    ],
    [
      'the owner writes by a send-as alias',
      { from: people('ann@alias.net'), to: customer },
      ['sent'],
      'sent',
    ],
    [
      'the owner writes by an alias the vendor did not list',
      { from: people('a@unlisted.io'), to: customer },
      ['sent'],
      'sent',
    ],
    ['a received message was moved to the sent folder', {}, ['sent'], 'received'],
    [
      'the assistant sends for the owner',
      { ...toCustomer, sender: people('bo@ours.com')[0] ?? null },
      ['sent'],
      'sent',
    ],
    ['a customer has our address as Sender', { sender: ours[0] ?? null }, [], 'received'],
    ['only the Sender is known', { from: [], sender: customer[0] ?? null }, [], 'received'],
    ['only blind recipients', { from: ours, to: [], bcc: customer }, ['sent'], 'sent'],
    ['another domain that ends alike', { from: people('jo@notours.com') }, [], 'received'],
    ['capitals do not matter', { from: people('Ann@OURS.com'), to: customer }, ['sent'], 'sent'],
  ])('%s', (_, change, flags, direction) => {
    expect(shown(judged(change, { flags }))).toBe(direction)
  })

  test('a free-mail mailbox has no colleagues', () => {
    const box = { id: 'b', address: 'ann@gmail.com', addresses: ['ann@gmail.com'] }
    const from = (address: string) =>
      shown(sift(seen({ from: people(address), to: people('ann@gmail.com') }), box, rules(), facts))
    expect(from('jo@gmail.com')).toBe('received')
    expect(from('ann@gmail.com')).toBe('internal')
  })

  test('both copies of one message say the same', () => {
    const change = { from: ours, to: customer, cc: people('bo@ours.com') }
    const bo = { id: 'bo', address: 'bo@ours.com', addresses: ['bo@ours.com'] }
    expect(shown(judged(change, { flags: ['sent'] }))).toBe('sent')
    expect(shown(sift(seen(change), bo, rules(), facts))).toBe('sent')
  })
})

describe('what is kept out', () => {
  test.each<[string, Partial<Envelope>, string]>([
    ['List-Id', { headers: { 'list-id': '<news.acme.com>' } }, 'bulk'],
    ['List-Post: NO', { headers: { 'list-post': 'NO' } }, 'bulk'],
    ['an empty List-Unsubscribe', { headers: { 'list-unsubscribe': '' } }, 'bulk'],
    ['Feedback-ID', { headers: { 'feedback-id': '1:2:3:x' } }, 'bulk'],
    ['Precedence: Bulk', { headers: { precedence: ' Bulk' } }, 'bulk'],
    ['Precedence twice', { headers: { precedence: 'first-class, junk' } }, 'bulk'],
    [
      'a newsletter of ours',
      { ...toCustomer, headers: { 'list-unsubscribe': '<https://ours.com/u>' } },
      'bulk',
    ],
    ['Precedence: first-class', { headers: { precedence: 'first-class' } }, 'received'],
    ['Precedence: auto_reply', { headers: { precedence: 'auto_reply' } }, 'automatic'],
    [
      'Auto-Submitted: auto-replied',
      { headers: { 'auto-submitted': 'auto-replied; owner-email="x"' } },
      'automatic',
    ],
    ['Auto-Submitted: auto-generated', { headers: { 'auto-submitted': 'AUTO-Generated' } }, 'automatic'],
    ['Auto-Submitted of no known kind', { headers: { 'auto-submitted': 'maybe' } }, 'automatic'],
    ['Auto-Submitted: empty', { headers: { 'auto-submitted': '' } }, 'automatic'],
    ['Auto-Submitted: no', { headers: { 'auto-submitted': 'No (by hand)' } }, 'received'],
    ['Auto-Submitted: nope', { headers: { 'auto-submitted': 'nope' } }, 'automatic'],
    ['X-Autoreply: yes', { headers: { 'x-autoreply': 'yes' } }, 'automatic'],
    ['X-Auto-Response-Suppress: All', { headers: { 'x-auto-response-suppress': 'All' } }, 'automatic'],
    ['X-Auto-Response-Suppress: None', { headers: { 'x-auto-response-suppress': 'None' } }, 'received'],
    [
      'a read receipt',
      { headers: { 'content-type': 'multipart/report; report-type=disposition-notification' } },
      'automatic',
    ],
    ['no-reply', { from: people('no-reply@acme.com') }, 'automatic'],
    ['noreply with a number', { from: people('noreply2@acme.com') }, 'automatic'],
    ['a worded no-reply', { from: people('orders.do_not_reply@acme.com') }, 'automatic'],
    ['donotreply as Sender', { sender: people('donotreply@acme.com')[0] ?? null }, 'automatic'],
    ['a no-reply Reply-To', { replyTo: people('noreply@acme.com') }, 'automatic'],
    ['somebody called Noreen Plympton', { from: people('noreplympton@acme.com') }, 'received'],
    ['a VERP sender', { from: people('bounce+abc=x@acme.com') }, 'automatic'],
    ['a delivery report', { bounce: { recipients: [] }, from: people('mailer-daemon@acme.com') }, 'bounce'],
    ['X-Failed-Recipients', { headers: { 'x-failed-recipients': 'a@b.de' } }, 'bounce'],
    [
      'multipart/report',
      { headers: { 'content-type': 'Multipart/Report; report-type="delivery-status"' } },
      'bounce',
    ],
    ['an empty Return-Path', { headers: { 'return-path': '<>' } }, 'bounce'],
    [
      'an out-of-office note',
      { headers: { 'return-path': '<>', 'auto-submitted': 'auto-replied' } },
      'automatic',
    ],
    [
      'a delivery report that says it is automatic',
      {
        headers: { 'return-path': '< >', 'auto-submitted': 'auto-replied' },
        from: people('postmaster@acme.com'),
      },
      'bounce',
    ],
    [
      'a bounce of our own server',
      { bounce: { recipients: [] }, from: people('postmaster@ours.com') },
      'bounce',
    ],
    ['a calendar answer', { calendar: 'REPLY' }, 'calendar'],
    ['a cancellation', { calendar: 'cancel' }, 'calendar'],
    ['a calendar part of no method', { calendar: '' }, 'calendar'],
    ['an invitation sent by hand', { calendar: 'REQUEST' }, 'received'],
    [
      'an invitation by a calendar',
      { calendar: 'REQUEST', headers: { 'auto-submitted': 'auto-generated' } },
      'automatic',
    ],
    ['colleagues among themselves', { from: ours, to: people('bo@ours.com') }, 'internal'],
    ['the owner to the owner', { from: ours, to: people('ann@alias.net') }, 'internal'],
    ['colleagues by an X.500 name', { from: ours, to: people('/o=ours/cn=bo') }, 'internal'],
    ['colleagues with a customer blind', { from: ours, to: people('bo@ours.com'), bcc: customer }, 'sent'],
    ['no From', { from: [] }, 'unclear'],
    ['a From that is no address', { from: people('/o=acme/cn=jo') }, 'unclear'],
    ['one of two From that is no address', { from: people('jo@acme.com', 'undisclosed') }, 'unclear'],
    ['no time', { at: Number.NaN }, 'unclear'],
    [
      '1,001 recipients',
      { to: people(...Array.from({ length: 1_001 }, (_, i) => `p${i}@acme.com`)) },
      'unclear',
    ],
    [
      '1,000 recipients',
      { to: people(...Array.from({ length: 1_000 }, (_, i) => `p${i}@acme.com`)) },
      'received',
    ],
  ])('%s', (_, change, verdict) => {
    expect(shown(judged(change))).toBe(verdict)
  })

  test.each<[string, string[] | null, string[], string]>([
    ['the label itself', ['PRIVATE'], ['private'], 'private'],
    ['nested by a slash', ['Private/Family'], ['private'], 'private'],
    ['nested by a dot', ['INBOX.Private.Family'], ['private'], 'private'],
    ['below another label', ['Work/Private'], ['private'], 'private'],
    ['a nested entry', ['Work/HR/Cases'], ['work / hr'], 'private'],
    ['only half of a nested entry', ['Work'], ['work/hr'], 'received'],
    ['a label that begins alike', ['Privateer'], ['private'], 'received'],
    ["Gmail's category", ['CATEGORY_PERSONAL'], ['personal'], 'received'],
    ['full-width letters', ['Ｐrivate'], ['private'], 'private'],
    ['an empty entry', ['INBOX'], ['', ' / '], 'received'],
    ['unreadable labels', null, ['private'], 'unclear'],
    ['unreadable labels and no rule', null, [], 'unclear'],
  ])('labels: %s', (_, labels, privateLabels, verdict) => {
    expect(shown(judged({}, { labels }, { privateLabels }))).toBe(verdict)
  })

  test.each<[string, Partial<Envelope>, string]>([
    ['jo@acme.com', {}, 'blocked'],
    ['JO@acme.com ', { from: people('jo+tag@acme.com') }, 'blocked'],
    ['acme.com', {}, 'blocked'],
    ['@Acme.com', { from: people('jo@mail.acme.com') }, 'blocked'],
    ['*.acme.com', { from: people('jo@mail.acme.com') }, 'blocked'],
    ['*@acme.com', {}, 'blocked'],
    ['me.com', {}, 'received'],
    ['', {}, 'received'],
    ['bo@acme.com', {}, 'received'],
    ['law.org', { cc: people('x@law.org') }, 'blocked'],
    ['law.org', { replyTo: people('x@law.org') }, 'blocked'],
    ['law.org', { ...toCustomer, bcc: people('x@law.org') }, 'blocked'],
    ['jo.e@gmail.com', { from: people('joe+a@googlemail.com') }, 'blocked'],
  ])('blocked %j', (entry, change, verdict) => {
    expect(shown(judged(change, {}, { blocked: [entry] }))).toBe(verdict)
  })

  test.each<[MailFlag[], string]>([
    [['draft', 'sent'], 'draft'],
    [['chat'], 'chat'],
    [['spam'], 'spam'],
    [['trash', 'sent'], 'trash'],
  ])('the mailbox says %j', (flags, reason) => {
    expect(shown(judged({}, { flags }))).toBe(reason)
  })

  test('from before the rule since, to the millisecond', () => {
    expect(shown(judged({}, {}, { since: NOON + 1 }))).toBe('too-old')
    expect(shown(judged({}, {}, { since: NOON }))).toBe('received')
  })

  test('the detail names the rule and nothing of the message', () => {
    const verdict = judged(
      {
        from: people('noreply@secret.org'),
        headers: { 'list-id': '<secret.list>', 'feedback-id': 'secret' },
      },
      { labels: ['Private/Secret'] },
    )
    expect(JSON.stringify(verdict)).not.toMatch(/secret/i)
    expect(JSON.stringify(judged({ from: people('noreply@secret.org') }))).not.toMatch(/secret/)
  })
})

describe('which copies make contacts', () => {
  const makes = (...args: Parameters<typeof judged>) => {
    const verdict = judged(...args)
    return verdict.kind === 'pass' && verdict.makesContacts
  }
  test('sent mail, by the word of the vendor and not of a From that anyone can write', () => {
    expect(makes(toCustomer, { flags: ['sent'] })).toBe(true)
    expect(makes(toCustomer)).toBe(false)
    expect(makes({ ...toCustomer, cc: ours }, {}, { newContacts: 'sent-and-received' })).toBe(false)
  })
  test('received mail only where the rules say so', () => {
    expect(makes()).toBe(false)
    expect(makes({}, {}, { newContacts: 'sent-and-received' })).toBe(true)
    expect(makes(toCustomer, { flags: ['sent'] }, { newContacts: 'never' })).toBe(false)
  })
  test('lists and machines never, even where they are let in', () => {
    const all = { bulk: 'log', automatic: 'log', newContacts: 'sent-and-received' } as const
    const headers = { 'list-id': '<x>' }
    expect(makes({ headers }, {}, all)).toBe(false)
    expect(makes({ ...toCustomer, headers }, { flags: ['sent'] }, all)).toBe(false)
    expect(makes({ from: people('noreply@acme.com') }, {}, all)).toBe(false)
  })
})

describe('whatever comes', () => {
  test('it never throws, decides the same again, and what was filtered says why', () => {
    fc.assert(
      fc.property(anySeen, anyRules, (one, by) => {
        const verdict = sift(one, mailbox, by, facts)
        expect(sift(structuredClone(one), mailbox, structuredClone(by), facts)).toEqual(verdict)
        expect(verdict.kind === 'pass' || verdict.detail.length > 5).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  test('facts about domains that fail keep the message out', () => {
    const broken = {
      ...facts,
      isFreeMail: () => {
        throw new Error('no list')
      },
    }
    expect(shown(sift(seen(), mailbox, rules(), broken))).toBe('unclear')
  })

  test('a private label keeps out whatever comes, and hides no earlier reason', () => {
    const earlier = new Set(['draft', 'chat', 'spam', 'trash', 'too-old', 'unclear'])
    fc.assert(
      fc.property(anySeen, anyRules, (one, by) => {
        const strict = { ...by, privateLabels: ['private'] }
        const labels = one.labels === null ? null : [...one.labels, 'Private']
        const before = shown(sift(one, mailbox, strict, facts))
        expect(shown(sift({ ...one, labels }, mailbox, strict, facts))).toBe(
          earlier.has(before) ? before : 'private',
        )
      }),
      { numRuns: 1_000 },
    )
  })

  test('stricter rules never let more in', () => {
    fc.assert(
      fc.property(anySeen, anyRules, anyRules, (one, by, other) => {
        const stricter = {
          ...by,
          since: Math.max(by.since ?? 0, other.since ?? 0),
          blocked: [...by.blocked, ...other.blocked],
          privateLabels: [...by.privateLabels, ...other.privateLabels],
          internalDomains: [...by.internalDomains, ...other.internalDomains],
          bulk: 'filter' as const,
          automatic: 'filter' as const,
        }
        const before = sift(one, mailbox, by, facts)
        const after = sift(one, mailbox, stricter, facts)
        expect(before.kind === 'filter' && after.kind === 'pass').toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  test('neither machines nor colleagues become contacts', () => {
    fc.assert(
      fc.property(anySeen, anyRules, (one, by) => {
        const verdict = sift(one, mailbox, by, facts)
        if (verdict.kind === 'filter' || !verdict.makesContacts) return
        for (const person of participantsOf(one.envelope, mailbox, by, facts)) {
          const made = newcomer(person, verdict.direction, by, facts)
          if (made.kind === 'none') continue
          expect(person.side).toBe('them')
          expect(by.newContacts).not.toBe('never')
          expect(made.fields['emails']).toEqual([person.address])
          expect(person.address).not.toMatch(/noreply|daemon|bounce/)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('the sample is not all filtered: properties above see both', () => {
    const kinds = fc
      .sample(fc.tuple(anySeen, anyRules), { numRuns: 1_000, seed: 1 })
      .map(([one, by]) => shown(sift(one, mailbox, by, facts)))
    expect(kinds.filter((kind) => kind === 'sent' || kind === 'received').length).toBeGreaterThan(50)
    expect(new Set(kinds).size).toBeGreaterThan(8)
  })
})
