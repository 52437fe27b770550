import { createReadStream } from 'node:fs'
import { CsvError, parse } from 'csv-parse'
import { z } from 'zod'
import { parsedJson, type Json } from '../core/json.ts'
import type { Hub } from '../runtime/hub.ts'
import { performAll, type BulkResult } from '../runtime/inbox/bulk.ts'
import { ACTIONS, type ActionName } from '../runtime/inbox/kinds.ts'
import { perform, type ActionInput } from '../runtime/inbox/perform.ts'
import type { ActionResult } from '../runtime/inbox/settle.ts'
import { assign, snooze, timeFrom } from '../runtime/inbox/tend.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { number, plural } from './output.ts'
import { filterOf, idOf, recordOf, type InboxFilter } from './inbox.ts'

/** What the options of the actions give, as commander reads them. */
export type ActOptions = {
  readonly take?: string
  readonly set?: readonly string[]
  readonly survivor?: string
  readonly as?: string
  readonly records?: string
  readonly except?: string
  readonly from?: string
}

export async function actOn(
  context: Context,
  id: string,
  action: ActionName,
  options: ActOptions = {},
): Promise<ExitCode> {
  const input = await inputOf(options)
  return act(context, id, (hub, item) => perform(hub, item, action, input, context.actor))
}

export const assignTo = (context: Context, id: string, person: string | undefined): Promise<ExitCode> =>
  act(context, id, (hub, item) => assign(hub, item, person ?? null))

export const snoozeUntil = (context: Context, id: string, text: string): Promise<ExitCode> =>
  act(context, id, (hub, item) => {
    const until = text === 'off' ? null : timeFrom(text, hub.clock.now())
    if (until === null && text !== 'off')
      throw badInput(`"${text}" is no time`, 'Say 12h, 3d, 2w, a date such as 2026-12-01, or off.')
    return snooze(hub, item, until)
  })

async function act(
  context: Context,
  id: string,
  action: (hub: Hub, id: number) => Promise<ActionResult>,
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const result = await action(hub, idOf(id))
    if (result.kind === 'refused') {
      const [message = '', fix] = result.message.split(' Fix: ')
      throw failure(message, fix ?? `\`concord inbox show ${id}\` tells what can be done.`)
    }
    if (context.output.json) context.output.value(result)
    else context.output.line(result.message)
    return EXIT.ok
  })
}

export type BulkOptions = ActOptions & InboxFilter & { readonly dryRun?: boolean }

/** One action over every open item that a filter names. */
export async function bulk(context: Context, name: string, options: BulkOptions): Promise<ExitCode> {
  const action = ACTIONS.find((one) => one === name)
  if (action === undefined) throw badInput(`There is no action "${name}"`, `Known are ${ACTIONS.join(', ')}.`)
  if (
    [options.kind, options.stream, options.record, options.assignee].every((one) => one === undefined) &&
    options.mine !== true
  )
    throw badInput('Which items?', 'Name at least one of --kind, --stream, --record, --assignee, --mine.')
  const input = await inputOf(options)
  if (action === 'resolve' && input.take === undefined)
    throw badInput(
      'Whose value stands is not said',
      'Say --take hub, --take remote or --take value with --set.',
    )
  return withHub(context, async (hub) => {
    const filter = filterOf(hub, context, options)
    return tellBulk(
      context,
      await performAll(hub, filter, action, input, context.actor, options.dryRun === true),
    )
  })
}

/** Runs again what was refused or could not be read, after a fix. */
export async function replay(
  context: Context,
  { id, ...filter }: InboxFilter & { readonly id?: string; readonly dryRun?: boolean },
): Promise<ExitCode> {
  if (id !== undefined) return actOn(context, id, 'replay')
  return withHub(context, async (hub) => {
    const named = filterOf(hub, context, filter)
    const kinds = REPLAYED.filter(([kind]) => named.kind === undefined || named.kind === kind)
    if (kinds.length === 0)
      throw badInput(
        `--kind is "${filter.kind ?? ''}", which cannot be replayed`,
        `Use ${REPLAYED.map(([kind]) => kind).join(' or ')}, or leave it out.`,
      )
    const results: BulkResult[] = []
    for (const [kind, action] of kinds)
      results.push(
        await performAll(hub, { ...named, kind }, action, {}, context.actor, filter.dryRun === true),
      )
    const total = (of: (one: BulkResult) => number) => results.reduce((sum, one) => sum + of(one), 0)
    return tellBulk(context, {
      matched: total(({ matched }) => matched),
      done: total(({ done }) => done),
      closed: total(({ closed }) => closed),
      refused: total(({ refused }) => refused),
      problems: results.flatMap(({ problems }) => problems),
      dryRun: filter.dryRun === true,
    })
  })
}

