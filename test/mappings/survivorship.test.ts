import { describe, expect, test } from 'vitest'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'
import { shippedConfiguration } from '../support/world.ts'

const CATALOG = { connectors: { csv: ['contacts'] }, mail: [] }
const loaded = (text: string) =>
  loadConfiguration([{ name: 'policies.yaml', text: `${text}\npolicies: {}\n` }], CATALOG)
const problems = (text: string): readonly string[] => {
  const result = loaded(text)
  return result.kind === 'ok' ? [] : result.problems.map(formatProblem)
}
const rules = (text: string) => {
  const result = loaded(text)
  if (result.kind !== 'ok') throw new Error(result.problems.map(formatProblem).join('\n'))
  return result.configuration.survivorship
}

describe('survivorship', () => {
  test('says whose value stands, and one rule for what belongs together', () => {
    expect(rules('survivorship: { default: newest, contact: { familyName: longest } }')).toEqual({
      default: { kind: 'newest' },
      contact: { givenName: { kind: 'longest' }, familyName: { kind: 'longest' } },
      company: {},
    })
    expect(rules('survivorship: { company: { name: { prefer: [user] } } }')).toMatchObject({
      default: { kind: 'survivor' },
      company: { name: { kind: 'prefer', order: ['user'] } },
    })
  })

  test('takes the sources of field policies where it says nothing', () => {
    const { contact, company } = shippedConfiguration().survivorship
    expect(contact['companyName']).toEqual(contact['company'])
    expect(contact['jobTitle']).toMatchObject({ kind: 'prefer' })
    expect(company['name']).toEqual({ kind: 'prefer', order: ['user', 'api', 'csv'] })
    expect(contact['address']?.kind).not.toBe('prefer')
  })

  test.each([
    ['{ contact: { emails: newest } }', 'its members are united'],
    ['{ contact: { emailConsent: newest } }', 'the strictest over all addresses counts'],
    ['{ contact: { lastRepliedAt: newest } }', 'computed by the hub'],
    ['{ contact: { nickname: newest } }', 'nickname'],
    ['{ contact: { givenName: newest, familyName: oldest } }', 'are taken together'],
    ['{ contact: { jobTitle: { prefer: [nobody] } } }', 'there is no source "nobody"'],
    ['{ default: { prefer: [nobody] } }', 'there is no source "nobody"'],
    ['{ default: union }', 'survivorship'],
    ['{ deal: { name: newest } }', 'deal'],
  ])('refuses %s', (text, words) => {
    const [first = ''] = problems(`survivorship: ${text}`)
    expect(first).toContain(words)
    expect(first).toContain('policies.yaml:1:')
  })
})
