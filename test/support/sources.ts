import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAst } from 'vitest/node'

/** A source file of ours as the architecture sees it: where it lies, what it imports, what it says. */
export type Source = { file: string; text: string }

export const ROOT = path.join(import.meta.dirname, '..', '..')

export function readSources(): Source[] {
  const files = globSync('src/**/*.{ts,tsx}', { cwd: ROOT }).sort()
  return files.map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }))
}

type Node = Readonly<Record<string, unknown>> & { type: string }

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** Every node, with the field of its parent that holds it. */
function* walk(node: Node, parent: Node | null = null, field = ''): Generator<[Node, Node | null, string]> {
  yield [node, parent, field]
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* walk(child, node, name)
    }
  }
}

function* nodesOf({ file, text }: Source): Generator<[Node, Node | null, string]> {
  const ast: unknown = parseAst(text, { lang: file.endsWith('x') ? 'tsx' : 'ts' }, file)
  if (isNode(ast)) yield* walk(ast)
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ImportExpression',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
  'TSImportType',
])

/** What a file imports, types included, as written. */
export function importsOf(source: Source): string[] {
  return [...nodesOf(source)].flatMap(([node]) => {
    const from = IMPORTING.has(node.type) ? node['source'] : null
    return isNode(from) && typeof from['value'] === 'string' ? [from['value']] : []
  })
}

const WORLD = new Set(
  (
    'process performance crypto fetch console Buffer globalThis require ' +
    'setTimeout setInterval setImmediate queueMicrotask'
  ).split(' '),
)

/** Where a file reaches for the clock, for chance or for the world around it. */
export function impuritiesOf(source: Source): string[] {
  return [...nodesOf(source)].flatMap(([node, parent, field]) => {
    if (node.type === 'MemberExpression') {
      const reached = `${nameOf(node['object'])}.${nameOf(node['property'])}`
      return reached === 'Date.now' || reached === 'Math.random' ? [reached] : []
    }
    if (node.type === 'NewExpression' || node.type === 'CallExpression') {
      const isNow = nameOf(node['callee']) === 'Date' && isEmpty(node['arguments'])
      return isNow ? ['new Date()'] : []
    }
    const name = nameOf(node)
    const isOnlyAName = (field === 'key' || field === 'property') && parent?.['computed'] !== true
    return name !== null && WORLD.has(name) && !isOnlyAName ? [name] : []
  })
}

function nameOf(node: unknown): string | null {
  return isNode(node) && node.type === 'Identifier' && typeof node['name'] === 'string' ? node['name'] : null
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
