import { same } from '../../core/json.ts'
import { review, type Review, type Stored } from '../../core/mail/review.ts'
import type { MailRules } from '../../core/mail/rules.ts'
import type { Configuration } from '../../core/stream.ts'
import type { Query } from '../../store/database.ts'
import { holders } from '../../store/identities.ts'
import {
  listMailboxes,
  readMailbox,
  saveReview,
  startOver,
  type MailboxRow,
} from '../../store/mail/mailboxes.ts'
import {
  markRecheck,
  saveSightings,
  sightingsAfter,
  type ReviewRow,
  type SightingRow,
} from '../../store/mail/sightings.ts'
import { wakePush } from '../../store/wake.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { boxOf, mailOf, type Box } from './box.ts'
import { contactOf } from './crowd.ts'
import { domainFacts } from './domains.ts'
import { waitForContacts } from './gate.ts'
import { addressHash, peopleOf } from './judge.ts'
import type { Reader } from './reader.ts'
import { envelopeFrom, reviewFrom, reviewJson, rulesFrom, rulesJson, type ReviewBegun } from './rules-json.ts'
import { settleLeft } from './withdraw.ts'

const BATCH = 200

/** What changed rules come to for one mailbox, in messages. */
export type ReviewCount = {
  readonly connection: string
  readonly mailbox: string
  /** Messages looked at. */
  readonly stored: number
  /** Logged ones that are taken out, by reason. */
  readonly takenOut: number
  readonly reasons: Readonly<Record<string, number>>
  /** Ones that are read again, and may then be logged. */
  readonly readAgain: number
  /** Logged ones of which less is kept. */
  readonly stripped: number
  /** Mail from before is listed again, as `since` reaches further back. */
  readonly listedAgain: boolean
}

/**
 * What the rules of a configuration (the active one if none is given) would do to what is stored; writes nothing.
 * Mailboxes whose rules did not change are left out. Reads everything stored of the others, in batches.
 */
export async function previewReview(
  hub: Hub,
  configuration: Configuration = hub.configuration,
): Promise<readonly ReviewCount[]> {
  const counts: ReviewCount[] = []
  for (const row of await listMailboxes(hub.session.q)) {
    const target = mailOf(hub, row.connection)
    const config = configuration.connections.find((one) => one.name === row.connection)?.mail ?? null
    const box = target === undefined || config === null ? null : boxOf({ ...target, config }, row)
    if (box === null) continue
    const before = rulesBefore(row, box.rules)
    if (before.length === 0) continue
    const reasons: Record<string, number> = {}
    const count = { stored: 0, takenOut: 0, readAgain: 0, stripped: 0 }
    for (let after = ''; ; ) {
      const rows = await sightingsAfter(hub.session.q, row.id, after, BATCH)
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.remoteId
      count.stored += rows.length
      for (const { verdict } of await judgeAgain(hub.session.q, box, before, rows)) {
        if (verdict.kind === 'read-again') count.readAgain++
        if (verdict.kind === 'strip') count.stripped++
        if (verdict.kind !== 'take-out') continue
        count.takenOut++
        reasons[verdict.reason] = (reasons[verdict.reason] ?? 0) + 1
      }
    }
    counts.push({
      connection: row.connection,
      mailbox: row.address,
      ...count,
      reasons,
      listedAgain: reachesBack(before, box.rules),
    })
  }
  return counts
}

/** Mail was left out of the listing itself that belongs in it now. */
const reachesBack = (before: readonly MailRules[], { since }: MailRules): boolean =>
  before.some((rules) => rules.since !== null && (since === null || since < rules.since))

const areSame = (one: MailRules, other: MailRules): boolean => same(rulesJson(one), rulesJson(other))

/**
 * The other rules that something stored was read or judged by: those of the last finished review, and those of reviews
 * that were begun since and overtaken by yet another change. Empty: there is nothing to review.
 */
function rulesBefore(row: MailboxRow, rules: MailRules): readonly MailRules[] {
  if (row.rules === null) return []
  const begun = row.review === null ? null : reviewFrom(row.review)
  const all = [rulesFrom(row.rules), ...(begun === null ? [] : [...begun.under, begun.rules])]
  return all.filter((one, i) => !areSame(one, rules) && !all.slice(0, i).some((other) => areSame(other, one)))
}

/**
 * Notes that a mailbox is read by other rules from here on, before anything is: what comes in meanwhile is then known
 * to have been judged by them, should they change again before the review of the rest has come to its end. Null: all
 * of it was read by these.
 */
export async function beginReview(reader: Reader): Promise<ReviewBegun | null> {
  const { hub, box, row } = reader
  const under = rulesBefore(row, box.rules)
  if (under.length === 0) return null
  const before = row.review === null ? null : reviewFrom(row.review)
  if (before !== null && areSame(before.rules, box.rules)) return { ...before, under }
  const begun: ReviewBegun = { rules: box.rules, after: '', under }
  await saveReview(hub.session.q, box.id, reviewJson(begun))
  reader.row = await readMailbox(hub.session.q, box.id)
  return begun
}

