import type { Command } from 'commander'
import { collect, limit, wholeNumber, type Run } from './options.ts'
import { plan } from './plan.ts'
import { approve, listAllPlans, reject, showPlan, type ShowOptions } from './plans.ts'

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
    .addOption(limit(20))
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
    .option('--after <n>', 'go on where a page ended', wholeNumber, 0)
    .addOption(limit(50))
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
