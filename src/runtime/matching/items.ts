import type { MatchedKind } from '../../core/duplicates.ts'
import type { Instant } from '../../core/json.ts'
import type { RecordId } from '../../core/model.ts'
import type { Tx } from '../../store/database.ts'
import { closeItems, openItems, type NewItem } from '../../store/inbox.ts'
import { loadRecognised, pairKey, type LikelyPair, type Recognised } from '../../store/matching.ts'
import {
  askedByKey,
  bestUnasked,
  countAsked,
  countUnasked,
  isTitled,
  markAsked,
  unaskedSince,
} from '../../store/matching-pairs.ts'
import type { Hub } from '../hub.ts'
import { titleOf } from '../title.ts'

/** So many questions of likeness wait in the inbox at a time: a first sync may find thousands, and nobody reads those. */
export const MOST_ASKED = 100
/** So few that were found at once are news about somebody who has just come, and do not wait behind a first sync's. */
const NEWS = 10

const PLURAL: Readonly<Record<MatchedKind, string>> = { contact: 'contacts', company: 'companies' }

/** The question about one pair. `known` holds both. */
export function itemFor(
  kind: MatchedKind,
  pair: LikelyPair,
  known: ReadonlyMap<RecordId, Pick<Recognised, 'fields'>>,
): NewItem {
  const title = (id: RecordId) => titleOf({ id, kind, fields: known.get(id)?.fields ?? {} }, 'firm')
  return {
    kind: 'duplicate',
    key: pairKey(pair),
    // The younger one is the news.
    title: `${title(pair.b)} may be ${title(pair.a)}: ${pair.evidence}`,
    fix: 'If they are one, `concord inbox merge ID` makes them one; it can be taken back. If they are two, `concord inbox keep-apart ID` says so, and nobody is asked again.',
    detail: {
      records: [pair.a, pair.b],
      kind,
      evidence: pair.evidence,
      probability: pair.probability,
    },
    streamId: null,
    recordId: pair.a,
  }
}

/**
 * Asks about the few pairs that were found since a time, then about the likeliest that nobody was asked about, as far as
 * there is room, and says in one item how many more there are. In the caller's transaction.
 */
export async function askAboutPairs(hub: Hub, q: Tx, kind: MatchedKind, since: Instant): Promise<void> {
  const at = hub.clock.now()
  const asked = await countAsked(q, kind)
  const best = await newsAmong(q, kind, since, asked)
  const room = MOST_ASKED - asked - best.length
  if (room > 0) {
    const news = new Set(best.map(pairKey))
    const likeliest = await bestUnasked(q, kind, room + best.length)
    best.push(...likeliest.filter((pair) => !news.has(pairKey(pair))).slice(0, room))
  }
  if (best.length > 0) {
    const byKey = await askedByKey(q, best)
    const known = await loadRecognised(
      q,
      kind,
      best.flatMap(({ a, b }) => [a, b]),
    )
    const items = best.filter((pair) => !byKey.has(pairKey(pair))).map((pair) => itemFor(kind, pair, known))
    await openItems(q, items, at)
    await markAsked(q, best)
  }
  await sumUp(hub, q, kind, best.length === 0 && room > 0 ? 0 : await countUnasked(q, kind))
}

/** The pairs found since, where they are few: up to as many again may wait for a person then. */
async function newsAmong(q: Tx, kind: MatchedKind, since: Instant, asked: number): Promise<LikelyPair[]> {
  const news = await unaskedSince(q, kind, since, NEWS + 1)
  return news.length > NEWS ? [] : news.slice(0, Math.max(0, 2 * MOST_ASKED - asked))
}

/** Of the item that says how many more pairs there are. */
export const sumKey = (kind: MatchedKind): string => `duplicates:${kind}`

async function sumUp({ clock }: Hub, q: Tx, kind: MatchedKind, count: number): Promise<void> {
  const key = sumKey(kind)
  const at = clock.now()
  if (count === 0) {
    await closeItems(q, [key], 'all of them are asked about one by one', at)
    return
  }
  const pairs = count === 1 ? 'pair' : 'pairs'
  const title = `${count.toLocaleString('en-US')} more ${pairs} of ${PLURAL[kind]} look like one`
  if (await isTitled(q, key, title)) return
  const item: NewItem = {
    kind: 'duplicate',
    key,
    title,
    fix: `The likeliest ${MOST_ASKED} are asked about first; the next ones follow as those are settled. All of them: \`concord duplicates ${PLURAL[kind]} --out FILE.csv\`.`,
    detail: { kind, pairs: count },
    streamId: null,
    recordId: null,
  }
  await openItems(q, [item], at)
}