/**
 * Looks through what is stored of a mailbox where its rules changed since, batch by batch, each in a transaction with
 * how far it came. Tightened rules take out at once, loosened ones have messages read again.
 */
export async function reviewBox(reader: Reader, isOver: () => Promise<boolean>): Promise<'done' | 'waits'> {
  const { hub, box } = reader
  const begun = await beginReview(reader)
  if (begun === null) return 'done'
  for (let { after } = begun; ; ) {
    const next = await reviewBatch(reader, begun, after)
    if (next === null) break
    after = next
    if (await isOver()) return 'waits'
  }
  await hub.session.begin(async (tx) => {
    await saveReview(tx, box.id, null, rulesJson(box.rules))
    // What was read before is known by its sightings, so that only what is missing is fetched.
    if (reachesBack(begun.under, box.rules)) await startOver(tx, box.id)
  })
  reader.row = await readMailbox(hub.session.q, box.id)
  return 'done'
}

/** Returns where the next batch begins; null: there is none. */
async function reviewBatch(
  { hub, box, run, woken }: Reader,
  begun: ReviewBegun,
  after: string,
): Promise<string | null> {
  return withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      await waitForContacts(tx)
      const rows = await sightingsAfter(tx, box.id, after, BATCH)
      const last = rows.at(-1)
      if (last === undefined) return null
      const judged = await judgeAgain(tx, box, begun.under, rows)
      const hash = await hub.mailHash()
      const changed: SightingRow[] = judged.flatMap(({ row, verdict, forms }): SightingRow[] => {
        if (verdict.kind === 'strip')
          return [{ ...row, detail: null, content: verdict.to, addressHashes: null }]
        if (verdict.kind !== 'take-out') return []
        const { reason, detail } = verdict
        const addressHashes = reason === 'stranger' ? forms.map((form) => addressHash(hash, form)) : null
        const nothing = { flags: null, labels: null, content: null }
        return [{ ...row, ...nothing, verdict: 'filtered', reason, detail, addressHashes }]
      })
      const at = hub.clock.now()
      await saveSightings(tx, box.id, changed, at)
      const again = judged.filter(
        ({ verdict, row }) => verdict.kind === 'read-again' && row.verdict !== 'gone',
      )
      await markRecheck(
        tx,
        box.id,
        again.map(({ row }) => row.remoteId),
      )
      const ids = changed.flatMap((row) => row.messageId ?? [])
      const runId = ids.length === 0 ? null : await run.id()
      const left = await settleLeft(hub, tx, ids, box.connection, 'the rules of its mailbox changed', runId)
      await wakePush(tx, left.woken)
      for (const name of left.woken) woken.add(name)
      await saveReview(tx, box.id, reviewJson({ ...begun, after: last.remoteId }))
      run.count({ withdrawn: left.withdrawn, stripped: left.stripped, read_again: again.length })
      return last.remoteId
    }),
  )
}

type JudgedAgain = { readonly row: ReviewRow; readonly verdict: Review; readonly forms: readonly string[] }

/** Judges stored sightings by the rules of `box`. One query, whatever their number. */
async function judgeAgain(
  q: Query,
  box: Box,
  before: readonly MailRules[],
  rows: readonly ReviewRow[],
): Promise<readonly JudgedAgain[]> {
  const read = rows.map((row) => {
    const envelope = row.content === null ? null : envelopeFrom(row.envelope)
    const people = envelope === null ? [] : peopleOf(envelope, box)
    return { row, envelope, people }
  })
  const forms = [...new Set(read.flatMap(({ people }) => people.flatMap((person) => person.forms)))]
  const found = await holders(
    q,
    'contact',
    forms.map((value) => ({ kind: 'email', value })),
  )
  const contacts = new Map(found.map(({ key, id }) => [key.value, id]))
  return read.map(({ row, envelope, people }): JudgedAgain => {
    const own = [...new Set(people.flatMap((person) => person.forms))]
    const judged = (verdict: Review) => ({ row, verdict, forms: own })
    if (envelope !== null && row.content !== null) {
      const known = people.some((person) => contactOf(contacts, person) !== null)
      const { flags, labels, content } = row
      const seen = { envelope, flags: flags ?? [], labels: labels ?? [] }
      const stored = { ...seen, verdict: 'logged' as const, content, known }
      return judged(reviewSince(stored, box, before))
    }
    if (row.verdict === 'filtered' && row.reason !== null)
      return judged(reviewSince({ verdict: 'filtered', reason: row.reason }, box, before))
    return judged({ kind: 'stays' })
  })
}

const URGENCY = ['take-out', 'read-again', 'strip', 'stays'] as const

/** Nobody knows by which of those rules it was read: what any of them asks for, the most far-reaching first. */
function reviewSince(stored: Stored, box: Box, before: readonly MailRules[]): Review {
  const verdicts = before.map((rules) => review(stored, box.mailbox, rules, box.rules, domainFacts))
  const first = URGENCY.find((kind) => verdicts.some((verdict) => verdict.kind === kind))
  return verdicts.find(({ kind }) => kind === first) ?? { kind: 'stays' }
}
