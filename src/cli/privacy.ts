import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import type { RemoteErasure } from '../core/privacy.ts'
import type { Hub } from '../runtime/hub.ts'
import { eraseRecord, type Erased, type EraseResult } from '../runtime/privacy/erase.ts'
import { exportPerson } from '../runtime/privacy/export.ts'
import { doneByHand, finishErasure } from '../runtime/privacy/finish.ts'
import { plannedRetention, enforceRetention, type RetentionCounts } from '../runtime/privacy/retention.ts'
import { liftAddress } from '../runtime/privacy/tombstones.ts'
import { erasedView, erasuresBefore, erasureView } from '../runtime/privacy/views.ts'
import { confirmed } from './connections.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { limit, positive, type Run } from './options.ts'
import { clip, tame, when, type Output } from './output.ts'
import { kindCalled, recordToChange } from './which.ts'

type Options = { readonly dryRun?: boolean; readonly yes?: boolean }

/** `privacy`, among what admins do. */
export function privacyCommands(program: Command, run: Run): void {
  const privacy = program
    .command('privacy')
    .description("people's rights: their data, its erasure, how long it is kept")
  privacy
    .command('export <kind> <which>')
    .description('write everything that is kept about a contact into a JSON file')
    .requiredOption('--out <file>', 'a file that is not there yet')
    .action((kind: string, which: string, { out }: { out: string }) =>
      run((c) => exportOne(c, kind, which, out)),
    )
  privacy
    .command('erase <kind> <which>')
    .description(
      'erase a contact, here and in the systems that can: shows what, asks, does it; nothing brings it back',
    )
    .option('--dry-run', 'only show what it would erase')
    .option('--yes', 'do not ask')
    .action((kind: string, which: string, options: Options) => run((c) => erase(c, kind, which, options)))
  privacy
    .command('list')
    .description(
      'erasures, latest first; with a system that could not be reached, or something to do by hand: exit 3',
    )
    .option('--open', 'only those of which something is left to do')
    .option('--before <id>', 'go on where a page ended', positive)
    .addOption(limit(50))
    .action((options: { open?: boolean; before?: number; limit: number }) => run((c) => list(c, options)))
  privacy
    .command('retry <id>')
    .description('ask the systems again for what is left of an erasure')
    .action((id: string) => run((c) => retry(c, idOf(id))))
  privacy
    .command('done <id> [stream]')
    .description('say that what was to be deleted by hand is deleted; forgets its ids')
    .action((id: string, stream?: string) => run((c) => done(c, idOf(id), stream)))
  privacy
    .command('lift <address>')
    .description('let an erased address in again, as its owner has come back; an opt-out stays one')
    .option('--yes', 'do not ask')
    .action((address: string, options: Options) => run((c) => lift(c, address, options)))
  privacy
    .command('retention')
    .description(
      'take away what is kept for longer than the configuration says; the nightly housekeeping does it too',
    )
    .option('--dry-run', 'only show what it would take')
    .action((options: Options) => run((c) => retention(c, options)))
}

async function exportOne(context: Context, said: string, which: string, out: string): Promise<ExitCode> {
  const kind = kindCalled(said, ['contact'])
  return withHub(context, async (hub) => {
    const { id } = await recordToChange(hub, kind, which)
    const text = await exportPerson(hub, id)
    if (text === null) throw badInput(`Nothing is kept about contact ${id}: it was erased`)
    try {
      await pipeline(Readable.from(text), createWriteStream(out, { flags: 'wx', mode: 0o600 }))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
        throw badInput(`${out} is there already`, 'Name another file.')
      throw error
    }
    if (context.output.json) context.output.value({ contact: id, file: out })
    else context.output.line(`Everything that is kept about contact ${id} is in ${out}.`)
    return EXIT.ok
  })
}

async function erase(context: Context, said: string, which: string, options: Options): Promise<ExitCode> {
  const kind = kindCalled(said, ['contact'])
  return withHub(context, async (hub) => {
    const { output } = context
    const { id } = await recordToChange(hub, kind, which)
    const planned = allowed(await eraseRecord(hub, { id, by: context.actor, dryRun: true }))
    if (!output.json) tell(output, planned)
    if (options.dryRun === true) {
      if (output.json) output.value(erasedView(planned))
      else output.line('Nothing was changed (--dry-run).')
      return EXIT.ok
    }
    await confirmed(context, `Erase ${planned.title} for good? Nothing brings it back.`, options.yes)
    const erased = allowed(await eraseRecord(hub, { id, by: context.actor }))
    const after = erased.erasure === null ? undefined : await finishErasure(hub, erased.erasure)
    const remotes = after?.remotes ?? erased.remotes
    if (output.json) output.value(erasedView({ ...erased, remotes }))
    else {
      output.line(
        `Contact ${erased.record} is erased (erasure ${erased.erasure ?? 0}, run ${erased.run ?? 0}).`,
      )
      tellRemotes(output, remotes)
    }
    return remotes.every((one) => one.state === 'done') ? EXIT.ok : EXIT.waiting
  })
}

