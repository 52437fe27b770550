import { isObject, type Json, type JsonObject } from '../../src/core/json.ts'
import { mergePatches, read, type Lens, type Policy, type Reading } from '../../src/core/lens.ts'
import type { FieldName, HubRecord } from '../../src/core/model.ts'
import { planLink, rebase, type Base, type LinkPlan } from '../../src/core/plan.ts'

/** A hub with one contact and a handful of remotes, all in memory: enough to see what the core decides. */

export const at = (body: Json, key: string): Reading => {
  const value = isObject(body) ? body[key] : undefined
  if (value === undefined) return { kind: 'absent' }
  return { kind: 'value', value: value === '' || (Array.isArray(value) && value.length === 0) ? null : value }
}

type Options = { readonly policy?: Policy; readonly direction?: Lens['direction'] }
const defaults = { policy: { kind: 'newest' }, direction: 'both' } as const

export const plain = (field: FieldName, options: Options = {}): Lens => ({
  ...defaults,
  ...options,
  key: field,
  fields: [field],
  set: false,
  get: (body) => at(body, field),
  put: (value) => ({ [field]: value }),
})

/** First and last name as one unit. */
export const name = (options: Options = {}): Lens => ({
  ...defaults,
  ...options,
  key: 'name',
  fields: ['givenName', 'familyName'],
  set: false,
  get(body) {
    const [first, last] = [at(body, 'first'), at(body, 'last')]
    if (first.kind !== 'value' && last.kind !== 'value') return { kind: 'absent' }
    const of = (reading: Reading) => (reading.kind === 'value' ? reading.value : null)
    return { kind: 'value', value: { givenName: of(first), familyName: of(last) } }
  },
  put: (value) => ({
    first: isObject(value) ? (value['givenName'] ?? null) : null,
    last: isObject(value) ? (value['familyName'] ?? null) : null,
  }),
})

export const allEmails = (options: Options = {}): Lens => ({
  ...plain('emails', { policy: { kind: 'union' }, ...options }),
  set: true,
})

/** A remote with room for the primary address only. */
export const oneEmail = (options: Options = {}): Lens => ({
  ...allEmails(options),
  get(body) {
    const reading = at(body, 'email')
    return reading.kind === 'value' && reading.value !== null
      ? { kind: 'value', value: [reading.value] }
      : reading
  },
  put: (value) => ({ email: Array.isArray(value) ? (value[0] ?? null) : null }),
})

/** What a vendor makes of a text it is given. */
export type Vendor = 'faithful' | 'cuts' | 'shouts' | 'forgetsNull'
const stored = (vendor: Vendor, value: Json): Json => {
  if (typeof value !== 'string') return value
  return vendor === 'cuts' ? value.slice(0, 8) : vendor === 'shouts' ? value.toUpperCase() : value
}

export type Remote = {
  readonly source: string
  readonly lenses: readonly Lens[]
  readonly vendor: Vendor
  body: JsonObject
  modifiedAt: number | null
  base: Base
}

export function write(remote: Remote, patch: JsonObject): void {
  const entries = Object.entries(mergePatches(remote.body, patch))
    .map(([key, value]) => [key, stored(remote.vendor, value)] as const)
    .filter(([, value]) => remote.vendor !== 'forgetsNull' || value !== null)
  remote.body = Object.fromEntries(entries)
}

export class World {
  clock = 1_000
  writes = 0
  hub: HubRecord = { id: 1, kind: 'contact', version: 1, fields: {}, provenance: {}, archived: false }
  readonly remotes: Remote[] = []

  add(
    source: string,
    lenses: readonly Lens[],
    body: JsonObject,
    vendor: Vendor = 'faithful',
    modifiedAt: number | null = this.clock,
  ): Remote {
    const remote: Remote = { source, lenses, vendor, body: {}, modifiedAt, base: {} }
    write(remote, body)
    this.remotes.push(remote)
    return remote
  }

  editHub(fields: Record<FieldName, Json>, source = 'user:ann', when = ++this.clock): void {
    const provenance = { ...this.hub.provenance }
    for (const field of Object.keys(fields)) provenance[field] = { source, at: when, rule: 'edited' }
    const { version } = this.hub
    this.hub = { ...this.hub, version: version + 1, fields: { ...this.hub.fields, ...fields }, provenance }
  }

  editRemote(remote: Remote, patch: JsonObject, when: number | null = ++this.clock): void {
    write(remote, patch)
    remote.modifiedAt = when
  }

  plan(remote: Remote): LinkPlan {
    const { body, modifiedAt, base, source, lenses } = remote
    return planLink(lenses, this.hub, { body, modifiedAt }, base, source)
  }

  /** Observes one remote, keeps what was decided and pushes; `lose` drops the push on its way. */
  visit(remote: Remote, lose = false): boolean {
    const plan = this.plan(remote)
    const edits = Object.entries(plan.hub)
    if (edits.length > 0) {
      const provenance = { ...this.hub.provenance }
      const when = remote.modifiedAt ?? this.clock
      for (const [field, edit] of edits)
        provenance[field] = { source: remote.source, at: when, rule: edit.rule }
      const fields = { ...this.hub.fields, ...Object.fromEntries(edits.map(([f, edit]) => [f, edit.value])) }
      this.hub = { ...this.hub, version: this.hub.version + 1, fields, provenance }
    }
    remote.base = plan.base
    if (plan.patch === null) return edits.length > 0
    if (!lose) {
      write(remote, plan.patch)
      this.writes++
      remote.base = rebase(remote.lenses, remote.base, plan.pushed, this.hub.fields, remote.body)
    }
    return true
  }

  /** Visits everybody until a whole round changes nothing. Returns the rounds it took, or throws after `limit`. */
  settle(order: readonly Remote[] = this.remotes, limit = 2 * this.remotes.length + 2): number {
    for (let round = 1; round <= limit; round++) {
      const stirred = order.map((remote) => this.visit(remote))
      if (!stirred.includes(true)) return round
    }
    throw new Error(`not quiet after ${limit} rounds: ${JSON.stringify(this.state())}`)
  }

  state(): Json {
    const remotes = Object.fromEntries(this.remotes.map((r) => [r.source, r.body]))
    return { hub: this.hub.fields, remotes }
  }

  sees(remote: Remote, lens: Lens): Json | undefined {
    const reading = read(lens, remote.body)
    return reading.kind === 'value' ? reading.value : undefined
  }
}
