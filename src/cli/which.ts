import type { RecordKind } from '../core/model.ts'
import { recordsCalled, type Candidate } from '../runtime/explain/find.ts'
import type { Hub } from '../runtime/hub.ts'
import { badInput, nearest } from './exit.ts'

const KNOWN_BY: Readonly<Record<RecordKind, string>> = {
  contact: 'email address, phone number (+49…), whole name',
  company: 'domain, whole name',
  deal: 'whole name',
  invoice: 'number',
  activity: 'subject',
}

/** The kind of record a person means, in singular or plural. */
export function kindCalled<Kind extends RecordKind>(text: string, kinds: readonly Kind[]): Kind {
  const wanted = text.toLowerCase().replace(/ies$/, 'y').replace(/s$/, '')
  const found = kinds.find((kind) => kind === wanted)
  if (found !== undefined) return found
  const near = nearest(wanted, kinds)
  throw badInput(
    `"${text}" is no kind of record`,
    near === null ? `Use one of ${kinds.join(', ')}.` : `Did you mean ${near}?`,
  )
}

/** The plural of a kind: `companies`. */
export const manyOf = (kind: RecordKind): string => `${kind}s`.replace(/ys$/, 'ies')

/** The one record a text means; refuses where it means none, or several. */
export async function recordCalled(hub: Hub, kind: RecordKind, text: string): Promise<Candidate> {
  const [found, ...others] = await recordsCalled(hub, kind, text)
  if (found === undefined)
    throw badInput(
      `No ${kind} is called ${text}`,
      `Give its ${KNOWN_BY[kind]}, or its id at a vendor or in the hub.`,
    )
  if (others.length > 0)
    throw badInput(
      [`${text} may mean several:`, ...[found, ...others].map((r) => `  ${r.id}  ${r.title}`)].join('\n'),
      'Give the number of one.',
    )
  return found
}

/**
 * The same for what is hard to take back: a bare number is one of the hub's own. A mistyped one could be some vendor's
 * id of somebody else.
 */
export async function recordToChange(hub: Hub, kind: RecordKind, text: string): Promise<Candidate> {
  const found = await recordCalled(hub, kind, text)
  const isNumber = /^\d+$/.test(text.trim())
  if (isNumber && Number(text) !== found.id)
    throw badInput(
      `The hub has no ${kind} ${text.trim()}; at a system, ${found.title} (${kind} ${found.id}) has this id`,
      `If that is the one, give its number in the hub: ${found.id}.`,
    )
  return found
}
