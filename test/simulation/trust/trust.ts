import type { Run, Violation } from '../run.ts'
import { changeTheMapping } from './approval-act.ts'
import { decideInPart } from './guard-act.ts'
import { tellTheAlike } from './likeness-act.ts'
import { mergeAndUnmerge } from './merge-act.ts'
import { importAndUndo } from './undo-act.ts'

type Act = (run: Run) => Promise<readonly Violation[]>

/** What people do who trust the hub to give back what it did. Each begins and ends with everything at rest. */
const ACTS: Readonly<Record<string, readonly [weight: number, act: Act]>> = {
  'merge and unmerge': [4, mergeAndUnmerge],
  'import and undo': [4, importAndUndo],
  'decide in part': [2, decideInPart],
  'change the mapping': [2, changeTheMapping],
  'tell the alike': [3, tellTheAlike],
}
const WEIGHTS = Object.fromEntries(Object.entries(ACTS).map(([name, [weight]]) => [name, weight]))

/** Every third seed, with and without mail. */
export const hasTrust = (seed: number): boolean => seed % 3 === 0

/** One of them, at random unless it is named. */
export async function act(run: Run, only: string | null): Promise<readonly Violation[]> {
  const name = run.chance.weighted(only === null ? (run.ground.plant?.acts ?? WEIGHTS) : { [only]: 1 })
  run.note(`--- ${name}`)
  const found = ACTS[name]
  if (found === undefined) throw new Error(`no act ${name}; there are ${Object.keys(ACTS).join(', ')}`)
  return found[1](run)
}
