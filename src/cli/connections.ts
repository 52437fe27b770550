import { z } from 'zod'
import type { Json, JsonObject } from '../core/json.ts'
import {
  addConnection,
  checkConnection,
  connectionsOf,
  dropConnection,
  plugOf,
  subscribeWebhook,
  type Plug,
} from '../runtime/connect.ts'
import type { Hub } from '../runtime/hub.ts'
import { hubStatus } from '../runtime/status.ts'
import { chosen, withHub, type Context } from './context.ts'
import { gatherCredentials, refusedError, type AuthOptions } from './credentials.ts'
import { badInput, CliError, EXIT, failure, nearest, type ExitCode } from './exit.ts'
import { clip, iso } from './output.ts'
import { stateOf } from './status.ts'

export type AddOptions = AuthOptions & {
  readonly connector?: string
  readonly set: readonly string[]
  readonly secret: readonly string[]
  readonly webhookUrl?: string
}

export async function listAll(context: Context): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const [{ connections }, stored] = [await hubStatus(hub), await connectionsOf(hub)]
    if (output.json) {
      output.value(
        connections.map(({ streams: _, pausedUntil, ...connection }) => {
          const row = stored.find((c) => c.name === connection.name)
          return {
            ...connection,
            accountId: row?.accountId ?? null,
            settings: row?.settings ?? {},
            pausedUntil: iso(pausedUntil),
            createdAt: iso(row?.createdAt ?? null),
          }
        }),
      )
      return EXIT.ok
    }
    output.table(
      ['name', 'connector', 'state', 'account'],
      connections.map((c) => [c.name, c.connector, stateOf(output.paint, c, hub.clock.now()), c.label ?? '']),
    )
    return EXIT.ok
  })
}

export async function add(context: Context, name: string, options: AddOptions): Promise<ExitCode> {
  const settings = {
    ...settingsOf(options.set),
    ...(options.adminUser === undefined ? {} : { directoryAdmin: options.adminUser }),
  }
  const given = pairsOf('--secret', options.secret)
  if (options.webhookUrl !== undefined && !isWebUrl(options.webhookUrl))
    throw badInput(`--webhook-url ${options.webhookUrl} is not a URL`, 'Write https://hub.example.com.')
  if (options.secret.length > 0)
    context.output.note(
      'Warning: a secret on the command line stays in the shell history. Leave --secret out to be asked, or use the environment.',
    )
  return withHub(context, async (hub) => {
    const { output, wiring } = context
    const plug = configured(context, hub, name, options.connector)
    const gathered = await gatherCredentials(context, hub, plug, given, options, settings)
    const added = await addConnection(hub, plug, { ...gathered, settings, ...transportOf(context) })
    if (added.kind === 'refused') throw refusedError(plug, added)
    if (added.kind === 'other-account')
      throw badInput(
        `These credentials are for another account (${added.now}) than before (${added.before}): its objects are not the linked ones. Nothing was saved.`,
        `Use the old account's credentials, or first \`concord connections remove ${name}\`.`,
      )
    const webhook = options.webhookUrl === undefined ? null : webhookUrl(options.webhookUrl, name)
    if (webhook !== null) {
      const subscribed = await subscribeWebhook(hub, plug, webhook, wiring.transport)
      if (subscribed.kind === 'refused')
        throw failure(
          `${name} is connected (${added.label}), but takes no webhook: ${subscribed.message}`,
          'Without one it is polled, which works as well. Correct the URL and run the command again.',
        )
    }
    if (output.json) output.value({ name, connector: plug.connectorId, ...added, webhook })
    else {
      output.line(`${name} ${added.again ? 'is connected anew' : 'is connected'}: ${added.label}.`)
      if (webhook !== null) output.line(`Its changes are sent to ${webhook}.`)
      output.line(
        `\`concord plan ${name}\` shows what a sync would do, to be approved; then \`concord sync ${name}\` does it.`,
      )
    }
    return EXIT.ok
  })
}

