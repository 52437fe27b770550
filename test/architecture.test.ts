import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { impuritiesOf, importsOf, readSources, type Source } from './support/sources.ts'

/** Who may import whom, besides itself and (core aside) libraries. Only main.ts may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  mappings: ['core'],
  connectors: ['core'],
  store: ['core'],
  sandbox: ['core'],
  web: ['core'],
  runtime: ['core', 'mappings', 'connectors', 'store'],
  http: ['core', 'runtime'],
  cli: ['core', 'runtime'],
}
const MAX_LINES = 350

describe('the architecture', () => {
  const sources = readSources()

  it('is read from real files', () => {
    expect(sources.map(({ file }) => file)).toContain(path.join('src', 'store', 'embedded.ts'))
  })

  it('has its imports point one way only', () => {
    expect(sources.flatMap(wrongImports)).toEqual([])
  })

  it('has a core without a clock, without chance and without the outside world', () => {
    expect(sources.flatMap(wrongReaches)).toEqual([])
  })

  it(`has no file above ${MAX_LINES} lines`, () => {
    expect(sources.flatMap(tooLong)).toEqual([])
  })
})

describe('the watch over the architecture', () => {
  const planted = (file: string, text: string): Source => ({ file, text })

  it.each([
    ['src/core/plan.ts', `import { readFile } from 'node:fs/promises'`],
    ['src/core/plan.ts', `import { z } from 'zod'`],
    ['src/core/plan.ts', `import type { Row } from '../store/rows.ts'`],
    ['src/core/deep/plan.ts', `export * from '../../store/rows.ts'`],
    ['src/mappings/load.ts', `const rows = await import('../store/rows.ts')`],
    ['src/connectors/stripe/pull.ts', `let row: import('../../store/rows.ts').Row`],
    ['src/store/rows.ts', `import { observe } from '../runtime/observe.ts'`],
    ['src/sandbox/serve.ts', `import { wire } from '../connectors/stripe/wire.ts'`],
    ['src/http/app.ts', `import { rows } from '../store/rows.ts'`],
    ['src/cli/sync.ts', `import { main } from '../main.ts'`],
    ['src/helpers/strings.ts', `export const a = 1`],
    ['src/other.ts', `export const a = 1`],
  ])('sees that %s must not say: %s', (file, text) => {
    expect(wrongImports(planted(file, text))).toHaveLength(1)
  })

  it.each([
    'Date.now()',
    'new Date()',
    'Date()',
    'Math.random()',
    'process.env.HOME',
    'fetch(url)',
    'setTimeout(f)',
  ])('sees that core must not say: %s', (text) => {
    expect(wrongReaches(planted('src/core/plan.ts', `export const a = () => ${text}`))).toHaveLength(1)
  })

  it('lets pass what only looks alike', () => {
    const text = `
      import { a } from './a.ts' // import { b } from 'node:fs'
      export type Io = { fetch(url: string): Promise<string>; process: string }
      export const at = (io: Io, ms: number) => [io.fetch('Date.now()'), new Date(ms), io.process, a]`
    const source = planted('src/core/plan.ts', text)
    expect([...wrongImports(source), ...wrongReaches(source)]).toEqual([])
    expect(wrongImports(planted('src/main.ts', `import { app } from './http/app.ts'`))).toEqual([])
  })

  it('sees a file that has grown too long', () => {
    expect(tooLong(planted('src/core/plan.ts', '\n'.repeat(MAX_LINES + 1)))).toHaveLength(1)
  })
})

function wrongImports(source: Source): string[] {
  if (source.file === path.join('src', 'main.ts')) return []
  const folder = folderOf(source.file)
  const allowed = MAY_IMPORT[folder]
  if (allowed === undefined) return [`${source.file}: no such folder in the design`]
  return importsOf(source).flatMap((specifier) => {
    const isOurs = specifier.startsWith('.')
    const target = isOurs ? folderOf(path.join(path.dirname(source.file), specifier)) : 'a library'
    const isAllowed = isOurs ? target === folder || allowed.includes(target) : folder !== 'core'
    return isAllowed ? [] : [`${source.file}: ${folder} must not import ${target} (${specifier})`]
  })
}

function wrongReaches(source: Source): string[] {
  if (folderOf(source.file) !== 'core') return []
  return impuritiesOf(source).map((reached) => `${source.file}: core must not use ${reached}`)
}

function tooLong({ file, text }: Source): string[] {
  const lines = text.trimEnd() === '' ? text.split('\n').length : text.trimEnd().split('\n').length
  return lines > MAX_LINES ? [`${file}: ${lines} lines`] : []
}

/** `core` for src/core/deep/plan.ts; the file's own name for one directly in src. */
function folderOf(file: string): string {
  return file.split(path.sep)[1] ?? ''
}
