const BLANK = /[ \t\n\r]*/y
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
/** What may follow a backslash. */
const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y

export type Place = { readonly line: number; readonly column: number }

/** What the grammar waits for: a value, a key, a colon, what comes between values, or nothing more. */
type Awaited = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'next' | 'end'

/** Where a text stops being JSON, counted from 1; null where it is JSON. `JSON.parse` tells this only sometimes. */
export function jsonFault(text: string): Place | null {
  const open: ('{' | '[')[] = []
  let awaited: Awaited = 'value'
  let at = skip(BLANK, text, 0)
  while (at < text.length) {
    const step = advance(text, at, awaited, open)
    if ('fault' in step) return placeOf(text, step.fault)
    awaited = step.awaited
    at = skip(BLANK, text, step.at)
  }
  return awaited === 'end' ? null : placeOf(text, text.length)
}

type Step = { readonly at: number; readonly awaited: Awaited } | { readonly fault: number }

function advance(text: string, at: number, awaited: Awaited, open: ('{' | '[')[]): Step {
  const char = text.charAt(at)
  const closing = open.at(-1) === '{' ? '}' : ']'
  const valueEnds = (end: number): Step => ({ at: end, awaited: open.length === 0 ? 'end' : 'next' })
  const close = (): Step => {
    open.pop()
    return valueEnds(at + 1)
  }
  switch (awaited) {
    case 'value':
    case 'value or ]': {
      if (char === ']' && awaited === 'value or ]') return close()
      if (char === '{' || char === '[') {
        open.push(char)
        return { at: at + 1, awaited: char === '{' ? 'key or }' : 'value or ]' }
      }
      if (char === '"') return string(text, at, valueEnds)
      const end = skip(LITERAL, text, at)
      return end === at ? { fault: at } : valueEnds(end)
    }
    case 'key':
    case 'key or }':
      if (char === '}' && awaited === 'key or }') return close()
      return char === '"' ? string(text, at, (end) => ({ at: end, awaited: 'colon' })) : { fault: at }
    case 'colon':
      return char === ':' ? { at: at + 1, awaited: 'value' } : { fault: at }
    case 'next':
      if (char === ',') return { at: at + 1, awaited: closing === '}' ? 'key' : 'value' }
      return char === closing ? close() : { fault: at }
    case 'end':
      return { fault: at }
  }
}

/** From one quote to the other; control characters must be escaped. */
function string(text: string, from: number, then: (end: number) => Step): Step {
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"') return then(at + 1)
    if (char < ' ') return { fault: at }
    if (char !== '\\') continue
    const end = skip(ESCAPE, text, at + 1)
    if (end === at + 1) return { fault: at }
    at = end - 1
  }
  return { fault: text.length }
}

/** The end of what the sticky pattern matches at a place; the place itself where it does not. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
