import { readFileSync } from 'node:fs'
import type { JsonObject } from '../core/json.ts'
import { beginAuthorisation } from '../runtime/authorise.ts'
import { refusedBy, storedOf, type Plug, type Stored } from '../runtime/connect.ts'
import type { Hub } from '../runtime/hub.ts'
import { troubleOf } from '../runtime/trouble.ts'
import { wayOf, type Field, type Way } from '../runtime/ways.ts'
import type { Context } from './context.ts'
import { badInput, failure, type CliError } from './exit.ts'
import { allowedInBrowser } from './loopback.ts'

type Secrets = Readonly<Record<string, string>>

/** How a person wants to authorise a connection that leaves a choice. */
export type AuthOptions = {
  /** A file with the key of a service account. */
  readonly serviceAccount?: string
  /** Whom the service account acts for where no mailbox is meant. */
  readonly adminUser?: string
  readonly clientCredentials?: boolean
  readonly browser?: boolean
  readonly redirectPort?: number
}

export type Gathered = { readonly secrets: Secrets; readonly way?: Way }

/**
 * Credentials from the command line, the environment, a file, or a person, in this order; what is stored already may
 * stay. `settings` are those the connection will have.
 */
export async function gatherCredentials(
  context: Context,
  hub: Hub,
  plug: Plug,
  given: Secrets,
  options: AuthOptions,
  settings: JsonObject,
): Promise<Gathered> {
  const unknown = Object.keys(given).find((name) => name !== 'webhookSecret' && !plug.fields.includes(name))
  if (unknown !== undefined)
    throw badInput(
      `${plug.connectorId} has no credential "${unknown}"`,
      plug.fields.length === 0 ? 'It needs none.' : `It has ${plug.fields.join(', ')}.`,
    )
  const stored = await storedOf(hub, plug.name)
  const supplied: Secrets = { ...ambientOf(context, plug), ...fileOf(options), ...given }
  const way = chosenWay(plug, options, supplied, stored)
  if (options.adminUser !== undefined && way?.kind !== 'jwt')
    throw badInput(
      '--admin-user is for a service account',
      'Give --service-account FILE as well, or leave it out.',
    )
  if (way === null) return { secrets: given }
  const asked = { ...supplied, ...(await askedFor(context, plug, way, supplied, stored)) }
  if (way.kind !== 'code') return { secrets: asked, way }
  const all = { ...stored.secrets, ...asked }
  const isBrought = supplied['refreshToken'] !== undefined || supplied['accessToken'] !== undefined
  const isKept = stored.isAuthorised && wayOf(plug.connector.auth, all)?.kind === 'code'
  if (options.browser !== true && (isBrought || isKept)) return { secrets: asked, way }
  const merged = { ...plug.settings, ...stored.settings, ...settings }
  const { clientId = '', clientSecret } = all
  const client = { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) }
  return {
    secrets: { ...asked, ...(await inBrowser(context, hub, plug, way, client, options, merged)) },
    way,
  }
}

/** `CONCORD_EU_STRIPE_API_KEY` for the field apiKey of eu-stripe. */
export function variableOf(name: string, field: string): string {
  const words = field.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
  return `CONCORD_${name}_${words}`.replaceAll('-', '_').toUpperCase()
}

export function refusedError(
  plug: Plug,
  { field, message }: { readonly field: string | null; readonly message: string },
): CliError {
  const fix =
    field === null
      ? 'Correct it and run the command again.'
      : `Correct it with --set ${field}=…, or in the configuration of ${plug.name}.`
  return failure(`${plug.name} does not work: ${message} Nothing was saved.`, fix)
}

function ambientOf({ wiring }: Context, plug: Plug): Secrets {
  return Object.fromEntries(
    plug.fields.flatMap((field) => {
      const value = wiring.env[variableOf(plug.name, field)]?.trim() ?? ''
      return value === '' ? [] : [[field, value]]
    }),
  )
}

function fileOf({ serviceAccount }: AuthOptions): Secrets {
  if (serviceAccount === undefined) return {}
  try {
    return { serviceAccountKey: readFileSync(serviceAccount, 'utf8') }
  } catch (error) {
    const trouble = troubleOf(error)
    throw badInput(
      `--service-account: ${trouble?.message ?? `${serviceAccount} cannot be read`}`,
      trouble?.fix ?? 'Name the JSON file of the key.',
    )
  }
}

