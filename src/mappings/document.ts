import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document as YamlDocument } from 'yaml'
import { fieldName, type Problem, type Report, type Step } from './problem.ts'

export type SourceFile = { readonly name: string; readonly text: string }

/** A parsed YAML 1.2 file that knows where everything stands in it. */
export type Parsed = {
  readonly file: string
  readonly root: unknown
  /** The syntax is wrong, so what was read may stand in the wrong place. */
  readonly broken: boolean
  /** Adds a problem at a place of the document; at the nearest place around it where that one is not there. */
  readonly report: Report
  /** Adds a problem at a key, as for a key that nobody knows. */
  readonly reportKey: (path: readonly Step[], key: string, message: string, fix: string) => void
}

/** Everything beyond this is no configuration an admin wrote. */
const MAX_LENGTH = 1_000_000

/** Reads one file; syntax errors go to `problems` and what could be read is answered all the same. */
export function parseFile(source: SourceFile, problems: Problem[]): Parsed {
  const file = source.name
  const lines = new LineCounter()
  const text = source.text.length > MAX_LENGTH ? '' : source.text
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: false })
  const add = (offset: number, path: readonly Step[], message: string, fix: string) => {
    const { line, col } = lines.linePos(Math.max(0, offset))
    problems.push({
      file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      field: fieldName(path),
      message,
      fix,
    })
  }
  if (text !== source.text) add(0, [], 'the file is longer than 1 MB', 'Split it.')
  for (const fault of [...document.errors, ...document.warnings])
    add(fault.pos[0], [], syntaxMessage(fault.code, fault.message), syntaxFix(fault.code))
  return {
    file,
    broken: document.errors.some(({ code }) => code !== 'DUPLICATE_KEY'),
    root: rootOf(document, (message) =>
      add(0, [], message, 'Write the values out instead of using aliases.'),
    ),
    report: (path, message, fix, offset) =>
      add(offsetOf(document, path) + innerOffset(document, path, offset), path, message, fix),
    reportKey: (path, key, message, fix) => add(keyOffset(document, path, key), [...path, key], message, fix),
  }
}

function rootOf(document: YamlDocument.Parsed, fail: (message: string) => void): unknown {
  try {
    const root: unknown = document.toJS({ maxAliasCount: 100 })
    return root
  } catch (error) {
    fail(error instanceof Error ? error.message : 'the file cannot be read')
    return undefined
  }
}

const MESSAGES: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  DUPLICATE_KEY: ['the same key stands twice', 'Remove one of them.'],
  TAB_AS_INDENT: ['a tab is used to indent', 'Use spaces.'],
  BAD_INDENT: ['the indentation does not fit what is around it', 'Align it with the lines beside it.'],
  MISSING_CHAR: ['a character is missing', 'Close every quote and bracket, and put a space after ":".'],
  MULTIPLE_DOCS: ['the file holds several documents', 'Remove "---", or make several files.'],
  TAG_RESOLVE_FAILED: ['tags such as !!js are not read', 'Remove the tag.'],
}

function syntaxMessage(code: string, message: string): string {
  return `this is not YAML: ${MESSAGES[code]?.[0] ?? message.split('\n')[0] ?? code}`
}

function syntaxFix(code: string): string {
  return MESSAGES[code]?.[1] ?? 'Correct the line; quote text that holds ":", "#" or brackets.'
}

function offsetOf(document: YamlDocument.Parsed, path: readonly Step[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
    const key = path[length - 1]
    const atKey = typeof key === 'string' ? keyOffset(document, path.slice(0, length - 1), key) : 0
    if (atKey > 0) return atKey
  }
  return document.contents?.range[0] ?? 0
}

/** Where `offset` characters into a text of one line stand in the file. */
function innerOffset(
  document: YamlDocument.Parsed,
  path: readonly Step[],
  offset: number | undefined,
): number {
  const node = offset === undefined ? undefined : document.getIn(path, true)
  if (offset === undefined || !isScalar(node)) return 0
  if (node.type === 'PLAIN') return offset
  return node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE' ? offset + 1 : 0
}

function keyOffset(document: YamlDocument.Parsed, path: readonly Step[], key: string): number {
  const map = path.length === 0 ? document.contents : document.getIn(path, true)
  if (!isMap(map)) return 0
  for (const { key: node } of map.items) {
    if (isScalar(node) && String(node.value) === key && node.range) return node.range[0]
  }
  return map.range?.[0] ?? 0
}
