import type { Command } from 'commander'
import type { Json } from '../core/json.ts'
import { CATALOG, type HubRecord } from '../core/model.ts'
import type { MergedKind } from '../core/survivorship.ts'
import type { Hub } from '../runtime/hub.ts'
import { mergesAfter, type ListedMerge } from '../runtime/merge/list.ts'
import { mergeRecords, type Carried, type MergeResult, type Refused } from '../runtime/merge/merge.ts'
import { unmergeRecord, type UnmergeResult } from '../runtime/merge/unmerge.ts'
import { mergeView, unmergeView } from '../runtime/merge/views.ts'
import { confirmed } from './connections.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { limit, positive, type Run } from './options.ts'
import { clip, iso, number, plural, shown, tame, when, type Output } from './output.ts'
import { kindCalled, recordCalled, recordToChange } from './which.ts'

type Options = { readonly dryRun?: boolean; readonly yes?: boolean; readonly mayMatchAgain?: boolean }

export const MERGED = ['contact', 'company'] as const

/** `merge` and `unmerge`, among what is done. */
export function mergeCommands(program: Command, run: Run): void {
  program
    .command('merge <kind> <survivor> <loser...>')
    .description(
      'make one of several contacts or companies: shows what wins, asks, does it; <survivor>: number, email, domain, name',
    )
    .option('--dry-run', 'only show what it would do')
    .option('--yes', 'do not ask')
    .action((kind: string, survivor: string, losers: string[], options: Options) =>
      run((c) => merge(c, kind, survivor, losers, options)),
    )
  program
    .command('unmerge <kind> <loser>')
    .description('give a merged record back what it was, with what was said in its place since')
    .option('--dry-run', 'only show what it would do')
    .option('--yes', 'do not ask')
    .option('--may-match-again', 'do not keep the two apart: a rule may merge them again')
    .action((kind: string, loser: string, options: Options) => run((c) => unmerge(c, kind, loser, options)))
}

/** `merges`, among what is looked at. */
export function mergesCommand(program: Command, run: Run): void {
  program
    .command('merges [kind] [which]')
    .description('what was merged, by whom and why, latest first')
    .option('--before <id>', 'go on where a page ended', positive)
    .addOption(limit(50))
    .action(
      (
        kind: string | undefined,
        which: string | undefined,
        options: { readonly before?: number; readonly limit: number },
      ) => run((c) => merges(c, kind, which, options)),
    )
}

async function merge(
  context: Context,
  said: string,
  survivorText: string,
  loserTexts: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const kind = kindCalled(said, MERGED)
  return withHub(context, async (hub) => {
    const { output } = context
    const survivor = (await recordToChange(hub, kind, survivorText)).id
    const losers: number[] = []
    for (const text of loserTexts) losers.push((await recordToChange(hub, kind, text)).id)
    const request = { kind, survivor, losers, by: context.actor, rule: `merged by ${context.actor}` }
    const planned = allowed(await mergeRecords(hub, { ...request, dryRun: true }))
    if (!output.json) tellMerge(output, planned, losers)
    if (options.dryRun === true) {
      if (output.json) output.value(mergeView(planned))
      else output.line('Nothing was changed (--dry-run).')
      return EXIT.ok
    }
    await confirmed(
      context,
      `Merge ${plural(losers.length, 'record')} into ${kind} ${survivor}?`,
      options.yes,
    )
    const done = allowed(await mergeRecords(hub, request))
    if (output.json) output.value(mergeView(done))
    else {
      output.line(`${kind} ${survivor} is one record now (run ${done.run ?? 0}).`)
      output.line(
        `The systems are told by the next pass (\`concord sync\`). Take it back with \`concord unmerge ${kind} ${losers[0] ?? 0}\`.`,
      )
    }
    return EXIT.ok
  })
}

async function unmerge(context: Context, said: string, text: string, options: Options): Promise<ExitCode> {
  const kind = kindCalled(said, MERGED)
  return withHub(context, async (hub) => {
    const { output } = context
    const loser = await loserCalled(hub, kind, text)
    const request = { kind, loser, by: context.actor, mayMatchAgain: options.mayMatchAgain === true }
    const planned = given(await unmergeRecord(hub, { ...request, dryRun: true }))
    if (!output.json) tellUnmerge(output, planned)
    if (options.dryRun === true) {
      if (output.json) output.value(unmergeView(planned))
      else output.line('Nothing was changed (--dry-run).')
      return EXIT.ok
    }
    await confirmed(context, `Take ${kind} ${loser} out of ${kind} ${planned.survivor.id}?`, options.yes)
    const done = given(await unmergeRecord(hub, request))
    if (output.json) output.value(unmergeView(done))
    else {
      output.line(`${kind} ${loser} is one by itself again (run ${done.run ?? 0}).`)
      output.line(
        options.mayMatchAgain === true
          ? 'A rule may merge the two again (--may-match-again).'
          : 'The two are kept apart from now on: no rule merges them, and nobody is asked about them.',
      )
      output.line('The systems are told by the next pass (`concord sync`).')
    }
    return EXIT.ok
  })
}