const REPLAYED = [
  ['rejected_write', 'retry'],
  ['unreadable', 'replay'],
] as const

function tellBulk({ output }: Context, result: BulkResult): ExitCode {
  if (output.json) output.value(result)
  else {
    const verb = result.dryRun ? 'would be done' : 'done'
    const closed = result.closed === 0 ? '' : `, ${number(result.closed)} closed by that`
    output.line(
      `${plural(result.matched, 'item')}: ${number(result.done)} ${verb}${closed}, ${number(result.refused)} refused.`,
    )
    for (const { id, message } of result.problems) output.line(`  ${id}: ${message}`)
  }
  return result.refused > 0 ? EXIT.failed : EXIT.ok
}

async function inputOf(options: ActOptions): Promise<ActionInput> {
  const { take, set, survivor, as, records, except, from } = options
  if (take !== undefined && take !== 'hub' && take !== 'remote' && take !== 'value')
    throw badInput(`--take is "${take}"`, 'Say --take hub, --take remote or --take value.')
  if ([records, except, from].filter((one) => one !== undefined).length > 1)
    throw badInput('--records, --except and --from do not go together', 'Give one of them.')
  return {
    ...(take === undefined ? {} : { take }),
    ...(set === undefined || set.length === 0 ? {} : { set: Object.fromEntries(set.map(assignment)) }),
    ...(survivor === undefined ? {} : { survivor: recordOf('--survivor', survivor) }),
    ...(as === undefined ? {} : { as }),
    ...(records === undefined ? {} : { chosen: { kind: 'only', records: listOf('--records', records) } }),
    ...(except === undefined ? {} : { chosen: { kind: 'except', records: listOf('--except', except) } }),
    ...(from === undefined ? {} : { chosen: { kind: 'only', records: await recordsIn(from) } }),
  }
}

const listOf = (option: string, text: string): readonly number[] =>
  text.split(',').map((part) => recordOf(option, part.trim()))

/** `field=text`, or `field:=json` for what is not text; `field=` empties it. */
function assignment(text: string): readonly [string, Json] {
  const found = /^([A-Za-z][\w.]*)(:?=)(.*)$/s.exec(text)
  if (found === null) throw badInput(`"${text}" sets nothing`, 'Say --set FIELD=VALUE.')
  const [, field = '', sign, value = ''] = found
  if (sign === '=') return [field, value === '' ? null : value]
  const read = jsonValue.safeParse(parsed(value))
  if (!read.success) throw badInput(`${field}: ${value} is not JSON`, `Say ${field}=VALUE for text.`)
  return [field, read.data]
}

const jsonValue = z.json()

function parsed(text: string): unknown {
  try {
    return parsedJson(text)
  } catch {
    return undefined
  }
}

/** The column \`record\` of an exported file. */
async function recordsIn(file: string): Promise<readonly number[]> {
  const ids = new Set<number>()
  try {
    const rows = parse({ columns: true, bom: true, skip_empty_lines: true })
    // `pipe` does not hand errors on.
    createReadStream(file)
      .on('error', (error) => rows.destroy(error))
      .pipe(rows)
    for await (const row of rows) {
      const record: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, 'record') : undefined
      if (typeof record !== 'string')
        throw badInput(
          `${file} has no column "record"`,
          '`concord inbox show ID --out FILE.csv` makes such a file.',
        )
      ids.add(recordOf(`A "record" in ${file}`, record))
    }
  } catch (error) {
    if (error instanceof CsvError)
      throw badInput(`${file} is no CSV file: ${error.message}`, 'Save it as CSV, with commas.')
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR')
      throw badInput(`${file} is a folder`, 'Name a file.')
    throw error
  }
  return [...ids]
}
