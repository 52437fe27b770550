import { Command, CommanderError } from 'commander'
import { alertCommands } from './alerts.ts'
import { applyConfiguration, checkConfig, exportConfiguration } from './config.ts'
import { add, check, listAll, remove, type AddOptions } from './connections.ts'
import { openContext } from './context.ts'
import { duplicateCommands } from './duplicates.ts'
import { identityCommands } from './identity.ts'
import { addToken, doctor, listTokens, migrateDatabase, removeToken, rotate } from './doctor.ts'
import { dedupeCommand } from './dedupe.ts'
import { describeError, EXIT } from './exit.ts'
import { explain } from './explain.ts'
import { importFile } from './import.ts'
import { inboxCommands } from './inbox-commands.ts'
import { mergeCommands, mergesCommand } from './merge.ts'
import { withdraw } from './mail.ts'
import { review } from './mail-review.ts'
import { mailStatus } from './mail-status.ts'
import { collect, limit, wholeNumber, type Run } from './options.ts'
import { harmless } from './output.ts'
import { planCommands } from './plan-commands.ts'
import { privacyCommands } from './privacy.ts'
import { qualityCommands } from './quality.ts'
import { reconcile } from './reconcile.ts'
import { serve } from './serve.ts'
import { showRun } from './runs.ts'
import { runs, status } from './status.ts'
import { sync } from './sync.ts'
import { timeline, type TimelineOptions } from './timeline.ts'
import { undo, type UndoOptions } from './undo.ts'
import type { DemoOptions, Wiring } from './wiring.ts'

const GROUPS = { work: 'Work:', look: 'Look:', setUp: 'Set up:', admin: 'Administer:' } as const

const HELP = `
Exit codes: 0 fine, 1 failed or has a problem, 2 wrong input, 3 something waits for a person, 130 stopped.

Environment:
  CONCORD_DIR         holds the embedded database and its key (./.concord)
  DATABASE_URL        a PostgreSQL of your own instead of the embedded one
  CONCORD_SECRET_KEY  encrypts credentials; required with DATABASE_URL; several, current first, while one is changed
  HOST, PORT          where \`concord start\` listens (127.0.0.1, 8080)
  LOG_LEVEL           trace, debug, info, warn, error or silent

Begin with \`concord demo\`, or with \`concord connections add NAME\`, \`concord plan\`, \`concord sync\`.`

/** Runs one command. Resolves to the exit code; never throws. */
export async function runCli(args: readonly string[], wiring: Wiring): Promise<number> {
  let exit: number = EXIT.ok
  const program = buildProgram(wiring, (code) => {
    exit = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exit
  } catch (error) {
    // Commander has told already; whatever it refuses is wrong input.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.input
    const stopped = wiring.stopping.aborted
    const told = describeError(error)
    for (const line of told.lines) wiring.terminal.err.write(`${harmless(line, false)}\n`)
    if (args.includes('--debug') && error instanceof Error)
      wiring.terminal.err.write(`${error.stack ?? ''}\n`)
    return stopped ? EXIT.stopped : told.exit
  }
}

type Done = (code: number) => void

function buildProgram(wiring: Wiring, done: Done): Command {
  const program = new Command('concord')
    .description(
      'Keeps one true record of every contact, company, deal and invoice, in agreement with the systems around it.',
    )
    .version(wiring.version)
    .option('--json', 'answer in JSON')
    .option('--debug', 'show where an error happened')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', HELP)
    .showHelpAfterError('Run it with --help to see what it takes.')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void wiring.terminal.out.write(text),
      writeErr: (text) => void wiring.terminal.err.write(text),
      getOutHelpWidth: () => wiring.terminal.columns,
      getErrHelpWidth: () => wiring.terminal.columns,
      getOutHasColors: () => wiring.terminal.colour,
      getErrHasColors: () => wiring.terminal.colour,
    })
  const run: Run = async (work) => {
    done(await work(openContext(wiring, program.opts<{ json?: boolean }>().json === true)))
  }
  workCommands(program, run, wiring)
  lookCommands(program, run)
  setUpCommands(program, run)
  adminCommands(program, run)
  return program
}

