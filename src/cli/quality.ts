import { Option, type Command } from 'commander'
import { GOVERNED_KINDS, type GovernedKind } from '../core/governance/rules.ts'
import { sparkline } from '../core/governance/trend.ts'
import {
  checkOf,
  listAll,
  listPage,
  type Asked,
  type Check,
  type Listed,
  type ListOptions,
} from '../runtime/quality/list.ts'
import { measureBy } from '../runtime/quality/measure.ts'
import {
  flagOf,
  qualityReport,
  SPANS,
  type QualityLine,
  type QualityReport,
} from '../runtime/quality/report.ts'
import type { Hub } from '../runtime/hub.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { writeLines, type Row } from './export-lines.ts'
import { limit, wholeNumber, type Run } from './options.ts'
import { clip, iso, number, plural, quiet, tame, when } from './output.ts'
import { kindCalled, manyOf } from './which.ts'

type ReportOptions = { readonly by?: 'owner' | 'source'; readonly out?: string }
type Options = Asked & {
  readonly source?: string
  readonly owner?: string
  readonly after: number
  readonly limit: number
  readonly out?: string
}

/** `concord quality` and `quality list`. */
export function qualityCommands(program: Command, run: Run): void {
  const quality = program
    .command('quality')
    .argument('[kind]', 'contacts, companies or deals; all of them otherwise')
    .description('how complete, fresh and well kept records are, and how that has changed')
    .addOption(new Option('--by <what>', 'for each owner or source').choices(['owner', 'source']))
    .option('--out <file>', 'into a file: .csv or .jsonl')
    .action((kind: string | undefined, options: ReportOptions) => run((c) => report(c, kind, options)))
  quality
    .command('list <kind>')
    .description('the records behind a figure')
    .option('--lacking <field>', 'without a value in this field')
    .option('--unknown <field>', 'with a value that is not on its picklist')
    .option('--is <what>', 'duplicate, stale, bouncing, unowned, no-next-step, overdue, stage-missing, …')
    .option('--source <name>', 'that came from this connection')
    .option('--owner <name>', 'of this owner')
    .option('--after <id>', 'go on where an answer ended', wholeNumber, 0)
    .addOption(limit(50))
    .option('--out <file>', 'all of them into a file: .csv or .jsonl')
    // The report has --out too, and Commander gives it to that one.
    .action((kind: string, _: Options, command: Command) =>
      run((c) => list(c, kind, command.optsWithGlobals<Options>())),
    )
}

async function report(
  context: Context,
  place: string | undefined,
  options: ReportOptions,
): Promise<ExitCode> {
  const kinds = place === undefined ? GOVERNED_KINDS : [kindCalled(place, GOVERNED_KINDS)]
  const { by, out } = options
  return withHub(context, async (hub) => {
    if (by !== undefined) return reportBy(context, hub, kinds, by, out)
    const found = await qualityReport(hub, kinds)
    if (out !== undefined) await writeLines(out, found.lines.map(reportRow))
    if (context.output.json) context.output.value(found)
    else if (out === undefined) for (const kind of kinds) showKind(context, found, kind)
    else context.output.line(`${number(found.lines.length)} figures are in ${out}.`)
    return EXIT.ok
  })
}

function showKind({ output }: Context, { lines }: QualityReport, kind: GovernedKind): void {
  const own = lines.filter((line) => line.kind === kind)
  const place = manyOf(kind)
  const [records] = own.filter(({ metric }) => metric === 'records')
  output.line(output.paint.bold(`${place} (${number(records?.count ?? 0)})`))
  const shown = own.filter(({ metric }) => metric !== 'records')
  output.table(
    ['', 'now', '', ...SPANS.map((days) => `${days} days`), 'trend', `concord quality list ${place} …`],
    shown.map((line) => [
      line.metric === 'complete' ? `filled: ${line.label}` : line.label,
      quiet(line.count),
      share(line.count, line.of),
      ...SPANS.map((days) => changeOf(line, line.change[days])),
      sparkline(line.series.map(({ value }) => value)),
      flagOf(line) ?? '',
    ]),
    [1, 2, 3, 4, 5],
  )
  output.line()
}

