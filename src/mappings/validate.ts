import { z } from 'zod'
import type { Parsed } from './document.ts'
import { choose, nearest } from './nearest.ts'
import type { Step } from './problem.ts'

/** Parses a part of a document that is sound; what does not fit is reported where it stands. */
export function validate<T>(
  schema: z.ZodType<T>,
  raw: unknown,
  document: Parsed,
  at: readonly Step[],
): T | undefined {
  if (document.broken) return undefined
  const parsed = schema.safeParse(raw, { error: listKeys })
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues.map((found) => mostTelling(found, raw))) {
    const inside = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
    const path = [...at, ...inside]
    if (issue.code !== 'unrecognized_keys') {
      const [message, fix] = explain(issue, valueAt(raw, inside), String(path.at(-1) ?? 'the file'))
      document.report(path, message, fix)
      continue
    }
    const known = issue.message.split('\n')
    for (const key of issue.keys) document.reportKey(path, key, `unknown key "${key}"`, choose(key, known))
  }
  return undefined
}

/** zod does not say which keys it knows, so the message of an unknown key lists them. */
const listKeys: z.core.$ZodErrorMap = (issue) =>
  issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject
    ? Object.keys(issue.inst.shape).join('\n')
    : undefined

type Issue = z.core.$ZodIssue

/** Of a union, the complaint of the alternative that was most likely meant. */
function mostTelling(issue: Issue, raw: unknown): Issue {
  if (issue.code !== 'invalid_union') return issue
  const value = valueAt(raw, issue.path)
  const ranked = issue.errors
    .flatMap((alternative) => alternative.slice(0, 1))
    .toSorted((a, b) => likeliness(b, value) - likeliness(a, value))
  const [best] = ranked
  if (best === undefined) return issue
  if (likeliness(best, value) < 0)
    return { ...issue, errors: [], message: ranked.map(expectedOf).join(' or ') }
  return mostTelling({ ...best, path: [...issue.path, ...best.path] }, raw)
}

function likeliness(issue: Issue, value: unknown): number {
  if (issue.path.length > 0) return 1 + issue.path.length
  if (issue.code === 'unrecognized_keys' || issue.code === 'invalid_union') return 1
  if (issue.code === 'invalid_value') return typeof value === 'string' ? 0 : -1
  return issue.code === 'invalid_type' ? -2 : 0
}

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected
  return issue.code === 'invalid_value' ? `one of ${issue.values.map(String).join(', ')}` : issue.message
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function explain(issue: Issue, value: unknown, name: string): readonly [message: string, fix: string] {
  if (value === undefined) return [`"${name}" is missing`, `Add ${name}: <${expectedOf(issue)}>.`]
  const said = JSON.stringify(value).slice(0, 60)
  switch (issue.code) {
    case 'invalid_type':
      return [`${said} is not ${KINDS[issue.expected] ?? issue.expected}`, typeFix(issue.expected, value)]
    case 'invalid_value':
      return [`${said} is not allowed here`, choose(typed(value), issue.values.map(String))]
    case 'invalid_union':
      return unionFix(issue, said, value)
    case 'too_small':
      return [`${said} is too small or too short`, `The least is ${issue.minimum}.`]
    case 'too_big':
      return [`${said} is too large or too long`, `The most is ${issue.maximum}.`]
    case 'invalid_key':
      return [`a key of ${said} is not allowed here`, 'Correct the key.']
    default:
      return [`${said} ${issue.message}`, 'Correct it.']
  }
}

function unionFix(issue: Extract<Issue, { code: 'invalid_union' }>, said: string, value: unknown) {
  const options = 'options' in issue ? (issue.options ?? []).map(String) : []
  if (options.length > 0) {
    const meant = nearest(typed(value), options)
    return [
      `${said} is not one of ${options.join(', ')}`,
      meant === undefined ? 'Choose one.' : `Did you mean "${meant}"?`,
    ] as const
  }
  return [`${said} is not ${issue.message}`, 'Write it in one of these forms.'] as const
}

function typeFix(expected: string, value: unknown): string {
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return `Put it in quotes: "${String(value)}".`
  return `Write ${KINDS[expected] ?? expected}.`
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let at = raw
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = Reflect.get(at, step)
  }
  return at
}

const typed = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