/** A merged record holds no address any more, so its number is what names it for certain. */
async function loserCalled(hub: Hub, kind: MergedKind, text: string): Promise<number> {
  return /^\d{1,15}$/.test(text.trim()) ? Number(text) : (await recordCalled(hub, kind, text)).id
}

async function merges(
  context: Context,
  said: string | undefined,
  which: string | undefined,
  options: { readonly before?: number; readonly limit: number },
): Promise<ExitCode> {
  const kind = said === undefined ? undefined : kindCalled(said, MERGED)
  return withHub(context, async (hub) => {
    const { output } = context
    const record =
      kind === undefined || which === undefined ? undefined : (await recordCalled(hub, kind, which)).id
    const { items, next } = await mergesAfter(hub, {
      ...options,
      ...(kind === undefined ? {} : { kind }),
      ...(record === undefined ? {} : { record }),
    })
    if (output.json) output.value({ items: items.map(listedJson), next })
    else if (items.length === 0) output.line('Nothing was merged.')
    else {
      output.table(
        ['Merge', 'When', 'Kind', 'Survivor', 'Loser', 'Why', 'By', 'State'],
        items.map(rowOf),
        [0, 3, 4],
      )
      if (next !== null) {
        const same = [said, which].flatMap((word) => (word === undefined ? [] : [` ${word}`])).join('')
        output.line(`More: \`concord merges${same} --before ${next}\`.`)
      }
    }
    return EXIT.ok
  })
}

const rowOf = (merge: ListedMerge): readonly string[] => [
  String(merge.id),
  when(merge.at),
  merge.kind,
  String(merge.survivor),
  String(merge.loser),
  clip(tame(merge.rule), 60),
  merge.by,
  merge.state === 'merged' ? 'merged' : `undone by ${merge.undoneBy ?? 'somebody'}`,
]

const listedJson = (merge: ListedMerge) => ({ ...merge, at: iso(merge.at), undoneAt: iso(merge.undoneAt) })

function allowed(result: MergeResult): Exclude<MergeResult, { kind: 'refused' }> {
  if (result.kind === 'refused') throw refusal(result)
  return result
}

function given(result: UnmergeResult): Exclude<UnmergeResult, { kind: 'refused' }> {
  if (result.kind === 'refused') throw refusal(result)
  return result
}

const refusal = ({ code, message }: Refused) =>
  code === 'conflict' ? failure(message, null) : badInput(message)

function tellMerge(
  output: Output,
  { survivor, fields, carried }: Exclude<MergeResult, { kind: 'refused' }>,
  losers: readonly number[],
): void {
  output.line(output.paint.bold(`${survivor.kind} ${survivor.id} with ${losers.join(', ')} in it:`))
  const label = (field: string) => CATALOG[survivor.kind][field]?.label ?? field
  const line = (value: Json) => clip(tame(shown(value)), 60)
  output.table(
    ['Field', 'Value', 'From', 'Why', 'Does not stand'],
    fields
      .filter(({ value, lost }) => value !== null || lost.length > 0)
      .map(({ field, value, from, rule, lost }) => [
        label(field),
        line(value),
        from.join(', '),
        rule,
        lost.map((one) => `${line(one.value)} (${one.id})`).join('; '),
      ]),
  )
  const consent = survivor.fields['emailConsent']
  if (survivor.kind === 'contact')
    output.line(`Marketing email: ${shown(consent ?? 'unknown')}, the strictest over all addresses.`)
  tellCarried(output, carried)
}

function tellUnmerge(
  output: Output,
  { survivor, restored, carried }: Exclude<UnmergeResult, { kind: 'refused' }>,
): void {
  const label = (field: string) => CATALOG[restored.kind][field]?.label ?? field
  const fields = Object.keys({ ...restored.fields, ...survivor.fields }).filter(
    (field) => textAt(restored, field) !== 'nothing' || textAt(survivor, field) !== 'nothing',
  )
  output.table(
    ['Field', `${restored.kind} ${restored.id}`, `${survivor.kind} ${survivor.id}`],
    fields.map((field) => [label(field), textAt(restored, field), textAt(survivor, field)]),
  )
  tellCarried(output, carried)
}

const textAt = (record: HubRecord, field: string): string =>
  clip(tame(shown(record.fields[field] ?? null)), 60)

const DOES = {
  agrees: 'is held in agreement',
  archived: 'is archived there',
  read: 'is only read',
  stays: 'stays archived there: restore it there, and the next pass links it again',
} as const

function tellCarried(output: Output, carried: readonly Carried[]): void {
  for (const one of carried) {
    if (one.kind === 'object')
      output.line(`  ${one.stream} ${tame(one.remoteId)} (of ${one.of}) ${DOES[one.does]}`)
    else if (one.kind === 'messages') output.line(`  ${plural(one.count, 'message')} move along`)
    else output.line(`  ${number(one.count)} × ${one.record}.${one.field} move along`)
  }
}
