import type { Command } from 'commander'
import { ALARM_KINDS, isAlarmKind } from '../core/alarms/kinds.ts'
import type { AlertChannel } from '../core/alerts.ts'
import {
  alarms,
  channelStatus,
  freshSecret,
  secretFault,
  setSecret,
  testChannels,
  type AlarmRow,
  type ChannelStatus,
} from '../runtime/alerts/channels.ts'
import type { Hub } from '../runtime/hub.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, nearest, type ExitCode } from './exit.ts'
import { wholeNumber, type Run } from './options.ts'
import { ago, iso, quiet, tame, when, type Colours } from './output.ts'

/** `concord alerts`, `alerts channels`, `alerts test`, `alerts secret` and `alerts kinds`. */
export function alertCommands(program: Command, run: Run): void {
  const command = program
    .command('alerts')
    .description('what is wrong now, and who is told of it')
    .option('--past <n>', 'so many that are over, too', wholeNumber, 0)
    .action((options: { past: number }) => run((c) => list(c, options.past)))
  command
    .command('channels')
    .description('who is told, and whether they can be reached')
    .action(() => run(channels))
  command
    .command('test [channel...]')
    .description('send a test to every channel, or to these, and say what came back')
    .action((names: string[]) => run((c) => test(c, names)))
  command
    .command('secret <name>')
    .description("make a webhook's secret, shown once, or set the password of the mail server (smtp)")
    .option('--own', 'set a secret that the receiver gave, instead of making one')
    .action((name: string, options: { own?: boolean }) => run((c) => secret(c, name, options)))
  command
    .command('kinds')
    .description('every kind of alarm')
    .action(() => run(kinds))
}

async function list(context: Context, past: number): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const found = await alarms(hub, past)
    if (output.json) output.value({ current: found.current.map(alarmJson), past: found.past.map(alarmJson) })
    else {
      const now = hub.clock.now()
      if (found.current.length === 0) output.line(output.paint.green('Nothing is wrong.'))
      for (const alarm of found.current)
        for (const line of tellAlarm(output.paint, alarm, now)) output.line(line)
      if (found.past.length > 0) {
        output.line()
        output.line(output.paint.bold('Over'))
        output.table(
          ['what', 'since', 'until'],
          found.past.map((alarm) => [tame(alarm.title), when(alarm.since), when(alarm.recoveredAt ?? now)]),
        )
      }
    }
    return found.current.length === 0 ? EXIT.ok : EXIT.failed
  })
}

/** An alarm in full, line by line. */
function tellAlarm(paint: Colours, { title, fix, since }: AlarmRow, now: number): readonly string[] {
  return [`${paint.red('alarm')}  ${tame(title)} (${ago(since, now)})`, `       ${tame(fix)}`]
}

export const alarmJson = ({ since, recoveredAt, ...alarm }: AlarmRow): object => ({
  ...alarm,
  since: iso(since),
  recoveredAt: iso(recoveredAt),
})

async function channels(context: Context): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const found = await channelStatus(hub)
    if (output.json)
      output.value(found.map(({ lastAt, ...channel }) => ({ ...channel, lastAt: iso(lastAt) })))
    else if (found.length === 0)
      output.line(
        'Nobody is told: config/alerts.yaml names no channel. `concord config apply` makes one known.',
      )
    else
      output.table(
        ['channel', 'kind', 'to', 'state', 'waiting', 'last told'],
        found.map((channel) => [
          channel.name,
          channel.kind,
          channel.to,
          stateOf(output.paint, channel),
          quiet(channel.waiting),
          ago(channel.lastAt, hub.clock.now()),
        ]),
        [4],
      )
    return found.every(({ state }) => state === 'ready') ? EXIT.ok : EXIT.failed
  })
}