function workCommands(program: Command, run: Run, wiring: Wiring): void {
  program.commandsGroup(GROUPS.work)
  program
    .command('start')
    .description('serve the API, webhooks and health, and keep everything in agreement')
    .option('--host <host>', 'where to listen; HOST otherwise')
    .option('--port <port>', 'where to listen; PORT otherwise; 0 takes a free one')
    .action((options: { host?: string; port?: string }) => run((c) => serve(c, { http: true, ...options })))
  program
    .command('worker')
    .description('keep everything in agreement, without HTTP; any number may share one database')
    .action(() => run((c) => serve(c, { http: false })))
  program
    .command('sync [connection...]')
    .description('read the connections and send what they lack, once')
    .option('--sweep', 'compare every object, not only what changed')
    .action((names: string[], options: { sweep?: boolean }) => run((c) => sync(c, names, options)))
  program
    .command('reconcile [connection...]')
    .description('count source and hub against each other, stream by stream, and heal what differs')
    .option('--no-sweep', 'show the last comparisons only')
    .action((names: string[], options: { sweep: boolean }) => run((c) => reconcile(c, names, options)))
  program
    .command('import <file>')
    .description('take a CSV file in; it replaces the last export of its kind')
    .requiredOption('--as <kind>', 'what its rows are: contacts, companies or deals')
    .option('--connection <name>', 'the csv connection it belongs to', 'csv')
    .action((file: string, options: { as: string; connection: string }) =>
      run((c) => importFile(c, file, options)),
    )
  dedupeCommand(program, run)
  mergeCommands(program, run)
  program
    .command('undo <run>')
    .description('take back what a run did, here and at the systems: shows the plan, asks, does it')
    .option('--dry-run', 'only show the plan')
    .option('--out <file>', 'write the whole plan, record by record, to FILE.csv or FILE.jsonl')
    .option('--yes', 'do not ask')
    .action((id: string, options: UndoOptions) => run((c) => undo(c, id, options)))
  program
    .command('demo')
    .description('play the main job on a made-up company, with stand-ins for the vendors')
    .option('--contacts <n>', 'how many people; the rest is scaled with it', wholeNumber, 2_000)
    .option('--once', 'end after the stories')
    .option('--port <port>', 'where the hub listens; 0 takes a free one', wholeNumber, 8_080)
    .option('--seed <n>', 'another company with the same habits', wholeNumber, 1)
    .action((options: Omit<DemoOptions, 'once'> & { once?: boolean }) =>
      run(() => wiring.runDemo({ once: false, ...options })),
    )
}

function lookCommands(program: Command, run: Run): void {
  program.commandsGroup(GROUPS.look)
  planCommands(program, run)
  duplicateCommands(program, run)
  mergesCommand(program, run)
  program
    .command('status')
    .description('how connections and streams are doing')
    .action(() => run(status))
  program
    .command('runs')
    .description('what the last runs did')
    .option('--connection <name>', 'of this connection only')
    .addOption(limit(20))
    .action((options: { connection?: string; limit: number }) => run((c) => runs(c, options)))
    .command('show <run>')
    .description('what one run changed, sent and held')
    .option('--out <file>', 'write every change to FILE.csv or FILE.jsonl')
    .action((id: string, options: { out?: string }) => run((c) => showRun(c, id, options)))
  program
    .command('explain <kind> <which> [field]')
    .description(
      'why a contact, company, deal or invoice is as it is, or what became of a message; <which>: number, email, domain, name, vendor id, Message-ID',
    )
    .action((kind: string, which: string, field?: string) => run((c) => explain(c, kind, which, field)))
  program
    .command('timeline <kind> <which>')
    .description('what happened with a contact, company or deal, latest first: every logged email')
    .option('--before <mark>', 'go on where an answer ended')
    .addOption(limit(20))
    .action((kind: string, which: string, options: TimelineOptions) =>
      run((c) => timeline(c, kind, which, options)),
    )
  qualityCommands(program, run)
  const mail = program.command('mail').description('the mail that is logged')
  mail
    .command('status')
    .description('how far each mailbox has been read')
    .action(() => run(mailStatus))
  mail
    .command('review [dir]')
    .description(
      'what the active rules, or those of a folder, change for mail that was read before; writes nothing',
    )
    .action((dir?: string) => run((c) => review(c, dir)))
  mail
    .command('private <id>')
    .description('erase a logged message here and keep it out; <id>: as in `explain message`')
    .option('--yes', 'do not ask')
    .action((id: string, options: { yes?: boolean }) => run((c) => withdraw(c, 'private', id, options)))
  mail
    .command('remove <id>')
    .description('the same for one that should never have been logged')
    .option('--yes', 'do not ask')
    .action((id: string, options: { yes?: boolean }) => run((c) => withdraw(c, 'remove', id, options)))
  mail
    .command('restore <id>')
    .description('take either of them back; the message is read again')
    .action((id: string) => run((c) => withdraw(c, 'restore', id, {})))
  inboxCommands(program, run)
  alertCommands(program, run)
}

