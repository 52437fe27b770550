import type { Command } from 'commander'
import { ATTRIBUTE_NAMES, ATTRIBUTES } from '../core/match/attributes.ts'
import type { MatchedKind } from '../core/duplicates.ts'
import { currentModel, type CurrentModel } from '../runtime/matching/model.ts'
import { rescan } from '../runtime/matching/list.ts'
import { train, type Trained } from '../runtime/matching/train.ts'
import { matchWaiting } from '../runtime/matching/step.ts'
import { withHub, type Context } from './context.ts'
import { MATCHED } from './duplicates.ts'
import { EXIT, type ExitCode } from './exit.ts'
import type { Run } from './options.ts'
import { iso, number, plural, when } from './output.ts'
import { kindCalled, manyOf } from './which.ts'

export function identityCommands(program: Command, run: Run): void {
  const identity = program.command('identity').description('how contacts and companies are told apart')
  identity
    .command('show [kind]')
    .description('what each agreement weighs: as shipped, or as learned from the records of this hub')
    .action((kind?: string) => run((c) => showModel(c, kind)))
  identity
    .command('train [kind]')
    .description(
      'learn the weights from the records of this hub now; a hub with many learns by itself every week',
    )
    .action((kind?: string) => run((c) => trainNow(c, kind)))
  identity
    .command('rescan [kind]')
    .description('compare all contacts and companies anew')
    .action((kind?: string) => run((c) => rescanNow(c, kind)))
}

const kindsOf = (said: string | undefined): readonly MatchedKind[] =>
  said === undefined ? MATCHED : [kindCalled(said, MATCHED)]

async function showModel(context: Context, said?: string): Promise<ExitCode> {
  const kinds = kindsOf(said)
  return withHub(context, async (hub) => {
    const models = await Promise.all(kinds.map((kind) => currentModel(hub, kind)))
    const { output } = context
    if (output.json) output.value(models.map((model) => ({ ...model, trainedAt: iso(model.trainedAt) })))
    else for (const [i, model] of models.entries()) tellModel(context, model, i > 0)
    return EXIT.ok
  })
}

/** A bit of weight doubles the odds. */
const bits = (share: number): string => (share >= 0 ? `+${share.toFixed(1)}` : share.toFixed(1))

function tellModel({ output }: Context, current: CurrentModel, apart: boolean): void {
  const { kind, model, trainedAt, records } = current
  if (apart) output.line()
  const learned = model.learned
  output.line(
    learned === null || trainedAt === null
      ? `${manyOf(kind)}: shipped weights, for ${plural(records, 'record')}. \`concord identity train ${manyOf(kind)}\` learns them.`
      : `${manyOf(kind)}: learned ${when(trainedAt)} from ${plural(learned.pairs, 'pair')} of ${plural(learned.records, 'record')}`,
  )
  output.line(
    `Two at random are one with the odds of 1 to ${number(Math.round(1 / model.prior))}, a weight of ${bits(Math.log2(model.prior))}. What agrees or differs adds:`,
  )
  const rows = ATTRIBUTE_NAMES.filter((name) => concerns(kind, name)).flatMap((name) =>
    ATTRIBUTES[name].levels.map((level, at) => {
      const [m = 0, u = 0] = [model.m[name][at], model.u[name][at]]
      const within = name.endsWith('Within') ? ' (where what is around it agrees)' : ''
      return [
        at === 0 ? `${ATTRIBUTES[name].label}${within}` : '',
        level,
        share(m),
        share(u),
        bits(Math.log2(Math.max(m, 1e-9) / Math.max(u, 1e-9))),
      ]
    }),
  )
  output.table(['', 'agrees', 'of the same', 'of strangers', 'weight'], rows, [2, 3, 4])
}

const share = (part: number): string =>
  part >= 0.1 ? `${(100 * part).toFixed(0)}%` : `${(100 * part).toPrecision(2)}%`
const PERSONAL: readonly string[] = ['given', 'family', 'nameOrder', 'birth', 'title']
const concerns = (kind: MatchedKind, name: string): boolean => kind === 'contact' || !PERSONAL.includes(name)

async function trainNow(context: Context, said?: string): Promise<ExitCode> {
  const kinds = kindsOf(said)
  return withHub(context, async (hub) => {
    const done: { readonly kind: MatchedKind; readonly trained: Trained }[] = []
    for (const kind of kinds) done.push({ kind, trained: await train(hub, kind) })
    const { output } = context
    if (output.json)
      output.value(
        done.map(({ kind, trained }) => ({ kind, result: trained.kind, records: trained.records })),
      )
    else
      for (const { kind, trained } of done)
        output.line(
          trained.kind === 'trained'
            ? `${manyOf(kind)}: learned from ${plural(trained.records, 'record')}. \`concord identity show ${manyOf(kind)}\` shows it; \`concord identity rescan ${manyOf(kind)}\` compares all by it.`
            : `${manyOf(kind)}: ${plural(trained.records, 'record')} teach too little (${number(trained.needed)} are needed, and pairs that share something). The weights stay as they are.`,
        )
    return EXIT.ok
  })
}

async function rescanNow(context: Context, said?: string): Promise<ExitCode> {
  const kinds = kindsOf(said)
  return withHub(context, async (hub) => {
    const counts = []
    for (const kind of kinds) counts.push({ kind, records: await rescan(hub, kind) })
    await matchWaiting(hub)
    const { output } = context
    if (output.json) output.value(counts)
    else
      for (const { kind, records } of counts)
        output.line(`${number(records)} ${manyOf(kind)} compared: \`concord duplicates ${manyOf(kind)}\``)
    return EXIT.ok
  })
}
