import { troubleOf } from '../runtime/trouble.ts'

/** What the exit code says; documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** It failed, or what was looked at has a problem. */
  failed: 1,
  /** The command line, a file or the configuration is wrong; nothing was done. */
  input: 2,
  /** Something waits for a person. */
  waiting: 3,
  /** Stopped by Ctrl-C or SIGTERM before it was done. */
  stopped: 130,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a message, what to do about it, and a code. */
export class CliError extends Error {
  readonly exit: ExitCode
  readonly fix: string | null
  constructor(exit: ExitCode, message: string, fix: string | null = null) {
    super(message)
    this.name = 'CliError'
    this.exit = exit
    this.fix = fix
  }
}

export const badInput = (message: string, fix: string | null = null): CliError =>
  new CliError(EXIT.input, message, fix)
export const failure = (message: string, fix: string | null = null): CliError =>
  new CliError(EXIT.failed, message, fix)

/** What to tell about an error, and how to exit. Only a bug of ours mentions itself as one. */
export function describeError(error: unknown): {
  readonly exit: ExitCode
  readonly lines: readonly string[]
} {
  if (error instanceof CliError) return { exit: error.exit, lines: linesOf(error.message, error.fix) }
  const trouble = troubleOf(error)
  if (trouble !== null) {
    return {
      exit: trouble.kind === 'input' ? EXIT.input : EXIT.failed,
      lines: linesOf(trouble.message, trouble.fix),
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    exit: EXIT.failed,
    lines: [
      `Something went wrong inside Concord: ${message}`,
      'This is a bug. What was committed is kept. Run the command again with --debug to see where it happened.',
    ],
  }
}

function linesOf(message: string, fix: string | null): readonly string[] {
  return fix === null ? [message] : [message, `Fix: ${fix}`]
}

/** The known word nearest to a mistyped one, for "did you mean". */
export function nearest(wrong: string, known: readonly string[]): string | null {
  const ranked = known
    .map((word) => ({ word, distance: distance(wrong.toLowerCase(), word.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wrong.length / 4)) ? best.word : null
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