function stateOf(paint: Colours, { name, kind, state, problem }: ChannelStatus): string {
  switch (state) {
    case 'ready':
      return paint.green('ready')
    case 'unset':
      return paint.yellow(`no secret: \`concord alerts secret ${kind === 'email' ? 'smtp' : name}\``)
    case 'gone':
      return paint.red('gone: its receiver answered 410')
    case 'failing':
      return paint.red(`failing: ${tame(problem ?? '')}`)
  }
}

async function test(context: Context, names: readonly string[]): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const tested = await testChannels(hub, chosenChannels(hub, names))
    if (output.json) output.value(tested.map(({ channel, sent }) => ({ channel, ...sent })))
    else
      for (const { channel, sent } of tested)
        output.line(
          sent.kind === 'sent'
            ? `${output.paint.green('took it')}  ${channel}`
            : `${output.paint.red('failed')}  ${channel}: ${tame(sent.problem)}`,
        )
    return tested.every(({ sent }) => sent.kind === 'sent') ? EXIT.ok : EXIT.failed
  })
}

function chosenChannels(hub: Hub, names: readonly string[]): readonly AlertChannel[] {
  const all = hub.configuration.alerts.channels
  if (all.length === 0)
    throw badInput(
      'There is no channel to test',
      'Name one in config/alerts.yaml, then `concord config apply`.',
    )
  for (const name of names) if (!all.some((channel) => channel.name === name)) throw unknownChannel(hub, name)
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

function unknownChannel(hub: Hub, name: string) {
  const known = hub.configuration.alerts.channels.map((channel) => channel.name)
  const near = nearest(name, known)
  return badInput(
    `No channel is called ${tame(name)}`,
    near === null ? `alerts.yaml names: ${known.join(', ') || 'none'}.` : `Did you mean ${near}?`,
  )
}

async function secret(
  context: Context,
  name: string,
  { own }: { readonly own?: boolean },
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const channel = hub.configuration.alerts.channels.find((one) => one.name === name)
    if (name === 'smtp') {
      await setSecret(
        hub,
        'smtp',
        await given(context, 'Password of the mail server: ', 'CONCORD_ALERTS_SMTP'),
      )
      if (output.json) output.value({ name })
      else output.line('The password is kept, encrypted. `concord alerts test` tries it.')
      return EXIT.ok
    }
    if (channel === undefined) throw unknownChannel(hub, name)
    if (channel.kind === 'email')
      throw badInput(
        `${name} is told by mail`,
        'The password of the mail server: `concord alerts secret smtp`.',
      )
    const made = own === true ? null : freshSecret()
    const variable = `CONCORD_ALERTS_${name.replaceAll('-', '_').toUpperCase()}`
    const text = made ?? (await given(context, `Secret of ${name} (whsec_…): `, variable))
    const fault = secretFault(text)
    if (fault !== null)
      throw badInput(`This secret cannot be used: ${fault}`, 'Leave out --own to have one made.')
    await setSecret(hub, name, text)
    if (output.json) output.value({ name, ...(made === null ? {} : { secret: made }) })
    else if (made === null) output.line(`The secret of ${name} is kept, encrypted.`)
    else {
      output.line(`The secret of ${name}, shown once; the receiver checks signatures with it:`)
      output.line(made)
    }
    return EXIT.ok
  })
}

/** From the environment, or from a person, without echo. */
async function given({ wiring }: Context, question: string, variable: string): Promise<string> {
  const ambient = wiring.env[variable]?.trim() ?? ''
  if (ambient !== '') return ambient
  const answer = wiring.terminal.ask === null ? '' : (await wiring.terminal.ask(question, true)).trim()
  if (answer === '')
    throw badInput('Nothing was given', `Type it when asked, or put it into the environment as ${variable}.`)
  return answer
}

async function kinds(context: Context): Promise<ExitCode> {
  const { output } = context
  const all = Object.entries(ALARM_KINDS).filter(([kind]) => isAlarmKind(kind))
  if (output.json) output.value(Object.fromEntries(all))
  else
    output.table(
      ['kind', 'is raised when'],
      all.map(([kind, words]) => [kind, words]),
    )
  return EXIT.ok
}
