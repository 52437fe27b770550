import type { Instant } from '../../src/core/json.ts'

/** An object at a vendor (`mailchimp 1f…`, `stripe cus_…`, `csv c3`), or a record edited in the hub (`hub 12`). */
export type Ref = string
export type Edit = {
  readonly ref: Ref
  /** As the hub names it. Sets are told one member at a time. */
  readonly field: string
  /** Null: cleared. Other values are said only once in a run. */
  readonly value: string | null
  /** All have agreed on it since: who says something else now is alone in it. */
  readonly isPast?: boolean
}
type Act = { readonly state: 'in' | 'out'; readonly at: Instant; readonly ref: Ref | null }

/** What people did, as far as the hub is bound by it. Knows nothing of the hub. */
export class Oracle {
  /** Since the sides last agreed. */
  edits: Edit[] = []
  /** Objects that people removed since then: what was said there may be gone. */
  readonly removed = new Set<Ref>()
  /** Objects that were linked when the sides last agreed: an edit there is one, not a first meeting. */
  readonly met = new Set<Ref>()
  /** The hub's values when the sides last agreed, by record and field. */
  agreed: ReadonlyMap<string, unknown> = new Map()
  readonly #acts = new Map<string, Act[]>()
  #values = 0
  #settledAt: Instant = 0

  edit(ref: Ref, field: string, value: string | null): void {
    this.edits.push({ ref, field, value })
  }

  /** Everybody has heard this and holds it: what these objects said before is past, and contends no more. */
  agree(refs: readonly Ref[], field: string, value: string | null): void {
    const concerns = (edit: Edit) => edit.field === field && refs.includes(edit.ref)
    this.edits = this.edits
      .filter((edit) => !concerns(edit) || edit.value === value)
      .map((edit) => (concerns(edit) ? { ...edit, isPast: true } : edit))
  }

  /** A value nobody has said yet. */
  fresh(stem: string): string {
    this.#values += 1
    return `${stem}${this.#values}`
  }

  phone(): string {
    this.#values += 1
    return `+1202555${String(1000 + this.#values)}`
  }

  act(address: string, state: Act['state'], at: Instant, ref: Ref | null = null): void {
    const key = address.toLowerCase()
    const acts = this.#acts.get(key) ?? []
    acts.push({ state, at, ref })
    this.#acts.set(key, acts)
  }

  /** The person behind this address has said to be left alone, and nothing else since. */
  isOut(address: string): boolean {
    return this.#acts.get(address.toLowerCase())?.at(-1)?.state === 'out'
  }

  /** The object that told of this person is gone, or tells of another address: what nobody may have heard is void. */
  unsaid(address: string): void {
    const key = address.toLowerCase()
    this.#acts.set(
      key,
      (this.#acts.get(key) ?? []).filter(({ at }) => at < this.#settledAt),
    )
  }

  /** What was said last was said here, taken back here, and heard by nobody in between. */
  takeBack(address: string, ref: Ref): void {
    const acts = this.#acts.get(address.toLowerCase())
    if (acts?.at(-1)?.ref === ref) acts.pop()
  }

  hasReturned(address: string, since: Instant): boolean {
    const acts = this.#acts.get(address.toLowerCase()) ?? []
    return acts.some(({ state, at }) => state === 'in' && at >= since)
  }

  settled(refs: Iterable<Ref>, agreed: ReadonlyMap<string, unknown>, at: Instant): void {
    this.#settledAt = at
    this.edits = []
    this.removed.clear()
    this.met.clear()
    for (const ref of refs) this.met.add(ref)
    this.agreed = agreed
  }
}
