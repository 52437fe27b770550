import { isObject, isList, type Json } from '../../core/json.ts'
import type { ConsentState, Statement } from '../../core/consent.ts'
import type { RecordKind } from '../../core/model.ts'
import { appendStatements } from '../../store/consents.ts'
import { loadRecords } from '../../store/records.ts'
import { haveTombstones, keptOut } from '../../store/tombstones.ts'
import { addressesOf, consentOf, consentOver } from '../consent.ts'
import { editChange, type Change, type Following } from '../change.ts'
import { outDigest } from './digests.ts'

const RULE = 'rule:privacy'

/**
 * Whoever opted out before they were erased is out where their address comes back, on whatever record and way: what was
 * kept of it is written to the ledger anew. One query where nobody was erased.
 */
export async function followErased(
  { hub, q, run, apply }: Following,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> {
  if (kind !== 'contact') return new Set()
  const gained = changes.flatMap(({ before, after }) => {
    const had = before === null || before.archived ? [] : addressesOf(before.fields)
    const now = after.archived ? [] : addressesOf(after.fields)
    return now.filter((address) => !had.includes(address)).map((address) => ({ address, id: after.id }))
  })
  if (gained.length === 0 || !(await haveTombstones(q))) return new Set()
  const hash = await hub.mailHash()
  const digests = new Map(gained.map((one) => [outDigest(hash, one.address), one]))
  const found = await keptOut(q, [...digests.keys()])
  if (found.length === 0) return new Set()
  const statements = found.flatMap(({ digest, said }) =>
    statementsOf(digests.get(digest)?.address ?? '', said),
  )
  await appendStatements(q, statements, run)
  const ids = found.flatMap(({ digest }) => digests.get(digest)?.id ?? [])
  const people = [...(await loadRecords(q, 'contact', ids, 'lock')).values()]
  const states = await consentOver(
    q,
    people.map((person) => addressesOf(person.fields)),
    [],
  )
  const at = hub.clock.now()
  const edits = people.flatMap((person, i): Change | readonly Change[] => {
    const state = states[i] ?? 'unknown'
    if (state === consentOf(person.fields)) return []
    const why = { emailConsent: { value: state, rule: 'opted out before they were erased' } }
    const change = editChange(person, why, RULE, at)
    return change === null ? [] : { ...change, urgent: state === 'out' }
  })
  return apply('contact', edits, RULE)
}

const STATES: ReadonlySet<unknown> = new Set<ConsentState>(['out', 'pending'])

function statementsOf(address: string, said: Json): readonly Statement[] {
  if (!isList(said) || address === '') return []
  return said.flatMap((one): Statement | readonly Statement[] => {
    if (!isObject(one)) return []
    const { channel, audience, state, at, source } = one
    if (typeof channel !== 'string' || typeof audience !== 'string' || !STATES.has(state)) return []
    if (typeof at !== 'number' || typeof source !== 'string') return []
    const reason = 'opted out before they were erased'
    return { address, channel, audience, state: 'out', at, explicit: true, source, reason }
  })
}
