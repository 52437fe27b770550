import { isList, isObject, type Json, type JsonObject } from './json.ts'
import type { Fields, HubRecord } from './model.ts'

/** What the provenance of a record says of which everything was erased. */
export const ERASED = 'erased'

/** Only its number and its times are left of it, for good: nothing may fill it again. */
export const isErased = (record: Pick<HubRecord, 'archived' | 'provenance'>): boolean =>
  record.archived && record.provenance['*']?.rule === ERASED

/** What stands where an erased person stood. The address is one that nobody can have (RFC 2606). */
export const ERASED_TEXT = '[erased]'
export const ERASED_ADDRESS = 'erased@erased.invalid'

/** What a person is recognised by in texts. */
export type Traces = {
  readonly emails: readonly string[]
  /** E.164. */
  readonly phones: readonly string[]
  readonly fullNames: readonly string[]
  /** Given and family names by themselves: looked for in what is about the person, and nowhere else. */
  readonly names: readonly string[]
}

const SHORTEST_NAME = 2

/** Whatever was ever said of a person's names, addresses and numbers, as it stands in any of these values. */
export function tracesOf(said: readonly Fields[]): Traces {
  const emails = new Set<string>()
  const phones = new Set<string>()
  const fullNames = new Set<string>()
  const names = new Set<string>()
  const given = new Set<string>()
  const family = new Set<string>()
  for (const fields of said) {
    for (const email of texts(fields['emails'])) emails.add(email.toLowerCase())
    for (const phone of texts(fields['phones'])) phones.add(phone)
    for (const name of texts(fields['givenName'])) given.add(name.trim())
    for (const name of texts(fields['familyName'])) family.add(name.trim())
  }
  for (const name of [...given, ...family]) if (name.length >= SHORTEST_NAME) names.add(name)
  for (const first of given)
    for (const last of family)
      if (first !== '' && last !== '')
        for (const full of [`${first} ${last}`, `${last} ${first}`, `${last}, ${first}`]) fullNames.add(full)
  return { emails: [...emails], phones: [...phones], fullNames: [...fullNames], names: [...names] }
}

const texts = (value: Json | undefined): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : isList(value)
      ? value.filter((item): item is string => typeof item === 'string' && item.trim() !== '')
      : []

/** Regular expressions that JavaScript and PostgreSQL read alike. Each matches nothing where there is nothing to find. */
type Expressions = {
  /** To be used without regard to case. */
  readonly emails: string
  readonly strong: string
  /** With regard to case. */
  readonly names: string
}

export type Patterns = Expressions & {
  /** For JSON as text, which stays JSON: inside of strings only, and of no key. */
  readonly inJson: Expressions
}

const NOTHING = 'nothing is called 3b1f0c7e this'
/** Not within another word; in JSON a word may follow the letter of an escape. */
const LETTER = '[A-Za-z0-9À-ÖØ-öø-ɏͰ-ԯ]'
const BEFORE = `(?:(?<!${LETTER})|(?<=\\\\[nrtbf]))`
const AFTER = `(?!${LETTER})`
/** Nor within another address: ann.quin@x.co and quin@x.co.uk hold quin@x.co, and are somebody else's. */
const BEFORE_ADDRESS = `(?:(?<!${LETTER})(?<!${LETTER}[._+'-])|(?<=\\\\[nrtbf][._+'-]?))`
const AFTER_ADDRESS = `(?!${LETTER}|[.-]${LETTER})`

/** A name that is also a key would rename the column of a file, or a vendor's field. */
const AFTER_IN_JSON = `${AFTER}(?!(?:[^"\\\\]|\\\\.)*" ?:)`

export function patternsOf({ emails, phones, fullNames, names }: Traces): Patterns {
  const full = fullNames.flatMap((name) => [name, name.toUpperCase(), name.toLowerCase()])
  const single = names.flatMap((name) => [
    name,
    name.toUpperCase(),
    ...(name.length > 4 ? [name.toLowerCase()] : []),
  ])
  const mail = (as: (text: string) => readonly string[]) =>
    anyOf(emails.flatMap(as), BEFORE_ADDRESS, AFTER_ADDRESS)
  return {
    emails: mail(written),
    strong: anyOf([...full.flatMap(written), ...phones.flatMap((phone) => dialled(phone, NO_VALUE))]),
    names: anyOf(single.flatMap(written)),
    inJson: {
      emails: mail(inString),
      strong: anyOf([...full.flatMap(inString), ...phones.flatMap((phone) => dialled(phone, NO_NUMBER))]),
      names: anyOf(single.flatMap(inString), BEFORE, AFTER_IN_JSON),
    },
  }
}

