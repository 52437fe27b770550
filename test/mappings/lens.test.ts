import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { same, type Json, type JsonObject } from '../../src/core/json.ts'
import { mergePatches, type Lens } from '../../src/core/lens.ts'
import type { RecordKind } from '../../src/core/model.ts'
import { NO_REFS, type Refs, type Stream } from '../../src/core/stream.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { parsePath } from '../../src/mappings/path.ts'

/** Compiles a stream of a made-up connector from the lines of its YAML. */
function streamOf(record: RecordKind, lines: string): Stream {
  const text = `connection: c\nconnector: c\nstreams:\n  s:\n    record: ${record}\n${lines.replace(/^/gm, '    ')}`
  const loaded = loadConfiguration([{ name: 'c.yaml', text }], { connectors: { c: ['s', 't'] }, mail: [] })
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  const stream = loaded.configuration.connections[0]?.streams[0]
  if (stream === undefined) throw new Error('no stream')
  return stream
}

function lensOf(record: RecordKind, entry: string, refs: Refs = NO_REFS): Lens {
  const lens = streamOf(record, `fields:\n  - ${entry}`).lenses(refs)[0]
  if (lens === undefined) throw new Error('no lens')
  return lens
}

const value = (said: Json) => ({ kind: 'value', value: said })

describe('a path', () => {
  it.each([
    ['a', ['a']],
    ['merge_fields.FNAME', ['merge_fields', 'FNAME']],
    ['First Name', ['First Name']],
    ['"e.mail".x', ['e.mail', 'x']],
    ['a."b c.d"', ['a', 'b c.d']],
  ])('%s', (text, path) => expect(parsePath(text)).toEqual(path))

  it.each(['', '.', 'a.', '.a', 'a..b', '"a', 'a"b"', '""'])('%j is none', (text) =>
    expect(parsePath(text)).toBeUndefined(),
  )

  it('never reaches what every object inherits', () => {
    expect(lensOf('contact', '{ hub: owner, remote: constructor.name }').get({})).toEqual({ kind: 'absent' })
  })
})

describe('one remote value beside a set in the hub', () => {
  const lens = lensOf('contact', '{ hub: emails, remote: email_address }')

  it('is a set with one member, united by default', () => {
    expect(lens).toMatchObject({ key: 'emails', set: true, direction: 'both', policy: { kind: 'union' } })
    expect(lens.get({ email_address: 'Ann@Example.com' })).toEqual(value(['ann@example.com']))
    expect(lens.get({ email_address: '' })).toEqual(value(null))
    expect(lens.get({})).toEqual({ kind: 'absent' })
  })

  it('stays while it is a member, whatever the order', () => {
    const body = { email_address: 'ANN@example.com' }
    expect(lens.put(['new@example.com', 'ann@example.com'], body)).toEqual({})
    expect(lens.put(['new@example.com', 'other@example.com'], body)).toEqual({
      email_address: 'new@example.com',
    })
    expect(lens.put(null, body)).toEqual({ email_address: '' })
    expect(lens.put(['new@example.com'], null)).toEqual({ email_address: 'new@example.com' })
  })
})

describe('a place that is missing', () => {
  it('says nothing, or is empty where the entry says so', () => {
    expect(lensOf('contact', '{ hub: jobTitle, remote: metadata.job }').get({ metadata: {} })).toEqual({
      kind: 'absent',
    })
    const lens = lensOf('contact', '{ hub: jobTitle, remote: metadata.job, missing: empty, empty: null }')
    expect(lens.get({ metadata: {} })).toEqual(value(null))
    expect(lens.put(null, { metadata: {} })).toEqual({})
    expect(lens.put(null, { metadata: { job: 'CEO' } })).toEqual({ metadata: { job: null } })
    expect(lens.put('CEO', { metadata: {} })).toEqual({ metadata: { job: 'CEO' } })
  })
})

describe('a full name', () => {
  const lens = lensOf('contact', '{ hub: [givenName, familyName], remote: name, codec: name }')

  it('is two fields of the record', () => {
    expect(lens.key).toBe('givenName+familyName')
    expect(lens.get({ name: 'Ann van Dyk' })).toEqual(value({ givenName: 'Ann', familyName: 'van Dyk' }))
    expect(lens.get({ name: '' })).toEqual(value({ givenName: null, familyName: null }))
    expect(lens.put({ givenName: 'Ann', familyName: null }, { name: 'Ann Lee' })).toEqual({ name: 'Ann' })
    expect(lens.put({ givenName: null, familyName: null }, { name: '' })).toEqual({})
  })
})