/** What is asked for by an option; what is given; what is stored; else what is usual. Null: it needs no credentials. */
function chosenWay(plug: Plug, options: AuthOptions, supplied: Secrets, stored: Stored): Way | null {
  const { ways } = plug
  const wanted = [
    ...(options.serviceAccount === undefined ? [] : [['--service-account', 'jwt'] as const]),
    ...(options.clientCredentials === true ? [['--client-credentials', 'client'] as const] : []),
    ...(options.browser === true ? [['--browser', 'code'] as const] : []),
  ]
  const [[option, kind] = []] = wanted
  if (wanted.length > 1)
    throw badInput(`${wanted.map(([name]) => name).join(' and ')} exclude each other`, 'Say one of them.')
  if (kind !== undefined) {
    const way = ways.find((one) => one.kind === kind)
    if (way !== undefined) return way
    throw badInput(`${plug.connectorId} cannot be authorised with ${option}`, `It takes ${wordsOf(ways)}.`)
  }
  const { auth } = plug.connector
  const complete = wayOf(auth, supplied)
  // A client's own credentials are also half of what the browser way takes.
  const isPlain = complete?.kind !== 'client' || !ways.some((one) => one.kind === 'code')
  return (isPlain ? complete : null) ?? wayOf(auth, stored.secrets) ?? usualWay(ways)
}

/** A password where there is one; else a person in a browser, who needs the least from others. */
const usualWay = ([first, ...others]: readonly Way[]): Way | null =>
  first?.kind === 'fields' ? first : ([first, ...others].find((one) => one?.kind === 'code') ?? first ?? null)

const WORDS: Readonly<Record<Way['kind'], string>> = {
  fields: '',
  code: '--browser',
  client: '--client-credentials',
  jwt: '--service-account FILE',
}
function wordsOf(ways: readonly Way[]): string {
  if (ways.length === 0) return 'no credentials'
  return ways.map((way) => WORDS[way.kind] || way.fields.map(({ name }) => name).join(' and ')).join(', or ')
}

async function askedFor(
  { wiring }: Context,
  plug: Plug,
  way: Way,
  supplied: Secrets,
  stored: Stored,
): Promise<Secrets> {
  const { ask } = wiring.terminal
  const secrets: Record<string, string> = {}
  for (const field of way.fields) {
    if (supplied[field.name] !== undefined) continue
    const kept = (stored.secrets[field.name] ?? '') !== ''
    const isFile = field.name === 'serviceAccountKey'
    const answer =
      ask === null || isFile
        ? ''
        : (await ask(questionOf(plug, field, kept), field.name !== 'clientId')).trim()
    if (answer !== '') secrets[field.name] = answer
    else if (!kept && field.isRequired)
      throw badInput(
        `${plug.name} needs its ${field.name}`,
        isFile
          ? 'Give --service-account FILE, the JSON file of the key.'
          : `Set ${variableOf(plug.name, field.name)} in the environment, or run this in a terminal to be asked.`,
      )
  }
  return secrets
}

function questionOf(plug: Plug, { name, isRequired }: Field, kept: boolean): string {
  const note = kept ? ' (empty keeps the old one)' : isRequired ? '' : ' (empty: none)'
  return `${name} of ${plug.name}${note}: `
}

async function inBrowser(
  { wiring, output }: Context,
  hub: Hub,
  plug: Plug,
  way: Extract<Way, { kind: 'code' | 'client' | 'jwt' }>,
  client: Secrets,
  options: AuthOptions,
  settings: JsonObject,
): Promise<Secrets> {
  const { transport } = wiring
  try {
    return await allowedInBrowser({
      port: options.redirectPort ?? 0,
      stopping: wiring.stopping,
      begin: (redirectUri) =>
        beginAuthorisation(hub, {
          connection: plug.name,
          auth: way.auth,
          secrets: client,
          settings,
          redirectUri,
          ...(transport === undefined ? {} : { transport }),
        }),
      tell: (url) =>
        output.note(
          `Open this address in a browser on this machine, and allow Concord what it asks for:\n\n${url}\n`,
        ),
      finish: (authorisation, redirected) => authorisation.finish(redirected),
    })
  } catch (error) {
    throw refusedError(plug, refusedBy(error, Object.values(client)))
  }
}
