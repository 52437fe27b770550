import { compare } from '../../core/match/compare.ts'
import { familyOf } from '../../core/match/keys.ts'
import { learn, openBlocked } from '../../core/match/learn.ts'
import { openTally, type Pattern } from '../../core/match/em.ts'
import type { Model } from '../../core/match/model.ts'
import type { Prepared } from '../../core/match/prepare.ts'
import { countTerms } from '../../core/match/terms.ts'
import type { Subject } from '../../core/match/traits.ts'
import { pairsOf, visitPairs, type Blocks } from './blocks.ts'
import { seededChance } from './chance.ts'
import type { TakenIn } from './take-in.ts'

/** More teach nothing new: the figures they give are exact to a per mille. */
const RANDOM_PAIRS = 150_000
const BLOCKED_PAIRS = 250_000

/** Learns a model from random pairs and from a share of the blocks. */
export async function train(
  subject: Subject,
  blocks: Blocks,
  sizes: readonly { readonly size: number; readonly blocks: number }[],
  taken: TakenIn,
): Promise<Model> {
  const every = Math.max(1, Math.ceil(pairsOf(sizes) / BLOCKED_PAIRS))
  const blocked = openBlocked()
  await visitPairs(blocks, every, true, ({ key, agreement, first }) =>
    blocked.add({ family: familyOf(key), agreement, first }),
  )
  return learn(subject, {
    records: taken.rows - taken.blank - taken.bad.count,
    random: randomPairs(taken.sample),
    blocked: blocked.done(),
    share: 1 / every,
    terms: countTerms(taken.sample),
  })
}

function randomPairs(sample: readonly Prepared[]): readonly Pattern[] {
  const chance = seededChance(11)
  const pick = () => Math.floor(chance() * sample.length)
  const pairs = Math.min(RANDOM_PAIRS, (sample.length * (sample.length - 1)) / 2)
  const tally = openTally()
  for (let n = 0; n < pairs; n++) {
    const [i, j] = [pick(), pick()]
    const [a, b] = [sample[i], sample[j]]
    if (i !== j && a !== undefined && b !== undefined) tally.add(compare(a, b))
  }
  return tally.patterns()
}
