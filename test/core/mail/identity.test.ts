import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keep } from '../../../src/core/mail/content.ts'
import { dealOf } from '../../../src/core/mail/deals.ts'
import { fingerprintOf, identityText, sameMessage } from '../../../src/core/mail/identity.ts'
import { relatedIds } from '../../../src/core/mail/thread.ts'
import { anyEnvelope, envelope, message, NOON, people } from './support.ts'

describe('the identity of a message', () => {
  test('is the same in the copies of sender and recipients', () => {
    fc.assert(
      fc.property(anyEnvelope, fc.nat(1e9), (one, later) => {
        const sent = { ...one, sentAt: Number.isFinite(one.sentAt) ? one.sentAt : NOON }
        const received = {
          ...sent,
          bcc: [],
          at: NOON + later,
          to: sent.to.toReversed(),
          headers: { 'return-path': '<x@y.z>' },
        }
        const [mine, theirs] = [message(sent), { ...message(received), html: '<p>x</p>', signature: 'x' }]
        expect(identityText(mine)).toBe(identityText(theirs))
        expect(sameMessage(fingerprintOf(mine), fingerprintOf(theirs))).toBe(true)
      }),
    )
  })

  test('is the Message-ID as it is written: its case counts', () => {
    expect(identityText(message({ messageId: ' AbC@x ' }))).toBe('id:AbC@x')
  })

  test('without a Message-ID tells apart what differs in anything the sender gave', () => {
    const none = { messageId: null }
    const variants = [
      message(none),
      message({ ...none, sentAt: NOON + 1_000 }),
      message({ ...none, from: people('bo@acme.com') }),
      message({ ...none, cc: people('bo@acme.com') }),
      message(none, { subject: 'Other' }),
      message(none, { text: 'Other' }),
      message(none, { attachments: [{ name: 'scan.pdf', type: 'application/pdf', size: 10 }] }),
      message(none, { attachments: [{ name: 'scan.pdf', type: 'application/pdf', size: 11 }] }),
      message({ ...none, sentAt: null }),
      message({ ...none, sentAt: null, at: NOON + 1 }),
      message({ messageId: '  ', from: people('eve@acme.com') }),
    ]
    expect(new Set(variants.map(identityText)).size).toBe(variants.length)
    expect(variants.map(identityText).every((text) => text.startsWith('fp:'))).toBe(true)
  })

  test('a fingerprint cannot be forged into an id, nor the other way round', () => {
    expect(identityText(message({ messageId: 'fp:[]' }))).toBe('id:fp:[]')
  })

  test('one id given to two messages: author and Date tell them apart', () => {
    const one = { from: 'a@b.de', sentAt: NOON }
    expect(sameMessage(one, { ...one, sentAt: NOON + 999 })).toBe(true)
    expect(sameMessage(one, { ...one, sentAt: NOON + 1_000 })).toBe(false)
    expect(sameMessage(one, { ...one, from: 'c@b.de' })).toBe(false)
    expect(sameMessage(one, { ...one, sentAt: null })).toBe(false)
    expect(sameMessage({ ...one, sentAt: null }, { ...one, sentAt: null })).toBe(true)
  })
})

describe('ids of a thread', () => {
  test('own, answered, references, each once', () => {
    const ids = relatedIds(envelope({ messageId: 'c', inReplyTo: ['b'], references: ['a', 'b', ''] }))
    expect(ids).toEqual(['c', 'b', 'a'])
  })

  test('of a thousand the root and the newest stay', () => {
    const references = Array.from({ length: 1_000 }, (_, i) => `r${i}`)
    const ids = relatedIds(envelope({ references, inReplyTo: ['r999'] }))
    expect(ids.length).toBeLessThanOrEqual(100)
    for (const id of ['one@acme.com', 'r0', 'r19', 'r950', 'r999']) expect(ids).toContain(id)
  })

  test('are bounded, whatever comes', () => {
    fc.assert(
      fc.property(anyEnvelope, (one) => {
        const ids = relatedIds(one)
        expect(ids.length).toBeLessThanOrEqual(100)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.every((id) => id.trim() !== '' && id.length <= 998)).toBe(true)
      }),
    )
    expect(relatedIds(envelope({ messageId: null, references: ['x'.repeat(999)] }))).toEqual([])
  })
})

describe('what is kept', () => {
  const full = message(
    {},
    { html: '<p>x</p>', quoted: 'q', signature: 's', attachments: [{ name: 'a', type: 'b', size: 1 }] },
  )
  test('none, the subject, or everything; never more at a lower level', () => {
    expect(keep(full, 'none')).toEqual({
      subject: null,
      text: null,
      quoted: null,
      signature: null,
      html: null,
      attachments: [],
    })
    expect(keep(full, 'subject')).toEqual({ ...keep(full, 'none'), subject: 'Offer' })
    const { envelope: _, ...content } = full
    expect(keep(full, 'full')).toEqual(content)
    expect(keep(keep(full, 'subject'), 'full')).toEqual(keep(full, 'subject'))
  })
})

describe('the open deal', () => {
  const deal = (id: number, contact: number | null, company: number | null) => ({ id, contact, company })
  test.each([
    ['one of the contact', [deal(1, 7, 9), deal(2, 8, 9)], 1],
    ['two of the contact', [deal(1, 7, null), deal(2, 7, 9)], null],
    ['none of the contact, one of the company', [deal(2, 8, 9)], 2],
    ['none of the contact, two of the company', [deal(2, 8, 9), deal(3, null, 9)], null],
    ['the same one twice', [deal(1, 7, 9), deal(1, 7, 9)], 1],
    ['others only', [deal(1, 8, 10)], null],
    ['none', [], null],
  ])('%s', (_, open, id) => {
    expect(dealOf(open, 7, 9)).toBe(id)
  })
  test('no company is not a company', () => {
    expect(dealOf([deal(1, null, null)], 7, null)).toBeNull()
  })
})
