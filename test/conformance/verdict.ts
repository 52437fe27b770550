import { isDeepStrictEqual } from 'node:util'
import { type Failure, failureOf, type Observation, type Outcome } from '../../src/connectors/connector.ts'
import { isObject, type Json, type JsonObject } from '../../src/core/json.ts'

/** The connector does not keep the contract; the message is for its author. */
export class Broken extends Error {}

/** The check does not apply; the message says what it lacked. */
export class Lacking extends Error {}

export type Verdict =
  | { readonly kind: 'kept' }
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'broken'; readonly message: string; readonly cause: unknown }

/** What a check comes to. `who` is the connector and what of it was checked. */
export async function judged(who: string, contract: string, run: () => Promise<void>): Promise<Verdict> {
  try {
    await run()
    return { kind: 'kept' }
  } catch (error) {
    if (error instanceof Lacking) return { kind: 'skipped', why: error.message }
    const what = error instanceof Broken ? error.message : `unexpected: ${String(error)}`
    const message = `${who}: ${what}\nThe contract: ${contract}`
    // The stack of a failed check leads to the suite; that of anything else, to the bug.
    return { kind: 'broken', message, cause: error instanceof Broken ? error.cause : error }
  }
}

/** The part of the bench or connector that a check is about; ends the check as skipped where it is missing. */
export function need<T>(part: T | undefined | null, lacking: string): T {
  if (part === undefined || part === null) throw new Lacking(lacking)
  return part
}

export function want(ok: boolean, otherwise: string): asserts ok {
  if (!ok) throw new Broken(otherwise)
}

export function wantSame(actual: unknown, expected: unknown, otherwise: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Broken(`${otherwise}\n  expected ${short(expected)}\n  got      ${short(actual)}`)
}

export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}

export function present(seen: Observation | null | undefined, what: string) {
  if (seen?.kind === 'present') return seen
  throw new Broken(`${what} should be present, but is ${short(seen ?? 'not there')}`)
}

export function applied(outcome: Outcome | undefined, what: string) {
  if (outcome?.kind === 'applied') return outcome.observation
  throw new Broken(`${what} should be applied, but the outcome is ${short(outcome)}`)
}

/** The failure that an act ends with. */
export async function failureFrom(act: () => Promise<unknown>, what: string): Promise<Failure> {
  try {
    await act()
  } catch (error) {
    const failure = failureOf(error)
    if (failure !== null) return failure
    throw new Broken(
      `${what} should fail with a VendorError, but threw ${String(error)}. A bug for the runtime, which stops the ` +
        'whole connection instead of telling an admin what to do.',
      { cause: error },
    )
  }
  throw new Broken(`${what} should fail, and did not`)
}

export function valueAt(body: JsonObject, path: string): Json | undefined {
  if (Object.hasOwn(body, path)) return body[path]
  let at: Json | undefined = body
  for (const key of path.split('.')) at = isObject(at) ? at[key] : undefined
  return at
}

export const isEmpty = (value: Json | undefined) => value === undefined || value === null || value === ''

const FIX =
  /\b(add|adjust|archive|ask|bring|check|choose|connect|copy|correct|create|enter|fill|give|grant|leave|make|merge|move|put|remove|repair|replace|save|set|shorten|use|void|wait|which|write)\b/i

/** A message an admin can act on: a sentence with an instruction in it, not only what went wrong. */
export function wantFix(message: string, what: string): void {
  want(
    FIX.test(message) && message.length >= 20,
    `${what}: the message does not say what to do: "${message}". It is all an admin sees in the inbox; end it with an ` +
      'instruction (Set…, Copy…, Correct…).',
  )
}
