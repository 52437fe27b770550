import { syncConnection } from '../../../src/runtime/cycle.ts'
import * as hubSteps from '../hub-steps.ts'
import type { Doom } from '../mortal.ts'
import type { Hub } from '../../../src/runtime/hub.ts'
import type { Run } from '../run.ts'
import type { Step } from '../vendor-steps.ts'

/** As the step of that name, but nobody edits meanwhile. */
const syncOne: Step = async (run) => {
  const name = run.chance.pick(run.ground.names)
  const mode = run.chance.maybe(0.2) ? 'sweep' : 'changes'
  await run.work(`${mode} ${name}`, (hub) => syncConnection(hub, name, mode))
  return null
}

const WEATHER: Readonly<Record<string, readonly [weight: number, step: Step]>> = {
  'sync one': [8, syncOne],
  'sync all': [4, hubSteps.syncEverything],
  push: [4, hubSteps.pushOne],
  webhooks: [3, hubSteps.webhooks],
  time: [3, hubSteps.passTime],
  weather: [4, hubSteps.weather],
  crash: [4, hubSteps.crash],
  race: [2, hubSteps.race],
}
const WEIGHTS = Object.fromEntries(Object.entries(WEATHER).map(([name, [weight]]) => [name, weight]))

/** The hub goes on working in bad weather, while nobody edits anything. */
export async function storm(run: Run, most: number): Promise<void> {
  for (let left = run.chance.int(1, most); left > 0; left--) {
    const told = await WEATHER[run.chance.weighted(WEIGHTS)]?.[1](run)
    if (typeof told === 'string') run.note(told)
  }
}

const DOOMS: readonly Doom['at'][] = ['before a transaction', 'instead of a commit', 'after a commit']

/** What a person does by the hub, and does again where the process dies of it. */
export async function insist<T>(run: Run, label: string, task: (hub: Hub) => Promise<T>): Promise<T> {
  if (run.chance.maybe(0.3)) run.doom(run.chance.pick(DOOMS), run.chance.int(0, 3))
  for (;;) {
    const done = await run.work(label, task)
    if (done !== 'died') return done
  }
}

/** Two processes at once. */
export async function both<T>(
  run: Run,
  mine: (hub: Hub) => Promise<T>,
  theirs: (hub: Hub) => Promise<T>,
): Promise<readonly [T, T]> {
  const other = await run.ground.start()
  const { process } = run
  const done = await Promise.all([
    process.mortal.live(() => mine(process.hub)),
    other.mortal.live(() => theirs(other.hub)),
  ])
  await run.ground.turns.drained()
  await other.mortal.bury()
  return done
}