/** As it stands in plain text, and in JSON. */
function written(text: string): readonly string[] {
  const inJson = JSON.stringify(text).slice(1, -1)
  return [...new Set([text, inJson])].map(escaped)
}

/** As it stands in a string of JSON. What may also stand outside of one is taken for a name where it is the whole string. */
function inString(text: string): readonly string[] {
  const inJson = escaped(JSON.stringify(text).slice(1, -1))
  return /^(?:(?:true|false|null)(?:,? |$)|\P{L})*$/iu.test(text) ? [`(?<=")${inJson}(?=")`] : [inJson]
}

/** The codes of countries that have other than three digits, as the ITU gave them out (Recommendation E.164). */
const SHORT_CODE = /^(?:[17]|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/
const BETWEEN = '[ ()./-]*'
/** Written with fewer digits, a number may be any other. */
const FEWEST_DIGITS = 7

/** A number however it is grouped: with its country's code, or without, and then with or without the digit for trunk calls. */
function dialled(phone: string, guard: string): readonly string[] {
  const digits = phone.replace(/\D/g, '')
  if (digits.length < FEWEST_DIGITS) return []
  const [code = digits.slice(0, 3)] = SHORT_CODE.exec(digits) ?? []
  const national = digits.slice(code.length)
  const abroad = `(?:\\+|00)?${spaced(code)}${BETWEEN}(?:0${BETWEEN})?`
  const prefix = national.length < FEWEST_DIGITS ? abroad : `(?:${abroad}|(?:06?|8)${BETWEEN})?`
  return [`${guard}${prefix}${spaced(national)}`]
}

/** In JSON a number is an amount or a time, and text in its place would break it. */
const NO_VALUE = '(?<!": ?[-0-9.]*)'
const NO_NUMBER = `${NO_VALUE}(?!(?<=(?:\\[|(?:[0-9}"]|\\]|true|false|null),) ?)[1-9][0-9]* ?[,\\]])`
const spaced = (digits: string): string => digits.split('').join(BETWEEN)
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function anyOf(parts: readonly string[], before = BEFORE, after = AFTER): string {
  // The longest first: a name that holds another one is taken whole.
  const sorted = [...new Set(parts)].toSorted((a, b) => b.length - a.length)
  return sorted.length === 0 ? NOTHING : `${before}(?:${sorted.join('|')})${after}`
}

/** Takes a person's traces out of texts. */
export type Scrub = (text: string) => string

export function scrubberOf({ emails, strong, names }: Patterns): Scrub {
  const mail = new RegExp(emails, 'gi')
  const whole = new RegExp(strong, 'gi')
  const parts = new RegExp(names, 'g')
  return (text) => text.replace(mail, ERASED_ADDRESS).replace(whole, ERASED_TEXT).replace(parts, ERASED_TEXT)
}

/** The value with every text in it scrubbed. */
export function scrubbed(value: Json, scrub: Scrub): Json {
  if (typeof value === 'string') return scrub(value)
  if (isList(value)) return value.map((item) => scrubbed(item, scrub))
  if (!isObject(value)) return value
  const kept: JsonObject = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, scrubbed(item, scrub)]),
  )
  return kept
}

/** How long what nobody needs any more is kept, in milliseconds; null: for ever. */
export type Retention = {
  /** Texts of logged messages; their subjects and people stay. */
  readonly mailBodiesMs: number | null
  /** Values in the history of records, by whole months. */
  readonly historyMs: number | null
  readonly closedInboxMs: number | null
  /** What was sent to vendors; that it was sent stays. */
  readonly outboxBodiesMs: number | null
}
export const KEEP_ALL: Retention = {
  mailBodiesMs: null,
  historyMs: null,
  closedInboxMs: null,
  outboxBodiesMs: null,
}

/** What an erasure asks of one object at a vendor. */
export type RemoteErasure = {
  readonly stream: string
  /** Null once it is done: the hub need not know it any more. */
  readonly remoteId: string | null
  /** `by hand`: the vendor's API cannot; a person does it, and says so. */
  readonly state: 'pending' | 'done' | 'failed' | 'by hand'
  /** Why it failed or must be done by hand. */
  readonly problem: string | null
  readonly attempts: number
}
