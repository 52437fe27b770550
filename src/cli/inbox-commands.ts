import type { Command } from 'commander'
import { listInbox, showItem, type InboxFilter } from './inbox.ts'
import { actOn, assignTo, bulk, replay, snoozeUntil, type ActOptions, type BulkOptions } from './inbox-act.ts'
import { collect, limit, type Run } from './options.ts'

const filtered = (command: Command): Command =>
  command
    .option('--kind <kind>', 'only conflict, mass_change, rejected_write, missing_data, …')
    .option('--stream <name>', 'only of this stream: connection/stream')
    .option('--record <id>', 'only about this record')
    .option('--assignee <name>', 'only those given to this person')
    .option('--mine', 'only mine')
    .option('--snoozed', 'only those that are hidden for now')

const chosen = (command: Command): Command =>
  command
    .option('--records <ids>', 'only these records: 12,13')
    .option('--except <ids>', 'all but these records')
    .option('--from <file>', 'only the records of a file that `inbox show --out` made')

const setting = (command: Command): Command =>
  command.option('--set <field=value>', 'a value; field:=json for other than text', collect, [])

/** `concord inbox`: what waits for a person, and all that a person can do about it. */
export function inboxCommands(program: Command, run: Run): void {
  const inbox = program.command('inbox')
  filtered(inbox.description('what waits for a person'))
    .option('--all', 'closed items too')
    .addOption(limit(50))
    .action((options: InboxFilter) => run((c) => listInbox(c, options)))
  const item = (name: string, description: string): Command => inbox.command(name).description(description)

  item('show <id>', 'all about one item')
    .option('--out <file>', 'write every held change of a mass change to FILE.csv or FILE.jsonl')
    .action((id: string, options: { out?: string }) => run((c) => showItem(c, id, options)))
  chosen(item('approve <id>', 'let a held mass change through, all or in part')).action(
    (id: string, options: ActOptions) => run((c) => actOn(c, id, 'approve', options)),
  )
  chosen(item('reject <id>', 'refuse a held mass change, all or in part')).action(
    (id: string, options: ActOptions) => run((c) => actOn(c, id, 'reject', options)),
  )
  setting(item('resolve <id>', 'settle a conflict'))
    .requiredOption('--take <side>', 'whose value stands: hub, remote, or value with --set')
    .action((id: string, options: ActOptions) => run((c) => actOn(c, id, 'resolve', options)))
  item('merge <id>', 'make the two records of a duplicate one')
    .option('--survivor <id>', 'the record that stays; the one with more links otherwise')
    .action((id: string, options: ActOptions) => run((c) => actOn(c, id, 'merge', options)))
  item('keep-apart <id>', 'say that the two records of a duplicate are two').action((id: string) =>
    run((c) => actOn(c, id, 'keep-apart')),
  )
  item('retry <id>', 'send a refused write once more').action((id: string) =>
    run((c) => actOn(c, id, 'retry')),
  )
  setting(item('edit <id>', 'correct the record of a refused write, and send it again')).action(
    (id: string, options: ActOptions) => run((c) => actOn(c, id, 'edit', options)),
  )
  setting(item('fill <id>', 'fill in what is missing')).action((id: string, options: ActOptions) =>
    run((c) => actOn(c, id, 'fill', options)),
  )
  item('accept <id>', 'put the value that an item asks about onto its picklist')
    .option('--as <value>', 'as another word for this value')
    .action((id: string, options: ActOptions) => run((c) => actOn(c, id, 'accept', options)))
  item('look-up <id>', 'ask a vendor now what became of a write').action((id: string) =>
    run((c) => actOn(c, id, 'look-up')),
  )
  item('dismiss <id>', 'close an item without doing anything').action((id: string) =>
    run((c) => actOn(c, id, 'dismiss')),
  )
  item('assign <id> [person]', 'give an item to somebody; to nobody without a name').action(
    (id: string, person?: string) => run((c) => assignTo(c, id, person)),
  )
  item('snooze <id> <until>', 'hide an item: 12h, 3d, 2w, a date; off shows it again').action(
    (id: string, until: string) => run((c) => snoozeUntil(c, id, until)),
  )
  filtered(setting(chosen(item('bulk <action>', 'one action over all items of a filter'))))
    .option('--take <side>', 'of resolve: hub or remote')
    .option('--dry-run', 'only say what it would do')
    .action((action: string, options: BulkOptions) =>
      run((c) => bulk(c, action, withParents(inbox, options))),
    )
  filtered(item('replay', 'send again what was refused, and read again what could not be read'))
    .option('--id <id>', 'only this item')
    .option('--dry-run', 'only say what it would do')
    .action((options: InboxFilter & { id?: string; dryRun?: boolean }) =>
      run((c) => replay(c, withParents(inbox, options))),
    )
}

/** `inbox` itself takes the filters too, and reads those that stand before its subcommand. */
const withParents = <T extends InboxFilter>(inbox: Command, options: T): T => ({
  ...inbox.opts<InboxFilter>(),
  ...options,
})
