import { compile, ConfigError, readConfigFolder } from '../runtime/boot.ts'
import { formatProblem } from '../runtime/configure.ts'
import { previewReview, type ReviewCount } from '../runtime/mail/review.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { plural, quiet, type Output } from './output.ts'

/** What the rules of a folder, or else the active ones, would do to the mail that was read before. Changes nothing. */
export async function review(context: Context, folder: string | undefined): Promise<ExitCode> {
  const { output, wiring } = context
  const files = folder === undefined ? undefined : await readConfigFolder(folder)
  return withHub(context, async (hub) => {
    const configuration = files === undefined ? undefined : compiled(files, wiring.connectors)
    const counts = await previewReview(hub, configuration)
    if (output.json) output.value(counts)
    else if (!showReview(output, counts))
      output.line('Nothing changes: all mail was read by these rules already.')
    return EXIT.ok
  })
}

function compiled(...[files, connectors]: Parameters<typeof compile>): ReturnType<typeof compile> {
  try {
    return compile(files, connectors)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw badInput(error.problems.map(formatProblem).join('\n'))
  }
}

/** Tells what changed rules come to; false where it is nothing. */
export function showReview(output: Output, counts: readonly ReviewCount[]): boolean {
  const changed = counts.filter((c) => c.takenOut > 0 || c.readAgain > 0 || c.stripped > 0 || c.listedAgain)
  if (changed.length === 0) return false
  output.line(output.paint.bold('What this does to mail that was read before'))
  output.table(
    ['mailbox', 'of', 'looked at', 'taken out', 'less kept', 'read again', ''],
    changed.map((c) => [
      c.mailbox,
      c.connection,
      quiet(c.stored),
      quiet(c.takenOut),
      quiet(c.stripped),
      quiet(c.readAgain),
      c.listedAgain ? 'older mail is listed anew' : '',
    ]),
    [2, 3, 4, 5],
  )
  const reasons = new Map<string, number>()
  for (const c of changed)
    for (const [reason, count] of Object.entries(c.reasons))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count)
  const out = changed.reduce((sum, c) => sum + c.takenOut, 0)
  if (out > 0)
    output.line(
      `${plural(out, 'message')} taken out: ${[...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ')}.`,
    )
  return true
}