function setUpCommands(program: Command, run: Run): void {
  program.commandsGroup(GROUPS.setUp)
  const connections = program.command('connections').description('the systems Concord speaks to')
  connections
    .command('add <name>')
    .description('connect a system the configuration names, or give it new credentials')
    .option('--connector <id>', 'what it should be; checked against the configuration')
    .option(
      '--set <name=value>',
      'a setting of this installation; name:=json for other than text',
      collect,
      [],
    )
    .option(
      '--secret <field=value>',
      'a credential; better asked for, or in CONCORD_<NAME>_<FIELD>',
      collect,
      [],
    )
    .option('--webhook-url <url>', 'where the vendor reaches this hub; subscribes to its webhooks')
    .option('--browser', 'authorise it by a person in a browser, also where it is authorised already')
    .option(
      '--redirect-port <port>',
      'where the browser comes back to on this machine; a free one otherwise',
      wholeNumber,
    )
    .option('--client-credentials', 'authorise it as an application, by itself')
    .option('--service-account <file>', "authorise it by a service account, with its key's JSON file")
    .option('--admin-user <address>', 'whom the service account acts for to find the mailboxes of the domain')
    .action((name: string, options: AddOptions) => run((c) => add(c, name, options)))
  connections
    .command('list')
    .description('every connection')
    .action(() => run(listAll))
  connections
    .command('check [name]')
    .description('whether the stored credentials work')
    .action((name?: string) => run((c) => check(c, name)))
  connections
    .command('remove <name>')
    .description('forget a connection, its credentials and links; records stay')
    .option('--yes', 'do not ask')
    .action((name: string, options: { yes?: boolean }) => run((c) => remove(c, name, options)))
  const config = program
    .command('config')
    .description('mappings, policies, pipelines: versions in the database')
  config
    .command('check [dir]')
    .description('every mistake in a folder of YAML, with its place')
    .action((dir?: string) => run((c) => checkConfig(c, dir)))
  config
    .command('apply [dir]')
    .description('show what a folder would change, and make it the active version')
    .option('--yes', 'do not ask')
    .option('--approve', 'let it write what it is shown to touch, without a plan')
    .action((dir: string | undefined, options: { yes?: boolean; approve?: boolean }) =>
      run((c) => applyConfiguration(c, dir, options)),
    )
  config
    .command('export <dir>')
    .description('write the active version as YAML')
    .option('--force', 'overwrite files')
    .action((dir: string, options: { force?: boolean }) => run((c) => exportConfiguration(c, dir, options)))
}

function adminCommands(program: Command, run: Run): void {
  program.commandsGroup(GROUPS.admin)
  identityCommands(program, run)
  privacyCommands(program, run)
  program
    .command('doctor')
    .description('look at everything Concord rests on')
    .action(() => run(doctor))
  program
    .command('migrate')
    .description('bring the database up to date (every start does)')
    .action(() => run(migrateDatabase))
  const secrets = program.command('secrets').description('the encryption of stored credentials')
  secrets
    .command('rotate')
    .description('encrypt everything anew with the first key of CONCORD_SECRET_KEY')
    .action(() => run(rotate))
  const tokens = program.command('tokens').description('tokens of the HTTP API')
  tokens
    .command('add <name>')
    .description('make one; shown once')
    .action((name: string) => run((c) => addToken(c, name)))
  tokens
    .command('list')
    .description('every token')
    .action(() => run(listTokens))
  tokens
    .command('remove <name>')
    .description('take one back')
    .action((name: string) => run((c) => removeToken(c, name)))
}