/** The connection as the configuration names it. */
function configured({ wiring }: Context, hub: Hub, name: string, connector: string | undefined): Plug {
  const plug = plugOf(hub, wiring.connectors, name)
  const names = hub.configuration.connections.map((c) => c.name)
  if (plug === undefined) {
    const near = nearest(name, names)
    const model =
      hub.configuration.connections.find((c) => c.connector === connector)?.name ?? names[0] ?? 'csv'
    throw badInput(
      `The configuration names no connection ${name}; it names ${names.join(', ')}`,
      near === null
        ? `\`concord config export my-config\`, copy my-config/${model}.yaml to my-config/${name}.yaml, set \`connection: ${name}\` in it, and \`concord config apply my-config\`.`
        : `Did you mean ${near}?`,
    )
  }
  if (connector !== undefined && connector !== plug.connectorId)
    throw badInput(
      `${name} speaks to ${plug.connectorId} in the configuration, not to ${connector}`,
      `Leave --connector out, or change \`connector:\` of ${name} in the configuration.`,
    )
  return plug
}

const transportOf = ({ wiring }: Context) =>
  wiring.transport === undefined ? {} : { transport: wiring.transport }

export async function check(context: Context, name: string | undefined): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output, wiring } = context
    const added = (await connectionsOf(hub)).map((c) => c.name)
    const names = await chosen(hub, added, name === undefined ? [] : [name])
    const results: { name: string; works: boolean; message: string }[] = []
    for (const each of names) {
      const plug = configured(context, hub, each, undefined)
      const checked = await checkConnection(hub, plug, wiring.transport)
      const works = checked.kind === 'works'
      results.push({ name: each, works, message: works ? checked.label : checked.message })
    }
    if (output.json) output.value(results)
    else
      output.table(
        ['name', 'works', 'account or problem'],
        results.map((r) => [
          r.name,
          r.works ? output.paint.green('yes') : output.paint.red('no'),
          clip(r.message, 200),
        ]),
      )
    return results.every((r) => r.works) ? EXIT.ok : EXIT.failed
  })
}

export async function remove(
  context: Context,
  name: string,
  { yes }: { readonly yes?: boolean },
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const added = (await connectionsOf(hub)).map((c) => c.name)
    if (!added.includes(name))
      throw badInput(`No connection ${name} was added`, '`concord connections list` shows them.')
    await confirmed(
      context,
      `Remove ${name} with its credentials and links? Records and history stay, and nothing is changed at the vendor.`,
      yes,
    )
    await dropConnection(hub, name)
    if (output.json) output.value({ name, removed: true })
    else
      output.line(
        `${name} is removed; its records stay. Delete its webhook and revoke its key at the vendor if nothing else uses them.`,
      )
    return EXIT.ok
  })
}

/** Goes on only with --yes, or where a person says so. */
export async function confirmed(
  { wiring }: Context,
  question: string,
  yes: boolean | undefined,
): Promise<void> {
  if (yes === true) return
  const { ask } = wiring.terminal
  if (ask === null) throw badInput(`${question} Nobody is here to answer.`, 'Say --yes.')
  const answer = await ask(`${question} [y/N] `, false)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.input, 'Nothing was done.')
}

function pairsOf(option: string, pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      // The value is never repeated: it may be a secret.
      if (at < 1) throw badInput(`${option} is not of the form name=value`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

/** `name=text`, or `name:=json` for numbers, lists and objects. */
function settingsOf(pairs: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(pairsOf('--set', pairs)).map(([name, value]): [string, Json] => {
      if (!name.endsWith(':')) return [name, value]
      try {
        const parsed: unknown = JSON.parse(value)
        return [name.slice(0, -1), jsonValue.parse(parsed)]
      } catch {
        throw badInput(
          `--set ${name}= is followed by JSON, and this is none`,
          'Write --set name=text for plain text.',
        )
      }
    }),
  )
}

const jsonValue = z.json()
const isWebUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

/** The hub's address alone is completed to where the hub takes webhooks. */
function webhookUrl(text: string, name: string): string {
  const url = new URL(text)
  return url.pathname === '/' ? new URL(`/webhooks/${name}`, url).href : url.href
}
