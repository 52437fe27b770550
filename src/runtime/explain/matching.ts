import { keysOf } from '../../core/identity.ts'
import type { Instant } from '../../core/json.ts'
import type { HubRecord, RecordId, Source } from '../../core/model.ts'
import { planBirth } from '../../core/plan.ts'
import { NO_REFS } from '../../core/stream.ts'
import { apartFrom } from '../../store/explain.ts'
import type { Link } from '../../store/links.ts'
import { listMerges, survivorsOf } from '../../store/merges.ts'
import { madeByHub } from '../../store/run-changes.ts'
import type { Hub } from '../hub.ts'
import { likelyDuplicates, type LikelyDuplicate } from '../matching/likely.ts'

/** Why the record is linked as it is, and why it is not one with others. */
export type MatchStory = {
  /** By linked object, how it came to be linked. */
  readonly links: readonly { readonly stream: string; readonly remoteId: string; readonly how: string }[]
  /** Where it lives on, if it was merged away. */
  readonly mergedInto: RecordId | null
  readonly merges: readonly {
    readonly survivor: RecordId
    readonly loser: RecordId
    readonly state: 'merged' | 'unmerged'
    readonly rule: string
    readonly by: Source
    readonly at: Instant
    readonly run: number
  }[]
  /** The likeliest others, and why they are not merged with it. */
  readonly nearest: readonly (LikelyDuplicate & { readonly why: string })[]
  readonly apart: readonly { readonly id: RecordId; readonly by: Source; readonly at: Instant }[]
}

const MERGES = 20

export async function matchStory(hub: Hub, record: HubRecord, links: readonly Link[]): Promise<MatchStory> {
  const q = hub.db.sql
  const { id, kind, archived } = record
  const isMatched = kind === 'contact' || kind === 'company'
  const [made, merges, into, apart, nearest] = await Promise.all([
    madeByHub(q, [id]),
    isMatched ? listMerges(q, { record: id, limit: MERGES }) : [],
    survivorsOf(q, [id]),
    apartFrom(q, id),
    isMatched && !archived ? likelyDuplicates(hub, kind, id) : [],
  ])
  const bornAt = record.provenance['*']?.source
  return {
    links: links.flatMap((link) => {
      const target = hub.targets.find((t) => t.id === link.streamId)
      if (target === undefined || link.remoteId === null) return []
      const { stream, label } = target
      const how = made.has(link.id)
        ? 'made there by the hub'
        : howMatched(record, link, stream.lenses(NO_REFS), bornAt === stream.connection)
      return [{ stream: label, remoteId: link.remoteId, how }]
    }),
    mergedInto: into.get(id) ?? null,
    merges: merges.map(({ survivor, loser, state, rule, by, at, run }) => ({
      survivor,
      loser,
      state,
      rule,
      by,
      at,
      run,
    })),
    nearest: nearest.map((one) => ({ ...one, why: whyNot(hub, one.probability) })),
    apart,
  }
}

function howMatched(
  record: HubRecord,
  { observed }: Link,
  lenses: Parameters<typeof planBirth>[0],
  isBirthplace: boolean,
): string {
  if (observed === null) return 'linked'
  const theirs = keysOf(record.kind, planBirth(lenses, { body: observed, modifiedAt: null }).fields)
  const own = keysOf(record.kind, record.fields)
  const shared = theirs.find((key) => own.some((k) => k.kind === key.kind && k.value === key.value))
  if (shared === undefined)
    return isBirthplace
      ? 'the record was made from it, or it was merged in'
      : 'matched earlier, by a key that has changed since, or by a merge'
  return isBirthplace
    ? `the record was made from it, or it was matched by ${shared.kind} ${shared.value}`
    : `matched by ${shared.kind} ${shared.value}`
}

function whyNot(hub: Hub, probability: number): string {
  const { link, ask } = hub.configuration.duplicates
  const percent = (share: number) => `${(share * 100).toFixed(share > 0.99 ? 2 : 0)} %`
  if (link === null)
    return `no likeness alone merges records (duplicates: link: never)${ask !== null && probability >= ask ? '; a person is asked' : ''}`
  return probability >= link
    ? 'it is merged at the next pass, unless something speaks against it'
    : `below the ${percent(link)} from which on records are merged${ask !== null && probability >= ask ? '; a person is asked' : ''}`
}
