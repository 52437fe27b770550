import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Stage } from './stage.ts'

/** Something is not as the story promises. */
export class NotSo extends Error {}
/** Ctrl-C in the middle of a story. */
export class Interrupted extends Error {}

/** A step that is shown when it has come true; `act` returns what to say of it. */
export type Scene = {
  step(act: () => Promise<string> | string): Promise<void>
  say(text: string): void
  quote(text: string): void
  /** Looks again and again until `look` gives what is wanted; tells what it saw last where it never does. */
  until<T>(
    what: string,
    look: () => Promise<T> | T,
    isThere: (seen: T) => boolean,
    patienceMs?: number,
  ): Promise<T>
  /** Throws `NotSo` where two values differ. */
  same(what: string, seen: unknown, wanted: unknown): void
}

const LOOK_MS = 15
const PATIENCE_MS = 20_000

export function openScene(stage: Stage, stopping: AbortSignal): Scene {
  return {
    async step(act) {
      const from = performance.now()
      const text = await act()
      stage.done(text, performance.now() - from)
    },
    say: (text) => stage.say(`  ${text}`),
    quote: (text) => stage.quote(text),
    async until(what, look, isThere, patienceMs = PATIENCE_MS) {
      const end = performance.now() + patienceMs
      for (;;) {
        if (stopping.aborted) throw new Interrupted('stopped')
        const seen = await look()
        if (isThere(seen)) return seen
        if (performance.now() > end)
          throw new NotSo(
            `${what}: not within ${patienceMs / 1000} seconds. Seen last: ${JSON.stringify(seen)}`,
          )
        await sleep(LOOK_MS)
      }
    },
    same(what, seen, wanted) {
      if (!isDeepStrictEqual(seen, wanted))
        throw new NotSo(`${what} should be ${JSON.stringify(wanted)}, but is ${JSON.stringify(seen)}`)
    },
  }
}
