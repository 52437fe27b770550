import type { Command } from 'commander'
import type { Subject } from '../core/match/traits.ts'
import {
  dedupe,
  USUAL_THRESHOLD,
  type DedupeProgress,
  type DedupeRequest,
  type DedupeResult,
} from '../runtime/dedupe/dedupe.ts'
import { usualName } from '../runtime/dedupe/columns.ts'
import { DedupeInputError } from '../runtime/dedupe/input-error.ts'
import { collectOften, keepHeapSmall } from '../runtime/memory.ts'
import { withStore, type Context } from './context.ts'
import { badInput, CliError, EXIT, type ExitCode } from './exit.ts'
import type { Run } from './options.ts'
import { number, plural, tame, type Output } from './output.ts'

type DedupeOptions = {
  readonly as: string
  readonly columns?: string
  readonly id?: string
  readonly threshold?: string
  readonly out?: string
  readonly pairs?: string
  readonly encoding?: string
}

export function dedupeCommand(program: Command, run: Run): void {
  program
    .command('dedupe <file>')
    .description('find the rows of a CSV file that are one person or company; the hub stays as it is')
    .option('--as <subject>', 'what a row is: person or company', 'person')
    .option('--columns <attribute=column,...>', 'which column holds what; told from the header otherwise')
    .option('--id <column>', 'the column that names a row, repeated in the output')
    .option('--out <file>', 'writes row, line, cluster and score of every row that has a duplicate')
    .option('--pairs <file>', 'writes pairs that are alike, with the evidence in words')
    .option('--threshold <probability>', `from which two rows count as one (${USUAL_THRESHOLD})`)
    .option('--encoding <name>', 'of the file; found out otherwise')
    .action((file: string, options: DedupeOptions) => run((c) => dedupeFile(c, file, options)))
}

/** Finds the rows of a CSV file that are one person or company. The hub's own records are not touched. */
async function dedupeFile(context: Context, file: string, options: DedupeOptions): Promise<ExitCode> {
  const request = requestOf(file, options)
  const { output, wiring } = context
  // What loading the code left behind goes back first: a run takes as little memory as it can.
  keepHeapSmall()
  collectOften()
  const startedAt = performance.now()
  const progress = tellProgress(context)
  try {
    const result = await withStore(context, ({ db }) =>
      dedupe({ sql: db.sql, stopping: wiring.stopping, progress: progress.show }, request),
    )
    progress.stop()
    const seconds = (performance.now() - startedAt) / 1000
    if (output.json) output.value(asJson(request, result, seconds))
    else tell(output, request, result, seconds)
    return EXIT.ok
  } catch (error) {
    if (wiring.stopping.aborted) throw new CliError(EXIT.stopped, 'Stopped. Nothing was written.')
    if (error instanceof DedupeInputError) throw badInput(error.message, error.fix)
    throw error
  } finally {
    progress.stop()
  }
}

function requestOf(file: string, options: DedupeOptions): DedupeRequest {
  return {
    file,
    subject: subjectFrom(options.as),
    columns: options.columns ?? null,
    idColumn: options.id ?? null,
    threshold: thresholdFrom(options.threshold),
    encoding: options.encoding ?? null,
    out: options.out ?? null,
    pairs: options.pairs ?? null,
  }
}

function subjectFrom(text: string): Subject {
  switch (text.toLowerCase().replace(/s$/, '')) {
    case 'person':
    case 'people':
    case 'contact':
      return 'person'
    case 'company':
    case 'companie':
      return 'company'
    default:
      throw badInput(`--as is "${text}"`, 'Use person or company.')
  }
}

function thresholdFrom(text: string | undefined): number {
  if (text === undefined) return USUAL_THRESHOLD
  const threshold = Number(text)
  if (text.trim() !== '' && threshold > 0 && threshold < 1) return threshold
  throw badInput(`--threshold is "${text}"`, 'Give a probability between 0 and 1, such as 0.9.')
}

/** One line that is written over, on a terminal; nothing elsewhere. */
function tellProgress({ wiring: { terminal }, output }: Context) {
  let last = ''
  return {
    show: (event: DedupeProgress): void => {
      if (!terminal.interactive || output.json) return
      last = inWords(event)
      terminal.err.write(`\r\u001b[K  ${last}`)
    },
    stop: (): void => {
      if (last !== '') terminal.err.write('\r\u001b[K')
      last = ''
    },
  }
}

function inWords(event: DedupeProgress): string {
  switch (event.kind) {
    case 'read':
      return `${plural(event.rows, 'row')} read`
    case 'learned':
      return event.model.learned === null
        ? 'too few rows to learn from: shipped figures'
        : `learned from ${plural(event.model.learned.pairs, 'pair')}`
    case 'compared':
      return `${plural(event.pairs, 'pair')} compared, ${number(event.matches)} alike`
  }
}

const MEGABYTE = 1024 * 1024

function tell(output: Output, request: DedupeRequest, result: DedupeResult, seconds: number): void {
  const columns = result.columns.map(({ trait, header }) => `${usualName(trait)}=${tame(header)}`).join(', ')
  output.line(`Columns${request.columns === null ? ', told from the header' : ''}: ${columns}`)
  if (result.bad.count > 0) {
    output.line(`${plural(result.bad.count, 'row')} could not be read and stayed out:`)
    for (const { line, problem } of result.bad.samples) output.line(`  line ${line}: ${tame(problem)}`)
    if (result.bad.count > result.bad.samples.length) output.line('  …')
  }
  if (result.blank > 0) output.line(`${plural(result.blank, 'row')} held nothing in these columns.`)
  output.line(
    `${plural(result.rows, 'row')}: ${plural(result.groups, 'group')}, ${plural(result.duplicates, 'duplicate')}` +
      (result.groups === 0 ? '.' : `; the largest group has ${plural(result.largest, 'row')}.`),
  )
  output.line(
    `${plural(result.compared, 'pair')} compared in ${seconds.toFixed(1)} s, ${number(Math.round(result.largestMemoryBytes / MEGABYTE))} MB. ` +
      (result.model.learned === null
        ? 'Too few rows or pairs to learn from: the shipped figures were used.'
        : `Learned from ${plural(result.model.learned.pairs, 'pair')}, without labels.`),
  )
  if (request.out !== null) output.line(`Groups: ${request.out}`)
  if (request.pairs !== null) output.line(`Pairs with their evidence: ${request.pairs}`)
  if (request.out === null && result.groups > 0)
    output.line('`--out FILE` writes which row is in which group.')
}

function asJson(request: DedupeRequest, result: DedupeResult, seconds: number) {
  const { rows, blank, bad, columns, compared, matches, groups, duplicates, largest, model } = result
  return {
    rows,
    blank,
    bad,
    columns: Object.fromEntries(columns.map(({ trait, header }) => [header, trait])),
    guessed: request.columns === null,
    threshold: request.threshold,
    compared,
    matches,
    groups,
    duplicates,
    largest,
    learned: model.learned,
    seconds,
    largestMemoryBytes: result.largestMemoryBytes,
    out: request.out,
    pairs: request.pairs,
  }
}
