import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { effective, mergePatches, type Lens } from '../../src/core/lens.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { NO_REFS } from '../../src/core/stream.ts'

function load(entry: string) {
  const text = `connection: c\nconnector: c\nstreams: { s: { record: contact, fields: [${entry}] } }`
  return loadConfiguration([{ name: 'c.yaml', text }], { connectors: { c: ['s'] }, mail: [] })
}
function lensOf(entry: string): Lens {
  const loaded = load(entry)
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  const lens = loaded.configuration.connections[0]?.streams[0]?.lenses(NO_REFS)[0]
  if (lens === undefined) throw new Error('no lens')
  return lens
}
const problems = (entry: string): readonly string[] => {
  const loaded = load(entry)
  return loaded.kind === 'ok' ? [] : loaded.problems.map(formatProblem)
}

const lens = lensOf('{ hub: phones, remote: ["business[2]", mobile, "home[2]"], codec: phone }')
const A = '+12025550101'
const B = '+12025550102'
const C = '+12025550103'
const D = '+12025550104'
const E = '+12025550105'
const F = '+12025550106'
const value = (of: Json) => ({ kind: 'value', value: of })

describe('a set that is spread over several places', () => {
  it('is read in the order of the places, each member once', () => {
    const body = { business: ['(202) 555-0101', B], mobile: C, home: [A] }
    expect(lens.get(body)).toEqual(value([A, B, C]))
    expect(lens.get({ business: [], mobile: null, home: [] })).toEqual(value(null))
    expect(lens.get({ mobile: '' })).toEqual(value(null))
    expect(lens.get({})).toEqual({ kind: 'absent' })
    expect(lens.get({ business: [A], mobile: 'none' })).toMatchObject({ kind: 'invalid', raw: 'none' })
  })

  it('keeps every member where it is, in the form it has there', () => {
    const body = { business: ['(202) 555-0101', B], mobile: C, home: [] }
    expect(lens.put([C, B, A], body)).toEqual({})
    expect(lens.put([A, C], body)).toEqual({ business: ['(202) 555-0101'] })
    expect(lens.put([A, B], body)).toEqual({ mobile: '' })
    expect(lens.put(null, body)).toEqual({ business: [], mobile: '' })
  })

  it('puts new members where there is room, and does without what has none', () => {
    expect(lens.put([A], null)).toEqual({ business: [A] })
    expect(lens.put([A, B, C, D], null)).toEqual({ business: [A, B], mobile: C, home: [D] })
    expect(lens.put([A, B, C, D, E, F], null)).toEqual({ business: [A, B], mobile: C, home: [D, E] })
    expect(lens.put([A, B, C], { business: [B], mobile: null, home: [] })).toEqual({
      business: [B, A],
      mobile: C,
    })
    expect(lens.put([F], { business: [], mobile: A, home: [] })).toEqual({ business: [F], mobile: '' })
  })

  it('leaves more than there should be room for alone', () => {
    expect(lens.put([A, B, C], { business: [A, B, C], mobile: '', home: [] })).toEqual({})
  })

  it('obeys the laws up to order and room, whatever stood there', () => {
    const phone = fc.integer({ min: 0, max: 7 }).map((n) => `+1202555010${n}`)
    const phones = (max: number) => fc.uniqueArray(phone, { maxLength: max })
    const remote = fc.record(
      { business: phones(2), mobile: fc.option(phone, { nil: null }), home: phones(2) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(phones(8), fc.option(remote, { nil: null }), (wanted, before) => {
        const set = wanted.length === 0 ? null : wanted
        const after = mergePatches(before ?? {}, lens.put(set, before))
        const reading = lens.get(after)
        const back = reading.kind === 'value' && Array.isArray(reading.value) ? reading.value : []
        expect(new Set(back).isSubsetOf(new Set(wanted))).toBe(true)
        expect(back).toHaveLength(Math.min(wanted.length, 5))
        // What was written is told once: to say it again, or to say what was read, changes nothing.
        expect(lens.put(set, after)).toEqual({})
        expect(effective(lens.put(back.length === 0 ? null : back, after), after)).toBeNull()
      }),
    )
  })

  it('may be two places for one value each', () => {
    const two = lensOf('{ hub: emails, remote: [email, email2] }')
    expect(two.get({ email: 'Ann@x.example', email2: 'bo@x.example' })).toEqual(
      value(['ann@x.example', 'bo@x.example']),
    )
    expect(two.put(['bo@x.example'], { email: 'Ann@x.example', email2: 'bo@x.example' })).toEqual({
      email: '',
    })
  })
})

describe('a mistake in it is told', () => {
  it.each([
    [
      'one value',
      '{ hub: jobTitle, remote: [a, b] }',
      /remote: only a set is held in several places\. Fix: Name one place\. Sets are emails, phones, /,
    ],
    [
      'a list of its own',
      '{ hub: phones, remote: [a, b], codec: list }',
      /each of several places has members of its own/,
    ],
    ['a path that is none', '{ hub: phones, remote: [a, "b..c"] }', /remote\[1\]: "b\.\.c" is not a path/],
    ['no room', '{ hub: phones, remote: [a, "b[0]"] }', /"b\[0\]" is not a path/],
    ['the same place twice', '{ hub: phones, remote: ["a.b", "a.b"] }', /"a\.b" is written twice/],
    ['one place only', '{ hub: phones, remote: [a] }', /too short/],
    [
      'another codec',
      '{ hub: phones, remote: [a, b], codec: email }',
      /the codec "email" does not fit phones/,
    ],
  ])('%s', (_, entry, expected) => {
    expect(problems(entry)).toEqual([expect.stringMatching(expected)])
  })
})
