import { describe, expect, test } from 'vitest'
import { ERASED_TEXT, patternsOf, scrubberOf, tracesOf } from '../../src/core/privacy.ts'

const scrub = (phone: string, text: string): string =>
  scrubberOf(patternsOf(tracesOf([{ phones: [phone] }])))(text)

describe('a telephone number is taken out however it is written', () => {
  test.each([
    ['+15550102030', '555-010-2030'],
    ['+442079460958', '+44 (0)20 7946 0958'],
    ['+442079460958', '0044 20 7946 0958'],
    ['+4930901820', '030 901820'],
    ['+4930901820', '+49 30 90 18 20'],
    // Countries whose numbers begin with no zero at home.
    ['+34612345678', '612 345 678'],
    ['+4520123456', '20 12 34 56'],
    // Countries whose code has one or three digits.
    ['+353861234567', '086 123 4567'],
    ['+351912345678', '912 345 678'],
    ['+79161234567', '916 123-45-67'],
    ['+79161234567', '8 (916) 123-45-67'],
  ])('%s as %s', (phone, written) => {
    expect(scrub(phone, `Call ${written}, please`)).toBe(`Call ${ERASED_TEXT}, please`)
  })

  test.each([
    ['+34612345678', '1612345678'],
    ['+353861234567', '3861234567'],
    ['+4930901820', '901820'],
  ])('%s leaves %s alone', (phone, other) => {
    expect(scrub(phone, other)).toBe(other)
  })

  test('and JSON stays JSON, whatever amounts are in it', () => {
    const json = JSON.stringify({ amount: 20123456, phone: '20 12 34 56' })
    expect(JSON.parse(scrub('+4520123456', json))).toEqual({ amount: 20123456, phone: ERASED_TEXT })
  })
})

test('a name is taken out as a word, and not out of other words, in any of the European alphabets', () => {
  const scrubber = scrubberOf(patternsOf(tracesOf([{ givenName: 'Le', familyName: 'Анна' }])))
  expect(scrubber('Leçon, éLe, Аннабель: Le, Анна')).toBe(
    `Leçon, éLe, Аннабель: ${ERASED_TEXT}, ${ERASED_TEXT}`,
  )
  expect(scrubber('a\\nLe')).toBe(`a\\n${ERASED_TEXT}`)
})
