import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chosen } from '../../../src/core/governance/findings.ts'
import { tidyName } from '../../../src/core/governance/names.ts'
import { chooserOf, foldChoice, type Picklist } from '../../../src/core/governance/picklist.ts'

const LIST: Picklist = {
  record: 'company',
  field: 'industry',
  unknown: 'keep',
  values: [
    { value: 'Technology', synonyms: ['Tech', 'I.T.'] },
    { value: 'Health & Care', synonyms: [] },
    { value: 'C++', synonyms: [] },
    { value: 'C#', synonyms: [] },
  ],
}
const value = (said: string, unknown: Picklist['unknown'] = 'keep') =>
  chooserOf({ ...LIST, unknown }).choose(said).value

describe('a choice from a list', () => {
  it.each([
    ['tech', 'Technology'],
    [' TECHNOLOGY! ', 'Technology'],
    ['téch', 'Technology'],
    ['I T', 'Technology'],
    ['health and care', 'Health & Care'],
    ['c++', 'C++'],
    ['C #', 'C#'],
    ['C', 'C'],
    ['Retail', 'Retail'],
    ['---', '---'],
  ])('%s is %s', (said, expected) => expect(value(said)).toBe(expected))

  it('takes the value an admin named for all others', () => {
    expect(value('Retail', { map: 'Technology' })).toBe('Technology')
    expect(value('tech', { map: 'C++' })).toBe('Technology')
  })

  it('reads what it has read once as the same', () => {
    const unknown = fc.constantFrom<Picklist['unknown']>('keep', 'inbox', { map: 'C#' })
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), unknown, (said, policy) => {
        const once = value(said, policy)
        expect(value(once, policy)).toBe(once)
      }),
    )
  })

  it('does not tell case, accents and punctuation apart', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,12}$/), (word) => {
        const [first = ''] = word
        const dressed = ` ${first.toUpperCase()}\u0301${word.slice(1)}. `
        expect(foldChoice(dressed)).toBe(foldChoice(word))
      }),
    )
  })

  it('makes one of several words for it in a set', () => {
    expect(chosen(chooserOf(LIST), ['tech', 'IT', 'vip'])).toEqual(['Technology', 'vip'])
    expect(chosen(chooserOf(LIST), null)).toBeNull()
  })
})

describe('a name that was typed in capitals or small letters', () => {
  it.each([
    ['SMITH', 'Smith'],
    ['smith', 'Smith'],
    ['ANNE-MARIE', 'Anne-Marie'],
    ["O'BRIEN", "O'Brien"],
    ['MCDONALD', 'McDonald'],
    ['MCA', 'Mca'],
    ['VAN DER BERG', 'van der Berg'],
    ['zoë', 'Zoë'],
    ['JP', 'JP'],
    ['DeVito', 'DeVito'],
    ['van Gogh', 'van Gogh'],
    ['王', '王'],
    ['محمد', 'محمد'],
    ['', ''],
    ['李 ANNA', '李 Anna'],
  ])('%s is %s', (typed, tidy) => expect(tidyName(typed)).toBe(tidy))

  it('is settled by one turn, and only in case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (typed) => {
        const once = tidyName(typed)
        expect(tidyName(once)).toBe(once)
        expect(once.toLowerCase().normalize('NFC')).toBe(typed.toLowerCase().normalize('NFC'))
      }),
    )
  })
})
