import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choosersOf, type Picklist } from '../../src/core/governance/picklist.ts'
import { NO_GOVERNANCE, type Governance } from '../../src/core/governance/rules.ts'
import { same, type Json } from '../../src/core/json.ts'
import type { Fields } from '../../src/core/model.ts'
import { withChoice } from '../../src/mappings/choices.ts'
import type { Codec } from '../../src/mappings/codec.ts'
import { list } from '../../src/mappings/codecs/list.ts'
import { name } from '../../src/mappings/codecs/name.ts'
import { picklist } from '../../src/mappings/codecs/picklist.ts'
import { text } from '../../src/mappings/codecs/text.ts'
import { governed } from '../../src/mappings/governed.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { normalise, unlisted } from '../../src/mappings/normalise.ts'
import { formatProblem } from '../../src/mappings/problem.ts'

const VALUES = [
  { value: 'Technology', synonyms: ['Tech', 'IT'] },
  { value: 'Other', synonyms: [] },
]
const DEFAULTS = { country: 'US', currency: 'USD' }
function rules(unknown: Picklist['unknown'], names: Governance['names'] = 'tidy'): Governance {
  const picklists: Picklist[] = [
    { record: 'contact', field: 'jobTitle', values: VALUES, unknown },
    { record: 'contact', field: 'tags', values: VALUES, unknown },
  ]
  return { ...NO_GOVERNANCE, names, picklists, choosers: choosersOf(picklists) }
}