describe('parts that make one value', () => {
  const lens = lensOf(
    'contact',
    `{ hub: address, remote: { line1: a.line1, line2: a.line2, city: a.city, region: a.state, postalCode: a.zip, country: a.country } }`,
  )

  it('are written together, and without blanks for a new object', () => {
    const stored = { line1: '1 High St', city: 'Bonn', country: 'DE' }
    const blank = { line1: '', line2: '', city: '', state: '', zip: '', country: '' }
    expect(lens.get({ a: { ...stored, zip: null, country: 'DEU' } })).toEqual(value(stored))
    expect(lens.get({ a: null })).toEqual({ kind: 'absent' })
    expect(lens.put({ city: 'Bonn' }, null)).toEqual({ a: { city: 'Bonn' } })
    expect(lens.put({ city: 'Bonn' }, { a: stored })).toEqual({ a: { ...blank, city: 'Bonn' } })
    expect(lens.put(null, { a: stored })).toEqual({ a: blank })
  })

  it('take the amount from one column and the currency from another', () => {
    const amount = lensOf(
      'deal',
      '{ hub: amount, remote: { amount: Amount, currency: Currency }, codec: money }',
    )
    expect(amount.get({ Amount: '1.234,50', Currency: 'EUR' })).toEqual(
      value({ amount: 123_450, currency: 'EUR' }),
    )
    expect(amount.put({ amount: 100, currency: 'JPY' }, null)).toEqual({ Amount: '100', Currency: 'JPY' })
    expect(amount.put(null, { Amount: '5', Currency: 'EUR' })).toEqual({ Amount: '' })
  })
})

describe('an expression', () => {
  it('reads, in the form of the hub field', () => {
    const lens = lensOf('contact', `{ hub: phones, cel: 'remote.country + remote.number' }`)
    expect(lens.direction).toBe('in')
    expect(lens.get({ country: '+49', number: '30 123456' })).toEqual(value(['+4930123456']))
    expect(lens.put(['+4930123456'], {})).toEqual({})
  })

  it('that fails is an invalid reading that says why', () => {
    const lens = lensOf('contact', `{ hub: owner, cel: 'remote.a.b' }`)
    expect(lens.get({})).toMatchObject({
      kind: 'invalid',
      problem: 'the expression failed: No such key: a. Guard it with has(remote.x).',
    })
  })

  it('writes, and writes nothing where it has no answer', () => {
    const lens = lensOf('invoice', '{ remote: currency, cel: record.total.currency.lowerAscii() }')
    expect(lens).toMatchObject({ key: 'currency', fields: [], direction: 'out' })
    expect(lens.compute?.({ total: { amount: 1, currency: 'EUR' } })).toBe('eur')
    expect(lens.compute?.({})).toBeNull()
    expect(lens.put('eur', { currency: 'eur' })).toEqual({})
    expect(lens.put('eur', { currency: 'usd' })).toEqual({ currency: 'eur' })
    expect(lens.put(null, { currency: 'usd' })).toEqual({})
  })

  it('filters; what it cannot answer does not pass', () => {
    const stream = streamOf(
      'contact',
      `only: remote.kind == "person"
create: { where: 'record.language == "de" || record["custom.vip"] == "true"' }
fields:
  - { hub: emails, remote: e }`,
    )
    expect(stream.filterIn({ kind: 'person' })).toBe(true)
    expect(stream.filterIn({})).toBe(false)
    expect(stream.filterOut({ language: 'de' })).toBe(true)
    expect(stream.filterOut({ 'custom.vip': 'true' })).toBe(true)
    expect(stream.filterOut({ 'custom.vip': 'false' })).toBe(false)
    expect(stream.filterOut({})).toBe(false)
  })
})

describe('a reference', () => {
  const stream = streamOf(
    'deal',
    'fields:\n  - { hub: contact, remote: email, codec: { name: ref, by: email } }',
  )
  const refs: Refs = {
    toId: ({ key }) => ({ 'ann@example.com': 1, 'ann@work.example': 1, 'bo@example.com': 2 })[key],
    toKey: ({ id }) => ({ 1: 'ann@example.com', 2: 'bo@example.com' })[id],
  }

  it('is named by the remote object and by the record', () => {
    expect(stream.remoteRefs({ email: 'Ann@Example.com' })).toEqual([
      { record: 'contact', by: 'email', key: 'ann@example.com' },
    ])
    expect(stream.remoteRefs({ email: '' })).toEqual([])
    expect(stream.hubRefs({ contact: 7 })).toEqual([{ record: 'contact', by: 'email', id: 7 }])
    expect(stream.hubRefs({})).toEqual([])
  })

  it('is read and written once its answer is known', () => {
    const [lens] = stream.lenses(refs)
    expect(lens?.get({ email: 'ann@work.example' })).toEqual(value(1))
    expect(lens?.get({ email: 'nobody@example.com' })).toEqual({ kind: 'absent' })
    expect(lens?.get({ email: 'nobody' })).toMatchObject({ kind: 'invalid' })
    expect(lens?.get({ email: '' })).toEqual(value(null))
    expect(lens?.put(1, { email: 'ann@work.example' })).toEqual({})
    expect(lens?.put(2, { email: 'ann@work.example' })).toEqual({ email: 'bo@example.com' })
    expect(lens?.put(9, { email: 'ann@work.example' })).toEqual({})
    expect(lens?.put(null, { email: 'ann@work.example' })).toEqual({ email: '' })
    expect(lens?.put(2, null)).toEqual({ email: 'bo@example.com' })
  })
})