function allowed(result: EraseResult): Erased {
  if (result.kind !== 'refused') return result
  throw result.code === 'missing' ? badInput(result.message) : failure(result.message)
}

function tell(output: Output, { title, records, counts, remotes, stays }: Erased): void {
  output.line(output.paint.bold(`${tame(title)} (${records.map((id) => `contact ${id}`).join(', ')})`))
  output.table(
    ['Erased here, or taken out of', 'rows'],
    Object.entries(counts).map(([name, n]) => [WORDS[name] ?? name, String(n)]),
    [1],
  )
  tellRemotes(output, remotes)
  for (const line of stays) output.line(`Stays: ${line}`)
}

const WORDS: Readonly<Record<string, string>> = {
  records: 'records, left empty',
  history: 'entries of their history',
  writes: 'writes to systems',
  inbox: 'inbox items',
  statements: 'statements of consent (opt-outs are kept as digests)',
  gathered: 'notes for matching, merging, plans and the guard',
  links: 'links to systems',
  messages: 'messages with nobody else',
  sharedMessages: 'messages with others: name and address taken out',
  deals: 'deals: the reference and the name taken out',
  activities: 'activities: the reference and the name taken out',
  invoices: 'invoices: the name taken out',
}

function tellRemotes(output: Output, remotes: readonly RemoteErasure[]): void {
  if (remotes.length === 0) return
  output.table(
    ['System', 'Object', 'State', ''],
    remotes.map((one) => [
      one.stream,
      tame(one.remoteId ?? ''),
      one.state,
      clip(tame(one.problem ?? ''), 100),
    ]),
  )
}

async function list(
  context: Context,
  options: { readonly open?: boolean; readonly before?: number; readonly limit: number },
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const { items, next } = await erasuresBefore(hub, {
      open: options.open === true,
      before: options.before ?? null,
      limit: options.limit,
    })
    const left = (one: (typeof items)[number]) => one.remotes.filter((remote) => remote.state !== 'done')
    if (output.json) output.value({ items: items.map(erasureView), next })
    else if (items.length === 0) output.line('Nobody was erased.')
    else {
      output.table(
        ['Erasure', 'When', 'Contact', 'By', 'Left to do'],
        items.map((one) => [
          String(one.id),
          when(one.at),
          String(one.recordId),
          one.by,
          left(one)
            .map((remote) => `${remote.stream} ${tame(remote.remoteId ?? '')}: ${remote.state}`)
            .join('; '),
        ]),
        [0, 2],
      )
      if (next !== null) output.line(`More: \`concord privacy list --before ${next}\`.`)
    }
    return items.some((one) => left(one).length > 0) ? EXIT.waiting : EXIT.ok
  })
}

async function retry(context: Context, id: number): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const erasure = await finishErasure(hub, id)
    if (erasure === undefined) throw unknown(id)
    if (context.output.json) context.output.value(erasureView(erasure))
    else tellRemotes(context.output, erasure.remotes)
    return erasure.remotes.every((one) => one.state === 'done') ? EXIT.ok : EXIT.waiting
  })
}

async function done(context: Context, id: number, stream: string | undefined): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const count = await doneByHand(hub, id, stream ?? null)
    if (count === null) throw unknown(id)
    if (context.output.json) context.output.value({ erasure: id, done: count })
    else context.output.line(`${count} objects of erasure ${id} are done; their ids are forgotten.`)
    return EXIT.ok
  })
}

const unknown = (id: number) => badInput(`There is no erasure ${id}`, '`concord privacy list` shows them.')

async function lift(context: Context, address: string, options: Options): Promise<ExitCode> {
  await confirmed(context, `Let ${address} in again?`, options.yes)
  return withHub(context, async (hub: Hub) => {
    const at = await liftAddress(hub, address)
    if (at === null) throw badInput(`${address} was not erased`, 'Write it as it was known then.')
    if (context.output.json) context.output.value({ address, erasedAt: new Date(at).toISOString() })
    else context.output.line(`${address} may come in again. If its owner had opted out, they still are.`)
    return EXIT.ok
  })
}

async function retention(context: Context, options: Options): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const dry = options.dryRun === true
    const counts: RetentionCounts = dry ? await plannedRetention(hub) : await enforceRetention(hub)
    if (output.json) output.value({ state: dry ? 'planned' : 'done', ...counts })
    else {
      output.table(
        [dry ? 'The next pass takes away' : 'Taken away', ''],
        [
          ['texts of logged mail', String(counts.mail)],
          ['closed inbox items', String(counts.inbox)],
          ['bodies of writes', String(counts.writes)],
          [
            'months of history',
            counts.months.map((name) => name.slice(8).replace('_', '-')).join(', ') || '0',
          ],
        ],
        [1],
      )
    }
    return EXIT.ok
  })
}

function idOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw badInput(`"${text}" is no number of an erasure`, '`concord privacy list` shows them.')
  return Number(text)
}