const POLICIES: readonly Picklist['unknown'][] = ['keep', 'inbox', { map: 'Other' }]
const WRAPPED: readonly (readonly [string, (unknown: Picklist['unknown']) => Codec])[] = [
  ['text', (unknown) => governed(text(), 'contact', ['jobTitle'], rules(unknown))],
  ['text, null for empty', (unknown) => governed(text({}, null), 'contact', ['jobTitle'], rules(unknown))],
  [
    'a picklist of the remote',
    (unknown) =>
      governed(
        picklist({ values: { t1: 'Technology', o: 'Other' } }),
        'contact',
        ['jobTitle'],
        rules(unknown),
      ),
  ],
  ['a list', (unknown) => governed(list(text()), 'contact', ['tags'], rules(unknown))],
  [
    'a list in one text',
    (unknown) => governed(list(text(), { separator: ',' }), 'contact', ['tags'], rules(unknown)),
  ],
  ['a family name', (unknown) => governed(text(), 'contact', ['familyName'], rules(unknown))],
  ['a full name', (unknown) => governed(name(), 'contact', ['givenName', 'familyName'], rules(unknown))],
]
const raw: fc.Arbitrary<Json> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom<Json>('Tech', 'tech', 'IT, vip', 't1', 'ANN LEE', 'ann van lee', null, ''),
  fc.array(fc.constantFrom('Tech', 'it', 'vip', 'Technology'), { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>,
)

describe.each(WRAPPED)('%s, read by the rules', (_, make) => {
  it('reads what it has written as the same, and nothing else would be written back', () => {
    fc.assert(
      fc.property(raw, fc.constantFrom(...POLICIES), (said, unknown) => {
        const codec = make(unknown)
        const read = codec.get(said)
        if (read.kind !== 'value') return
        const back = codec.get(codec.put(read.value))
        if (back.kind !== 'value') throw new Error(`${JSON.stringify(read.value)} cannot be read back`)
        expect(!codec.exact || same(back.value, read.value)).toBe(true)
        const again = codec.get(codec.put(back.value))
        expect(again.kind === 'value' && same(again.value, back.value)).toBe(true)
      }),
    )
  })

  it('offers samples that it reads as themselves', () => {
    for (const unknown of POLICIES)
      for (const sample of make(unknown).samples) {
        const back = make(unknown).get(make(unknown).put(sample))
        expect(back).toEqual({ kind: 'value', value: sample })
      }
  })
})

describe('what people and the API write', () => {
  const written = (value: Json, unknown: Picklist['unknown']) =>
    normalise('contact', 'jobTitle', value, DEFAULTS, rules(unknown))

  it('agrees with what systems write', () => {
    expect(written('tech', 'keep')).toEqual({ kind: 'value', value: 'Technology' })
    expect(written('Pilot', { map: 'Other' })).toEqual({ kind: 'value', value: 'Other' })
    expect(normalise('contact', 'familyName', 'SMITH', DEFAULTS, rules('keep'))).toEqual({
      kind: 'value',
      value: 'Smith',
    })
    expect(normalise('contact', 'familyName', 'SMITH', DEFAULTS, rules('keep', 'keep'))).toEqual({
      kind: 'value',
      value: 'SMITH',
    })
  })

  it('is refused where a value would have to be asked about, with the nearest one named', () => {
    const refused = (before: Fields | null, given: Fields, unknown: Picklist['unknown'] = 'inbox') =>
      unlisted('contact', before, given, rules(unknown)).map(({ message }) => message)
    expect(refused(null, { jobTitle: 'Technologie' })).toEqual([
      'jobTitle: "Technologie" is not on its list. Did you mean "Technology"?',
    ])
    expect(refused(null, { jobTitle: null, owner: 'Technologie' })).toEqual([])
    expect(refused(null, { jobTitle: 'Technologie' }, 'keep')).toEqual([])
    expect(refused({ tags: null }, { tags: ['Technology', 'vip'] })).toHaveLength(1)
  })

  it('may hold what the record held already', () => {
    const before = { jobTitle: 'Technologie', tags: ['vip'] }
    expect(unlisted('contact', before, { ...before, tags: ['vip', 'Technology'] }, rules('inbox'))).toEqual(
      [],
    )
    expect(unlisted('contact', before, { tags: ['vip', 'vap'] }, rules('inbox'))).toHaveLength(1)
  })

  it('loses what copying leaves behind and nobody sees', () => {
    expect(normalise('contact', 'jobTitle', '\u202aTech\u200b\u00ad\ufeff', DEFAULTS, rules('keep'))).toEqual(
      {
        kind: 'value',
        value: 'Technology',
      },
    )
    expect(normalise('contact', 'jobTitle', '\u200b', DEFAULTS)).toEqual({ kind: 'value', value: null })
  })
})

const CATALOG = { connectors: { csv: ['companies'] }, mail: [] }
function problems(...texts: readonly string[]): readonly string[] {
  const loaded = loadConfiguration(
    texts.map((content, i) => ({ name: `${i}.yaml`, text: content })),
    CATALOG,
  )
  return loaded.kind === 'ok' ? [] : loaded.problems.map(formatProblem)
}
const listed = (more: string) => `picklists:\n  - { record: company, field: industry, ${more} }`

describe('a mistake in the rules is told with its place and what to do', () => {
  it.each<[string, readonly string[], string]>([
    [
      'an unknown field',
      ['picklists:\n  - { record: company, field: industri, values: [A] }'],
      'a company has no field "industri". Fix: Did you mean "industry"?',
    ],
    [
      'a field without choices',
      ['picklists:\n  - { record: company, field: employees, values: [A] }'],
      'employees holds no choices but integer',
    ],
    [
      'a computed field',
      ['picklists:\n  - { record: deal, field: paymentStatus, values: [A] }'],
      'paymentStatus is computed by the hub',
    ],
    ['a value listed twice', [listed('values: [Retail, Retail]')], '"Retail" is listed twice'],
    [
      'values told apart by case alone',
      [listed('values: [Retail, retail]')],
      '"retail" and "Retail" are told apart by nothing but case',
    ],
    [
      'a synonym of two values',
      [listed('values: [{ value: A, synonyms: [x] }, { value: B, synonyms: [X] }]')],
      '0.yaml:2:102  picklists[0].values[1].synonyms[0]: "X" belongs to "A" already',
    ],
    [
      'a synonym that is another value',
      [listed('values: [{ value: A, synonyms: [b] }, B]')],
      '"b" belongs to "B" already',
    ],
    [
      'others that become no value',
      [listed('values: [Retail], unknown: { map: Retial }')],
      '"Retial" is not on the list. Fix: Did you mean "Retail"?',
    ],
    ['another policy', [listed('values: [Retail], unknown: ask')], '"ask" is not'],
    [
      'two lists of one field',
      [`${listed('values: [A]')}\n${listed('values: [B]').split('\n')[1]}`],
      'industry has a list already',
    ],
    [
      'a stage of no pipeline',
      [
        'pipelines: [{ name: S, stages: [{ name: Proposal, outcome: open }] }]',
        'picklists:\n  - { record: deal, field: stage, values: [Propsal] }',
      ],
      'no pipeline has the stage "Propsal". Fix: Did you mean "Proposal"?',
    ],
    [
      'two stages told apart by case alone',
      ['pipelines: [{ name: S, stages: [{ name: Won, outcome: won }, { name: "won ", outcome: lost }] }]'],
      'there are two stages "won "',
    ],
    [
      'two pipelines told apart by case alone',
      [
        'pipelines: [{ name: S, stages: [{ name: A, outcome: won }] }, { name: s, stages: [{ name: A, outcome: lost }] }]',
      ],
      'there are two pipelines "s"',
    ],
    [
      'a stage that needs an unknown field',
      ['pipelines: [{ name: S, stages: [{ name: P, outcome: open, enter: [amout] }] }]'],
      'a deal has no field "amout". Fix: Did you mean "amount"?',
    ],
    [
      'a stage that needs what the hub computes',
      ['pipelines: [{ name: S, stages: [{ name: P, outcome: open, enter: [paymentStatus] }] }]'],
      'nobody can fill it in',
    ],
    [
      'a way out of where nothing goes on',
      ['pipelines: [{ name: S, stages: [{ name: W, outcome: won, exit: [amount] }] }]'],
      '"W" is won: nothing goes on from it',
    ],
    [
      'a required field nobody can write',
      ['quality: { required: { contact: [emailConsent] } }'],
      'no stream and no person can give it',
    ],
    [
      'an unknown required field',
      ['quality: { required: { contact: [surname] } }'],
      'a contact has no field "surname"',
    ],
    [
      'a required field listed twice',
      ['quality: { required: { deal: [name, name] } }'],
      'name is listed twice',
    ],
    [
      'a kind nothing is required of',
      ['quality: { required: { invoice: [total] } }'],
      'unknown key "invoice"',
    ],
  ])('%s', (_, texts, message) => {
    expect(problems(...texts).join('\n')).toContain(message)
  })

  it('a column that cuts the values of a list short', () => {
    const connection =
      'connection: c\nconnector: csv\nstreams:\n  companies:\n    record: company\n    fields:\n      - { hub: industry, remote: i, codec: { name: text, max: 5 } }'
    expect(problems(connection)).toEqual([])
    expect(problems(connection, listed('values: [Retail]')).join()).toContain(
      'the two sides would never agree',
    )
  })

  it("a picklist of a remote that says what is on no list of the hub's", () => {
    const connection =
      'connection: c\nconnector: csv\nstreams:\n  companies:\n    record: company\n    fields:\n      - { hub: industry, remote: i, codec: { name: picklist, values: { r: retail, x: Minning } } }'
    expect(problems(connection, listed('values: [Retail, Mining], unknown: inbox'))).toEqual([
      expect.stringContaining(
        '"Minning" is not on the list of industry in the picklists. Fix: Did you mean "Mining"?',
      ),
    ])
  })
})

describe('a value that is accepted', () => {
  const before =
    '# kept\npicklists:\n  - record: company\n    field: industry\n    values:\n      - Retail # here too\n      - { value: Energy, synonyms: [Oil] }\n'
  const accepted = (said: string, of: string | null) =>
    withChoice(before, { record: 'company', field: 'industry', said, of })

  it('stands in the file as a value or a synonym, and comments stay', () => {
    expect(accepted('Mining', null)).toContain('- Mining')
    expect(accepted('Gas', 'energy')).toMatch(/value: Energy, synonyms: \[ ?Oil, Gas ?\]/)
    expect(accepted('Shops', 'Retail')).toMatch(/value: Retail, synonyms: \[ ?Shops ?\]/)
    for (const text of [accepted('Mining', null), accepted('Gas', 'Energy')]) expect(text).toContain('# kept')
    expect(problems(accepted('yes: no', null) ?? '')).toEqual([])
  })

  it('is refused where there is no such list or value', () => {
    expect(accepted('Gas', 'Nothing')).toBeUndefined()
    expect(withChoice(before, { record: 'deal', field: 'stage', said: 'x', of: null })).toBeUndefined()
    expect(
      withChoice('hub: {}', { record: 'company', field: 'industry', said: 'x', of: null }),
    ).toBeUndefined()
  })
})
