import { readFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { CONNECTORS, ROOT } from './wired.ts'

/** What `concord ARGS --help` prints. */
async function helpOf(args: readonly string[]): Promise<string> {
  const out = new PassThrough()
  const code = await runCli([...args, '--help'], {
    connectors: CONNECTORS,
    shipped: path.join(ROOT, 'config'),
    env: {},
    terminal: { out, err: out, interactive: false, colour: false, columns: 200, ask: null },
    stopping: new AbortController().signal,
    version: '0',
    makeLog: () => pino({ level: 'silent' }),
    runDemo: () => Promise.reject(new Error('no demo is played for help')),
    serveHttp: () => Promise.reject(new Error('nothing is served for help')),
  })
  expect({ args, code }).toEqual({ args, code: 0 })
  return String(out.read())
}

type Command = { readonly name: readonly string[]; readonly options: readonly string[] }

/** Every command there is, with the options of its own. */
async function commands(name: readonly string[] = []): Promise<readonly Command[]> {
  const lines = (await helpOf(name)).split('\n')
  let heading = ''
  const below: string[] = []
  const options: string[] = []
  for (const line of lines) {
    if (/^\S/.test(line)) heading = line
    const option = /^ {2}(?:-\w, )?(--[a-z-]+)/.exec(line)?.[1]
    if (heading === 'Options:' && option !== undefined && option !== '--help') options.push(option)
    const command = /^ {2}([a-z][a-z-]*)(?: [[<]\S*)* {2,}\S/.exec(line)?.[1]
    const lists = !['Options:', 'Global Options:', 'Arguments:', 'Environment:'].includes(heading)
    if (lists && heading.endsWith(':') && command !== undefined && command !== 'help') below.push(command)
  }
  const nested = []
  for (const one of below) nested.push(...(await commands([...name, one])))
  return [{ name, options }, ...nested]
}

const page = readFileSync(path.join(ROOT, 'docs', 'cli.md'), 'utf8')
/** The parts of the page whose heading names a command. */
const partsOf = (command: string): string =>
  page
    .split(/^#{3} /m)
    .filter((part) => new RegExp(`\`${command}[ \`|]`).test(part.split('\n')[0] ?? ''))
    .join('\n')

test('docs/cli.md has every command, and every option of it in its own part', async () => {
  const found = (await commands()).filter(({ name }) => name.length > 0)
  expect(found.length).toBeGreaterThan(60)
  const missing = found.flatMap(({ name, options }) => {
    const [command = '', ...rest] = name
    const part = partsOf(command)
    if (part === '') return [name.join(' ')]
    const words = rest.filter((word) => !new RegExp(`[\`|, ]${word}(?![a-z-])`).test(part))
    const lacks = options.filter((option) => !new RegExp(`${option}(?![a-z-])`).test(part))
    return [...words, ...lacks].map((what) => `${name.join(' ')}: ${what}`)
  })
  expect(missing).toEqual([])
})
