import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Gives back what loading the code has left behind (some 150 MB), and keeps the engine's nursery for new objects at its
 * first size: left alone it grows several times over during an import, and stays so, for no gain in speed
 * (docs/performance.md). https://nodejs.org/api/v8.html#v8setflagsfromstringflags
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (isCollector(collect)) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/**
 * Lets garbage grow to four fifths of what is held before it is taken away, where the engine would let it grow to several
 * times that: for work that takes long and makes much of it (docs/identity.md has what it saves).
 */
export function collectOften(): void {
  setFlagsFromString('--heap-growing-percent=80')
}

type Collector = (how: { readonly [option: string]: string }) => void
const isCollector = (value: unknown): value is Collector => typeof value === 'function'