const share = (count: number, of: number): string => (of === 0 ? '' : `${((100 * count) / of).toFixed(0)} %`)

function changeOf({ metric }: QualityLine, change: number | null): string {
  if (change === null) return ''
  const value = metric === 'complete' ? Math.round(change * 100) : change
  const unit = metric === 'complete' ? ' pt' : ''
  return value === 0 ? '=' : `${value > 0 ? '+' : '−'}${number(Math.abs(value))}${unit}`
}

const reportRow = ({ kind, metric, field, count, of, change }: QualityLine): Row => ({
  record: kind,
  figure: metric,
  field,
  count,
  of,
  ...Object.fromEntries(SPANS.map((days) => [`change ${days} days`, change[days]])),
})

async function reportBy(
  { output }: Context,
  hub: Hub,
  kinds: readonly GovernedKind[],
  by: 'owner' | 'source',
  out: string | undefined,
): Promise<ExitCode> {
  const groups = await measureBy(hub, kinds, by)
  if (out !== undefined) {
    const rows = groups.flatMap(({ kind, group, figures }) =>
      figures.map(({ metric, field, value }) => ({
        record: kind,
        [by]: group,
        figure: metric,
        field,
        count: value,
      })),
    )
    await writeLines(out, rows)
  }
  if (output.json) output.value({ by, groups })
  else if (out !== undefined) output.line(`${number(groups.length)} groups are in ${out}.`)
  else
    for (const kind of kinds) {
      const own = groups.filter((group) => group.kind === kind)
      const problems =
        own[0]?.figures.filter(({ metric }) => metric !== 'records' && metric !== 'complete') ?? []
      output.line(output.paint.bold(manyOf(kind)))
      output.table(
        [by, 'records', 'filled', ...problems.map(({ metric, field }) => `${metric} ${field}`.trim())],
        own.map(({ group, figures }) => {
          const records = figures[0]?.value ?? 0
          const filled = figures.filter(({ metric }) => metric === 'complete')
          const sum = filled.reduce((all, { value }) => all + value, 0)
          return [
            tame(group ?? '(none)'),
            number(records),
            share(sum, records * filled.length),
            ...figures
              .filter(({ metric }) => metric !== 'records' && metric !== 'complete')
              .map((f) => quiet(f.value)),
          ]
        }),
        [1, 2, ...problems.map((_, i) => i + 3)],
      )
      output.line()
    }
  return EXIT.ok
}

async function list(context: Context, place: string, options: Options): Promise<ExitCode> {
  const kind = kindCalled(place, GOVERNED_KINDS)
  const asked = checkOf(kind, options)
  if (asked.kind === 'wrong') throw badInput(asked.message, asked.fix)
  const { source, owner, out, after } = options
  const only = { ...(source === undefined ? {} : { source }), ...(owner === undefined ? {} : { owner }) }
  return withHub(context, async (hub) => {
    const { output } = context
    if (out !== undefined) {
      const count = await writeLines(out, rowsOf(hub, kind, asked.check, only))
      if (output.json) output.value({ file: out, records: count })
      else output.line(`${plural(count, kind, manyOf(kind))} ${count === 1 ? 'is' : 'are'} in ${out}.`)
      return EXIT.ok
    }
    const { records, next } = await listPage(hub, kind, asked.check, { ...only, after, limit: options.limit })
    if (output.json) output.value({ records: records.map(listedJson), next })
    else if (records.length === 0) output.line('None.')
    else {
      output.table(
        ['id', 'record', 'owner', 'from', 'changed', ''],
        records.map((one) => [
          String(one.id),
          clip(tame(one.title ?? ''), 60),
          tame(one.owner ?? ''),
          one.source ?? '',
          when(one.updatedAt),
          clip(tame(one.what ?? ''), 60),
        ]),
        [0],
      )
      if (next !== null) output.line(`More: --after ${next}, or all of them with --out FILE.csv.`)
    }
    return EXIT.ok
  })
}

const listedJson = (one: Listed) => ({ ...one, updatedAt: iso(one.updatedAt) })

async function* rowsOf(hub: Hub, kind: GovernedKind, check: Check, only: ListOptions): AsyncGenerator<Row> {
  for await (const page of listAll(hub, kind, check, only)) yield* page.map(listedJson)
}
