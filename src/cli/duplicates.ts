import type { Command } from 'commander'
import type { MatchedKind } from '../core/duplicates.ts'
import type { Hub } from '../runtime/hub.ts'
import {
  allLikelyPairs,
  countLikelyPairs,
  likelyPairs,
  type FoundPairs,
  type NamedPair,
  type PairPlace,
} from '../runtime/matching/list.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { writeLines } from './export-lines.ts'
import { limit, type Run } from './options.ts'
import { clip, number, plural, tame, type Output, percent } from './output.ts'
import { kindCalled, manyOf, recordCalled } from './which.ts'

type Options = { readonly limit: number; readonly after?: string; readonly out?: string }

export const MATCHED = ['contact', 'company'] as const

export function duplicateCommands(program: Command, run: Run): void {
  program
    .command('duplicates [kind] [which]')
    .description(
      'pairs of contacts or companies that look like one, likeliest first, with what speaks for it',
    )
    .option('--out <file>', 'all of them into a file: .csv or .jsonl')
    .option('--after <mark>', 'go on where a page ended')
    .addOption(limit(50))
    .action((kind: string | undefined, which: string | undefined, options: Options) =>
      run((c) => duplicates(c, kind ?? 'contacts', which, options)),
    )
}

async function duplicates(
  context: Context,
  said: string,
  which: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const kind = kindCalled(said, MATCHED)
  return withHub(context, async (hub) => {
    const { output } = context
    if (options.out !== undefined) {
      if (which !== undefined)
        throw badInput('--out takes all pairs, not those of one record', 'Leave one of them out.')
      const count = await writeLines(options.out, rowsOf(hub, kind))
      if (output.json) output.value({ file: options.out, pairs: count })
      else output.line(`${plural(count, 'pair')} of ${manyOf(kind)} written to ${options.out}`)
      return EXIT.ok
    }
    const record = which === undefined ? null : await recordCalled(hub, kind, which)
    const pairs = await likelyPairs(hub, kind, {
      limit: options.limit,
      ...(record === null ? {} : { recordId: record.id }),
      ...(options.after === undefined ? {} : { after: placeOf(options.after) }),
    })
    const last = pairs.at(-1)
    const next = last === undefined || pairs.length < options.limit ? null : markOf(last)
    if (output.json) output.value({ items: pairs, next })
    else if (pairs.length === 0) output.line(noneOf(kind, record, options))
    else {
      tellPairs(output, pairs)
      if (next !== null) {
        const count = await countLikelyPairs(hub, kind, record?.id)
        const whole = record === null ? '; all of them: --out FILE.csv' : ''
        output.line(`${number(count)} in all. More: --after ${next}${whole}.`)
      }
      output.line(
        `Merge two: \`concord merge ${kind} OLDER YOUNGER\`. The inbox asks about the likeliest: \`concord inbox --kind duplicate\`.`,
      )
    }
    return EXIT.ok
  })
}

function noneOf(kind: MatchedKind, record: { readonly id: number } | null, { after }: Options): string {
  if (after !== undefined) return 'There are no more.'
  return record === null
    ? `No ${manyOf(kind)} look like one.`
    : `No other ${kind} looks like ${kind} ${record.id}.`
}

function tellPairs(output: Output, pairs: readonly NamedPair[]): void {
  output.table(
    ['likely', 'older', '', 'younger', '', 'why'],
    pairs.map((pair) => [
      percent(pair.probability),
      String(pair.a),
      clip(tame(pair.titleA), 60),
      String(pair.b),
      clip(tame(pair.titleB), 60),
      clip(pair.evidence, 120),
    ]),
    [0, 1, 3],
  )
  output.line()
}

/** So many of what a sync found are named. */
export const FOUND_SHOWN = 3

/** What a sync or an import found, in a few lines; nothing where it found nothing. */
export function tellFound(output: Output, found: readonly FoundPairs[]): void {
  for (const { kind, count, first } of found) {
    output.line(
      count === 1
        ? `1 likely duplicate among the ${manyOf(kind)}: \`concord inbox --kind duplicate\``
        : `${number(count)} likely duplicates among the ${manyOf(kind)}: \`concord inbox --kind duplicate\``,
    )
    for (const pair of first)
      output.line(`  ${clip(`${tame(pair.titleB)} may be ${tame(pair.titleA)}: ${pair.evidence}`, 160)}`)
    if (count > first.length)
      output.line(`  … and ${number(count - first.length)} more: \`concord duplicates ${manyOf(kind)}\``)
  }
}

async function* rowsOf(hub: Hub, kind: MatchedKind) {
  for await (const { probability, a, titleA, b, titleB, evidence } of allLikelyPairs(hub, kind))
    yield {
      probability: Number(probability.toFixed(6)),
      older: a,
      older_title: titleA,
      younger: b,
      younger_title: titleB,
      evidence,
    }
}

const markOf = ({ probability, a, b }: PairPlace): string => `${probability}_${a}_${b}`
function placeOf(mark: string): PairPlace {
  const found = /^(0?\.?\d+(?:\.\d+)?(?:e-?\d+)?)_(\d{1,15})_(\d{1,15})$/.exec(mark)
  if (found === null) throw badInput(`--after is "${mark}"`, 'Give the one that an answer ended with.')
  return { probability: Number(found[1]), a: Number(found[2]), b: Number(found[3]) }
}
