import { describeError } from '../exit.ts'
import { Interrupted, NotSo, openScene, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'
import { badImport } from './stories/bad-import.ts'
import { bothSides } from './stories/both-sides.ts'
import { crash } from './stories/crash.ts'
import { keptOut } from './stories/kept-out.ts'
import { twoReps } from './stories/two-reps.ts'
import { twoRecords } from './stories/two-records.ts'
import { unsubscribe } from './stories/unsubscribe.ts'
import { wonDeal } from './stories/won-deal.ts'
import type { World } from './world.ts'

const STORIES: readonly (readonly [string, (world: World, scene: Scene) => Promise<void>])[] = [
  ['A deal is won, invoiced and paid', wonDeal],
  ['Someone unsubscribes', unsubscribe],
  ['Two people edit one person', bothSides],
  ['A customer writes to two of us', twoReps],
  ['A private letter and a newsletter', keptOut],
  ['Two records turn out to be one person', twoRecords],
  ['A bad import is taken back', badImport],
  ['A crash in the middle, and answers that are lost', crash],
]

/** Plays them one after the other; returns how many did not come true. A failed one does not keep the next from trying. */
export async function playStories(world: World, stage: Stage, stopping: AbortSignal): Promise<number> {
  let failed = 0
  for (const [i, [title, story]] of STORIES.entries()) {
    stage.heading(`Story ${i + 1}: ${title}`)
    try {
      await story(world, openScene(stage, stopping))
    } catch (error) {
      if (error instanceof Interrupted || stopping.aborted) throw error
      failed += 1
      stage.failed(error instanceof NotSo ? error.message : describeError(error).lines.join(' '))
    }
  }
  return failed
}