describe('consent', () => {
  const { consent } = streamOf(
    'contact',
    `consent:
  channel: email
  audience: news
  address: email
  state: { path: state, values: { subscribed: in, unsubscribed: out, cleaned: out } }
  explicitAt: confirmed
  reason: why
  sends: [out]
fields:
  - { hub: emails, remote: email }`,
  )

  it('is read with its address, its time and its reason', () => {
    const body = {
      email: 'Ann@Example.com',
      state: 'unsubscribed',
      confirmed: '2026-11-22T08:30:00+00:00',
      why: ' spam ',
    }
    expect(consent?.read(body)).toEqual({
      address: 'ann@example.com',
      state: 'out',
      explicitAt: Date.UTC(2026, 10, 22, 8, 30),
      reason: 'spam',
    })
    expect(consent?.read({ email: 'ann@example.com', state: 'new status' })).toMatchObject({
      state: 'unknown',
    })
    expect(consent?.read({ email: 'ann@example.com', state: 'subscribed', confirmed: '' })).toMatchObject({
      state: 'in',
      explicitAt: null,
      reason: null,
    })
    expect(consent?.read({ email: 'ann@example.com' })).toBeNull()
    expect(consent?.read({ email: 'nobody', state: 'subscribed' })).toMatchObject({
      address: null,
      state: 'in',
    })
  })

  it('is stated back by the first value listed', () => {
    expect(consent?.write('out')).toEqual({ state: 'unsubscribed' })
    expect(consent?.write('in')).toEqual({ state: 'subscribed' })
  })
})

describe('a mapping keeps the lens laws', () => {
  const stream = streamOf(
    'contact',
    `fields:
  - { hub: emails, remote: mail.address }
  - { hub: phones, remote: phones, codec: { name: list, separator: ';' } }
  - { hub: [givenName, familyName], remote: name, codec: name }
  - { hub: tags, remote: tags, codec: { name: list, property: name } }
  - { hub: custom.vip, remote: vip, codec: boolean }
  - { hub: birthday, remote: born, codec: { name: monthday, format: mm/dd } }
  - { hub: language, remote: lang, codec: { name: picklist, values: { English: en, German: de } } }
  - { hub: jobTitle, remote: meta.job, missing: empty, empty: null }`,
  )
  const said = fc.option(
    fc.oneof(
      fc.constantFrom('Ann@Example.com', '+14155552671', '2/29', 'English', 'Ann van Dyk', true, 'x@', 'vip'),
      fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>,
    ),
    { nil: undefined },
  )
  const body = fc
    .record({
      mail: said,
      address: said,
      phones: said,
      name: said,
      tags: said,
      vip: said,
      born: said,
      lang: said,
      job: said,
    })
    .map(
      ({ mail, job, ...plain }) =>
        JSON.parse(JSON.stringify({ ...plain, mail: { address: mail }, meta: { job } })) as Json,
    )

  it('writing what was read changes nothing', () => {
    fc.assert(
      fc.property(body, (remote) => {
        const readings = stream.lenses(NO_REFS).map((lens) => [lens, lens.get(remote)] as const)
        return readings.every(
          ([lens, said]) => said.kind !== 'value' || same(lens.put(said.value, remote), {}),
        )
      }),
    )
  })

  it('what one object says can be written into another and read back', () => {
    fc.assert(
      fc.property(body, body, (from, into) => {
        return stream.lenses(NO_REFS).every((lens) => {
          const reading = lens.get(from)
          const isExact = lens.key !== 'givenName+familyName'
          if (reading.kind !== 'value' || lens.get(into).kind !== 'value' || !isExact) return true
          const after = mergePatches(into as JsonObject, lens.put(reading.value, into))
          return same(lens.get(after), reading)
        })
      }),
    )
  })
})
