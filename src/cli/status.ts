import { hubStatus, recentRuns, type ConnectionStatus, type HubStatus, type Run } from '../runtime/status.ts'
import { isKnownConnection } from '../runtime/connect.ts'
import { alarms as allAlarms } from '../runtime/alerts/channels.ts'
import { mailAlarms, type MailAlarm } from '../runtime/mail/alarms.ts'
import { mailProgress, type MailboxProgress } from '../runtime/mail/progress.ts'
import { progressView } from '../runtime/mail/views.ts'
import { alarmJson } from './alerts.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { describeKind } from './inbox-words.ts'
import { isStuck, showMailboxes } from './mail-status.ts'
import { ago, clip, iso, number, plural, quiet, tame, when, type Colours } from './output.ts'
import { manyOf } from './which.ts'

export async function status(context: Context): Promise<ExitCode> {
  return withHub(context, async (hub, { configVersion }) => {
    const found = await hubStatus(hub)
    const [mailboxes, alarms] = [await mailProgress(hub), await mailAlarms(hub)]
    const raised = (await allAlarms(hub, 0)).current
    if (context.output.json)
      context.output.value({
        configVersion,
        alarms: raised.map(alarmJson),
        ...statusJson(found),
        mailboxes: mailboxes.map((m) => progressView(m, alarms)),
      })
    else {
      show(context, found, { mailboxes, alarms }, hub.clock.now(), configVersion)
      for (const { title, since } of raised)
        context.output.line(
          `${context.output.paint.red('alarm')}  ${tame(title)} (${ago(since, hub.clock.now())})`,
        )
      if (raised.length > 0) context.output.line('What to do about each: `concord alerts`.')
    }
    const troubled = found.connections.some(
      (c) =>
        (c.state !== 'ready' && c.state !== 'missing') ||
        c.problem !== null ||
        c.streams.some((s) => s.problem !== null),
    )
    const stuck = isStuck(mailboxes, alarms)
    const waits = Object.values(found.inbox).some((count) => count > 0)
    return troubled || stuck || raised.length > 0 ? EXIT.failed : waits ? EXIT.waiting : EXIT.ok
  })
}

function statusJson({ connections, ...rest }: HubStatus): object {
  return {
    ...rest,
    connections: connections.map(({ streams, pausedUntil, ...connection }) => ({
      ...connection,
      pausedUntil: iso(pausedUntil),
      streams: streams.map((s) => ({ ...s, checkedAt: iso(s.checkedAt), movedAt: iso(s.movedAt) })),
    })),
  }
}

function show(
  { output }: Context,
  found: HubStatus,
  {
    mailboxes,
    alarms,
  }: { readonly mailboxes: readonly MailboxProgress[]; readonly alarms: readonly MailAlarm[] },
  now: number,
  configVersion: number,
): void {
  const { paint } = output
  output.line(paint.bold('Connections'))
  output.table(
    ['name', 'connector', 'state', 'account'],
    found.connections.map((c) => [c.name, c.connector, stateOf(paint, c, now), c.label ?? '']),
  )
  const streams = found.connections.filter((c) => c.state !== 'missing').flatMap((c) => c.streams)
  if (streams.length > 0) {
    output.line()
    output.line(paint.bold('Streams'))
    output.table(
      ['stream', 'holds', 'linked', 'waiting', 'checked', 'last news', ''],
      streams.map((s) => [
        s.stream,
        manyOf(s.record),
        quiet(s.linked),
        quiet(s.waiting),
        ago(s.checkedAt, now),
        ago(s.movedAt, now),
        s.held
          ? paint.yellow('held: see `concord inbox`')
          : s.needsPlan
            ? paint.yellow('waits: `concord plan`')
            : s.problem === null
              ? ''
              : paint.red(clip(s.problem, 80)),
      ]),
      [2, 3],
    )
  }
  if (mailboxes.length > 0) {
    output.line()
    output.line(paint.bold('Mail'))
    showMailboxes(output, mailboxes, alarms, now)
  }
  const { contact, company, deal, invoice, activity } = found.records
  output.line()
  output.line(
    `The hub holds ${plural(contact, 'contact')}, ${plural(company, 'company', 'companies')}, ${plural(deal, 'deal')}, ${plural(invoice, 'invoice')}${activity === 0 ? '' : ` and ${plural(activity, 'activity', 'activities')}`}. Configuration version ${configVersion}.`,
  )
  if (found.uncertain > 0)
    output.line(
      `${plural(found.uncertain, 'write')} with an outcome nobody knows yet: looked up at the next sync.`,
    )
  const open = Object.entries(found.inbox)
  const total = open.reduce((sum, [, count]) => sum + count, 0)
  output.line(
    total === 0
      ? 'Nothing waits for a person.'
      : `Inbox: ${open.map(([kind, count]) => `${number(count)} ${describeKind(kind)}`).join(', ')} (\`concord inbox\`).`,
  )
  const missing = found.connections.filter((c) => c.state === 'missing').map((c) => c.name)
  if (missing.length > 0)
    output.line(
      `Configured but not connected: ${missing.join(', ')} (\`concord connections add ${missing.length === 1 ? missing[0] : 'NAME'}\`).`,
    )
}

export function stateOf(
  paint: Colours,
  { state, problem, pausedUntil }: ConnectionStatus,
  now: number,
): string {
  if (state === 'missing') return paint.dim('not added')
  if (state === 'unauthorised') return paint.red(`refused: ${clip(problem ?? '', 80)}`)
  if (state === 'paused') return paint.yellow('paused')
  if (pausedUntil !== null && pausedUntil > now) return paint.yellow(`rests until ${when(pausedUntil)}`)
  return problem === null ? paint.green('ready') : paint.red(clip(problem, 80))
}

export async function runs(
  context: Context,
  { connection, limit }: { readonly connection?: string; readonly limit: number },
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    if (connection !== undefined && !(await isKnownConnection(hub, connection)))
      throw badInput(`No connection is called ${connection}`, '`concord connections list` shows them.')
    const found = await recentRuns(hub, limit, connection)
    if (output.json) {
      output.value(found.map((run) => ({ ...run, startedAt: iso(run.startedAt), endedAt: iso(run.endedAt) })))
    } else if (found.length === 0) output.line('No run has changed anything yet.')
    else {
      output.table(
        ['run', 'stream', 'kind', 'state', 'started', 'took', 'what'],
        found.map((run) => [
          String(run.id),
          run.stream ?? '',
          run.kind,
          stateOfRun(output.paint, run),
          when(run.startedAt),
          run.endedAt === null ? '' : `${((run.endedAt - run.startedAt) / 1000).toFixed(1)} s`,
          whatOf(run),
        ]),
        [0, 5],
      )
    }
    return EXIT.ok
  })
}

function stateOfRun(paint: Colours, { state }: Run): string {
  if (state === 'failed') return paint.red(state)
  return state === 'held' ? paint.yellow(state) : state
}

function whatOf({ counts, problem, undoes, undoneBy }: Run): string {
  const turned = [
    ...(undoes === null ? [] : [`takes run ${undoes} back`]),
    ...(undoneBy === null ? [] : [`undone in run ${undoneBy}`]),
  ]
  const counted = Object.entries(counts)
    .filter(([name]) => !name.startsWith('write_'))
    .map(([name, count]) => `${number(count)} ${name}`)
    .concat(turned)
    .join(', ')
  return problem === null ? counted : clip(problem, 100)
}
