import type { Loser } from './decide.ts'
import { isEmpty, isObject, same, unreachable, type Instant, type Json, type JsonObject } from './json.ts'
import { canonical, effective, hubValue, mergePatches, read, spread, type Lens } from './lens.ts'
import type { FieldName, Fields, HubRecord, Source } from './model.ts'
import { settleLens, type Confirmed } from './settle.ts'

/** What the sides last agreed on, by lens key. A pair, because remotes truncate, reformat and round. */
export type Base = Readonly<Record<string, { readonly hub?: Json; readonly remote?: Json }>>

/** A remote object as last seen. */
export type Observed = {
  readonly body: Json
  readonly modifiedAt: Instant | null
  /** What is written there is handed over, and shows only once the other side has taken it in. */
  readonly isHandoff?: boolean
}

/** `value` may be the one the hub holds already: another source now stands behind it. */
export type HubEdit = { readonly value: Json; readonly rule: string; readonly lost?: Loser }
export type Ask = {
  readonly lens: string
  readonly hub: Json
  readonly remote: Json
  readonly agreed: Json
  readonly rule: string
}
export type Unreadable = { readonly lens: string; readonly problem: string; readonly raw: Json }
/** A remote edit that does not stand: the hub's value stays, and goes back to the remote where the lens may write. */
export type Overruled = { readonly lens: string; readonly rule: string; readonly lost: Loser }

/** The work on one link: what to write into the hub, what to send, what to ask. Pure data; nothing was done yet. */
export type LinkPlan = {
  readonly hub: Readonly<Record<FieldName, HubEdit>>
  /** What to send so that the remote says what the hub (after `hub`) says; null: nothing. */
  readonly patch: JsonObject | null
  /** The lenses that `patch` speaks for. */
  readonly pushed: readonly string[]
  /** The base as far as the sides agree without the patch being sent. */
  readonly base: Base
  readonly asks: readonly Ask[]
  readonly unreadable: readonly Unreadable[]
  readonly overruled: readonly Overruled[]
}

/**
 * Compares the three states of a link. Planning again after nothing happened gives an empty plan, so our own echo
 * plans nothing.
 */
export function planLink(
  lenses: readonly Lens[],
  record: HubRecord,
  observed: Observed,
  base: Base,
  source: Source,
): LinkPlan {
  const hub: Record<FieldName, HubEdit> = {}
  const nextBase: Record<string, { hub?: Json; remote?: Json }> = { ...base }
  const asks: Ask[] = []
  const unreadable: Unreadable[] = []
  const overruled: Overruled[] = []
  const pushed: string[] = []
  let patch: JsonObject = {}

  for (const lens of lenses) {
    const reading = read(lens, observed.body)
    if (reading.kind === 'invalid') {
      unreadable.push({ lens: lens.key, problem: reading.problem, raw: reading.raw })
      continue
    }
    const remote = reading.kind === 'value' ? reading.value : undefined
    const mine = hubValue(lens, record.fields)
    const agreed = base[lens.key]
    const { decision, confirmed } = settleLens(
      lens,
      record,
      {
        hub: mine,
        remote,
        base: agreed === undefined ? undefined : { hub: agreed.hub, remote: agreed.remote },
        remoteSays: { source, modifiedAt: observed.modifiedAt },
      },
      observed.body,
    )
    const agree = (value: Json | undefined) => {
      nextBase[lens.key] = pair(value === undefined ? undefined : canonical(lens, value), remote)
    }
    const offer = (value: Json): boolean => {
      // What was handed over last stands until it is taken in: it is that which has to change.
      const isWaiting =
        observed.isHandoff === true && agreed?.hub !== undefined && same(agreed.remote, remote)
      const told = isWaiting ? handedOver(lens, agreed.hub ?? null, observed.body) : observed.body
      const change = lens.direction === 'in' ? null : effective(lens.put(value, told), told)
      if (change === null) return false
      patch = mergePatches(patch, change)
      pushed.push(lens.key)
      return true
    }
    const overrule = (rule: string, lost: Loser | undefined) => {
      if (lost !== undefined) overruled.push({ lens: lens.key, rule, lost })
    }
    if (mine !== undefined) confirm(hub, lens, mine, confirmed)
    switch (decision.kind) {
      case 'keep':
        break
      case 'agree':
        agree(mine)
        break
      case 'take':
        takeInto(hub, lens, mine, decision)
        agree(decision.value)
        break
      case 'push': {
        const sent = offer(decision.value)
        if (sent || lens.direction === 'in') overrule(decision.rule, decision.lost)
        if (!sent && remote !== undefined) agree(decision.value)
        break
      }
      case 'both':
        takeInto(hub, lens, mine, decision)
        overrule(decision.rule, decision.overruled)
        // Until the patch is sent the hub stays ahead of the base, so that a lost push is planned again.
        agree(offer(decision.value) ? (remote ?? null) : decision.value)
        break
      case 'ask':
        asks.push({
          lens: lens.key,
          hub: mine ?? null,
          remote: remote ?? null,
          agreed: agreed?.hub ?? null,
          rule: decision.rule,
        })
        break
      default:
        unreachable(decision)
    }
  }
  return {
    hub,
    patch: pushed.length === 0 ? null : patch,
    pushed,
    base: nextBase,
    asks,
    unreadable,
    overruled,
  }
}

