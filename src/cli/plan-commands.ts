import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Context } from './context.ts'
import { plan } from './plan.ts'
import { approve, listAllPlans, reject, showPlan, type ShowOptions } from './plans.ts'

type Run = (work: (context: Context) => Promise<number>) => Promise<void>

/** `plan`: made, looked at, decided about. */
export function planCommands(program: Command, run: Run): void {
  const plans = program
    .command('plan [connection...]')
    .description('what a sync would do, kept to be approved; sends nothing')
    .option('--approve', 'approve it at once')
    .action((names: string[], options: { approve?: boolean }) => run((c) => plan(c, names, options)))
  plans
    .command('list')
    .description('the plans that were made')
    .addOption(whole('--limit <n>', 'at most so many', 20))
    .action((options: { limit: number }) => run((c) => listAllPlans(c, options)))
  plans
    .command('show <id>')
    .description('one plan, with a few lines of each kind')
    .option('--stream <stream>', 'the lines of this stream')
    .option('--side <side>', 'of this side: hub or remote')
    .option(
      '--op <op>',
      'of this kind: create, link, update, archive, consent, conflict, unreadable, filtered',
    )
    .option('--out <file>', 'all of them into a file: .csv or .jsonl')
    .addOption(whole('--after <n>', 'go on where a page ended', 0))
    .addOption(whole('--limit <n>', 'at most so many', 50))
    .action((id: string, options: ShowOptions) => run((c) => showPlan(c, id, options)))
  plans
    .command('approve <id>')
    .description('let its streams write as it shows')
    .option('--stream <stream>', 'only this one; may be repeated', collect, [])
    .action((id: string, options: { stream: readonly string[] }) => run((c) => approve(c, id, options)))
  plans
    .command('reject <id>')
    .description('close it; its streams go on waiting')
    .action((id: string) => run((c) => reject(c, id)))
}

const whole = (flags: string, description: string, usual: number): Option =>
  new Option(flags, description).argParser(wholeNumber).default(usual)

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
