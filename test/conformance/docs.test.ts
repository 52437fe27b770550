import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { formatProblem } from '../../src/mappings/problem.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { MAIL_CHECKS } from './mail-suite.ts'
import { CHECKS } from './suite.ts'

const DOCS = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'connectors.md'), 'utf8')
const TOYS = ['connector.ts', 'mail-connector.ts'].map((name) =>
  readFileSync(path.join(import.meta.dirname, 'toy', name), 'utf8'),
)
const ALL = [...CHECKS, ...MAIL_CHECKS]

it('docs/connectors.md shows the example as it is', () => {
  const blocks = [...DOCS.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code.trim())
  const shown = blocks.filter((code) => !/from '\.\/(?:mail-)?suite\.ts'/.test(code))
  expect(shown.length).toBeGreaterThan(5)
  expect(shown.filter((code) => !TOYS.some((toy) => toy.includes(code)))).toEqual([])
})

it('docs/connectors.md lists every check', () => {
  expect(ALL.map(({ name }) => name).filter((name) => !DOCS.includes(`- ${name}\n`))).toEqual([])
})

it('docs/connectors.md has the sections that checks refer to', () => {
  const named = ALL.flatMap(({ contract }) => /docs\/connectors\.md, "([^"]+)"/.exec(contract)?.[1] ?? [])
  expect(named.filter((title) => !DOCS.includes(`${title}`))).toEqual([])
})

it('docs/connectors.md shows a mapping that is taken', () => {
  const folder = path.join(import.meta.dirname, '..', '..', 'config')
  const shipped = ['hub.yaml', 'pipelines.yaml'].map((name) => ({
    name,
    text: readFileSync(path.join(folder, name), 'utf8'),
  }))
  const text = /```yaml\n([^]*?)```/.exec(DOCS)?.[1] ?? ''
  const loaded = loadConfiguration([...shipped, { name: 'rolodex.yaml', text }], {
    connectors: { rolodex: ['people'] },
    mail: [],
  })
  expect(loaded.kind === 'problems' ? loaded.problems.map(formatProblem) : []).toEqual([])
})
