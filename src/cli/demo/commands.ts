import { NotSo } from './scene.ts'
import type { World } from './world.ts'

/** Runs a command that has to end well; returns what it said. */
export async function done({ programs }: World, ...args: readonly string[]): Promise<string> {
  const { code, output } = await programs.run(...args)
  if (code !== 0) throw new NotSo(`concord ${args.join(' ')} ended with ${code}: ${output.trim()}`)
  return output
}

/** The lines of a command's output that matter to the story. */
export async function told(
  world: World,
  matters: (line: string) => boolean,
  ...args: readonly string[]
): Promise<string> {
  return (await done(world, ...args))
    .split('\n')
    .filter((line) => line !== '' && matters(line))
    .join('\n')
}