/** The object as it would be, had the other side taken in what it was told last. */
function handedOver(lens: Lens, value: Json, body: Json): Json {
  return isObject(body) ? mergePatches(body, lens.put(value, body)) : body
}

function confirm(hub: Record<FieldName, HubEdit>, lens: Lens, mine: Json, confirmed: Confirmed): void {
  const values = spread(lens, mine)
  for (const [field, rule] of Object.entries(confirmed)) hub[field] = { value: values[field] ?? null, rule }
}

function takeInto(
  hub: Record<FieldName, HubEdit>,
  lens: Lens,
  mine: Json | undefined,
  decision: { readonly value: Json; readonly rule: string; readonly lost?: Loser },
): void {
  const before = mine === undefined ? {} : spread(lens, mine)
  for (const [field, value] of Object.entries(spread(lens, decision.value))) {
    if (same(before[field], value)) continue
    hub[field] = {
      value,
      rule: decision.rule,
      ...(decision.lost === undefined || isEmpty(before[field])
        ? {}
        : { lost: { source: decision.lost.source, value: before[field] ?? null } }),
    }
  }
}

/** The fields of a record born from a remote object, and the base that goes with it. */
export type Birth = {
  readonly fields: Fields
  readonly base: Base
  readonly unreadable: readonly Unreadable[]
}

export function planBirth(lenses: readonly Lens[], observed: Observed): Birth {
  const fields: Record<FieldName, Json> = {}
  const base: Record<string, { hub?: Json; remote?: Json }> = {}
  const unreadable: Unreadable[] = []
  for (const lens of lenses) {
    if (lens.direction === 'out') continue
    const reading = read(lens, observed.body)
    if (reading.kind === 'invalid') {
      unreadable.push({ lens: lens.key, problem: reading.problem, raw: reading.raw })
    } else if (reading.kind === 'value') {
      Object.assign(fields, spread(lens, reading.value))
      base[lens.key] = pair(reading.value, reading.value)
    }
  }
  return { fields, base, unreadable }
}

/** The whole object to create at a remote for a record, and the lenses it speaks for. */
export function planCreation(
  lenses: readonly Lens[],
  fields: Fields,
): { readonly body: JsonObject; readonly pushed: readonly string[] } {
  let body: JsonObject = {}
  const pushed: string[] = []
  for (const lens of lenses) {
    const value = hubValue(lens, fields)
    if (lens.direction === 'in' || isEmpty(value)) continue
    body = mergePatches(body, lens.put(value ?? null, null))
    pushed.push(lens.key)
  }
  return { body, pushed }
}

/**
 * The base after a write was answered: the lenses that were sent now agree, on what the hub said when it was planned
 * and on what the remote made of it. Other lenses keep their base, so a remote edit that came in between is still seen.
 */
export function rebase(
  lenses: readonly Lens[],
  base: Base,
  pushed: readonly string[],
  sent: Fields,
  returned: Json,
): Base {
  const next: Record<string, { hub?: Json; remote?: Json }> = { ...base }
  for (const lens of lenses) {
    if (!pushed.includes(lens.key)) continue
    const reading = read(lens, returned)
    next[lens.key] = pair(hubValue(lens, sent), reading.kind === 'value' ? reading.value : undefined)
  }
  return next
}

/**
 * The base of an object that may have a write of ours whose answer was lost: what it says as we said it is our own word,
 * not an edit there, whatever the hub says by now.
 */
export function arrived(
  lenses: readonly Lens[],
  base: Base,
  pushed: readonly string[],
  sent: Fields,
  body: Json,
): Base {
  const there = lenses.filter(
    (lens) => effective(lens.put(hubValue(lens, sent) ?? null, body), body) === null,
  )
  const told = there.map((lens) => lens.key).filter((key) => pushed.includes(key))
  return rebase(lenses, base, told, sent, body)
}

function pair(hub: Json | undefined, remote: Json | undefined): { hub?: Json; remote?: Json } {
  return { ...(hub === undefined ? {} : { hub }), ...(remote === undefined ? {} : { remote }) }
}

/**
 * The base once a person has answered an ask: the side they chose now counts as the only one edited, so the next plan
 * carries it over. Another edit in the meantime asks again.
 */
export function answerAsk(base: Base, ask: Ask, chosen: 'hub' | 'remote'): Base {
  const agreed = base[ask.lens]
  const pairs = chosen === 'hub' ? pair(agreed?.hub, ask.remote) : pair(ask.hub, ask.hub)
  return { ...base, [ask.lens]: pairs }
}
