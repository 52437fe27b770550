import { describe, expect, it, test } from 'vitest'
import type { Configuration, Stream } from '../../src/core/stream.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'

const CATALOG = { connectors: { csv: ['contacts', 'companies', 'deals'] }, mail: [] }

function configured(...texts: readonly string[]): Configuration {
  const loaded = loadConfiguration(
    texts.map((text, i) => ({ name: `${i}.yaml`, text })),
    CATALOG,
  )
  if (loaded.kind === 'problems') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.configuration
}
const streamOf = (...texts: readonly string[]): Stream => {
  const [stream] = configured(...texts).connections.flatMap(({ streams }) => streams)
  if (stream === undefined) throw new Error('no stream')
  return stream
}
const connection = (record: string, field: string, more = '') =>
  `connection: c\nconnector: csv\nstreams:\n  s:\n    resource: contacts\n    record: ${record}\n${more}    fields:\n      - { hub: ${field}, remote: x }\n`

describe('which part of a condition is not met', () => {
  const unmet = (where: string, fields: { readonly [name: string]: string }) => {
    const { conditions = [], filterOut } = streamOf(
      connection('contact', 'owner', `    create: { remote: always, where: '${where}' }\n`),
    )
    expect(filterOut(fields)).toBe(false)
    return conditions.filter((one) => !one.holds(fields)).map(({ text }) => text)
  }

  it.each([
    ['record.owner == "Ann" && record.jobTitle == "CTO"', ['record.jobTitle == "CTO"']],
    [
      'record.owner == "a && b" && record.jobTitle == "CTO"',
      ['record.owner == "a && b"', 'record.jobTitle == "CTO"'],
    ],
    [
      '(record.owner == "Bo" || record.owner == "Cy") && record.language == "de"',
      ['(record.owner == "Bo" || record.owner == "Cy")'],
    ],
    // && binds closer than || and ?:, so that these have no parts.
    [
      'record.owner == "Bo" || record.owner == "Ann" && record.language == "en"',
      ['record.owner == "Bo" || record.owner == "Ann" && record.language == "en"'],
    ],
    [
      'record.owner == "Ann" ? record.language == "en" : record.owner == "Bo" && record.jobTitle == "x"',
      ['record.owner == "Ann" ? record.language == "en" : record.owner == "Bo" && record.jobTitle == "x"'],
    ],
  ])('%s', (where, parts) => {
    expect(unmet(where, { owner: 'Ann', jobTitle: 'CEO', language: 'de' })).toEqual(parts)
  })
})

describe('what a stream writes is another, and a plan is asked for', () => {
  const hub = (duplicates: string) =>
    `hub: { defaultCountry: US, defaultCurrency: USD, duplicates: ${duplicates} }`
  const same = (stream: string, before: string, after: string) =>
    streamOf(stream, before).shape === streamOf(stream, after).shape

  test('by a threshold for merging where records are merged, and nowhere else', () => {
    const [asks, links] = [hub('{ link: never }'), hub('{ link: 0.99 }')]
    expect(same(connection('contact', 'owner'), asks, links)).toBe(false)
    expect(same(connection('deal', 'owner'), asks, links)).toBe(true)
    expect(same(connection('contact', 'owner'), asks, hub('{ ask: 0.7 }'))).toBe(true)
  })

  test('by how names are written where names come in, and nowhere else', () => {
    const [keeps, tidies] = ['quality: { names: keep }', 'quality: { names: tidy }']
    const name = connection('contact', '[givenName, familyName]').replace('x }', 'x, codec: name }')
    expect(same(name, keeps, tidies)).toBe(false)
    expect(same(connection('contact', 'owner'), keeps, tidies)).toBe(true)
    expect(same(connection('company', 'name'), keeps, tidies)).toBe(true)
  })

  test('by a list of values that it reads', () => {
    const [before, after] = ['A', 'B'].map(
      (value) => `picklists: [{ record: company, field: industry, values: [${value}] }]`,
    )
    expect(same(connection('company', 'industry'), before ?? '', after ?? '')).toBe(false)
    expect(same(connection('company', 'name'), before ?? '', after ?? '')).toBe(true)
  })
})
