import { planUndo, type UndoPlan } from '../runtime/undo/plan.ts'
import type { UndoLine } from '../runtime/undo/line.ts'
import { undoRun } from '../runtime/undo/undo.ts'
import type { Refused } from '../runtime/undo/undoable.ts'
import { undoLineView, undoPlanView } from '../runtime/undo/views.ts'
import type { Hub } from '../runtime/hub.ts'
import { confirmed } from './connections.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { writeLines, type Row } from './export-lines.ts'
import { clip, number, plural, shown, tame, when } from './output.ts'

export type UndoOptions = { readonly out?: string; readonly yes?: boolean; readonly dryRun?: boolean }

/** Shows what taking a run back would do and leave, asks, and does it. */
export async function undo(context: Context, idText: string, options: UndoOptions): Promise<ExitCode> {
  const id = runNumber(idText)
  return withHub(context, async (hub) => {
    const { output } = context
    const plan = await planned(context, hub, id, options.out)
    if (!output.json) for (const line of tellPlan(plan)) output.line(line)
    if (!output.json && options.out !== undefined) output.line(`The full list is in ${options.out}.`)
    if (options.dryRun === true) {
      if (output.json) output.value(undoPlanView(plan))
      else output.line('Nothing was changed (--dry-run).')
      return EXIT.ok
    }
    if (isNothing(plan)) {
      if (output.json) output.value({ plan: undoPlanView(plan), run: null, counts: {} })
      else output.line('There is nothing to take back.')
      return EXIT.ok
    }
    await confirmed(context, `Undo run ${id}?`, options.yes)
    const result = await undoRun(hub, id, context.actor, (done) =>
      output.note(`${number(done)} records done`),
    )
    if (result.kind === 'refused') throw refusal(result)
    const { run, counts } = result
    if (output.json) output.value({ plan: undoPlanView(plan), run, counts })
    else {
      const told = Object.entries(counts).map(([name, count]) => `${number(count)} ${WORDS[name] ?? name}`)
      output.line(`Run ${id} is undone in run ${run}: ${told.length === 0 ? 'nothing' : told.join(', ')}.`)
      output.line(
        `The systems are told by the next pass (\`concord sync\`); what one refuses comes to \`concord inbox\`. \`concord undo ${run}\` takes the undo back.`,
      )
    }
    return EXIT.ok
  })
}

const WORDS: Readonly<Record<string, string>> = {
  optedOut: 'opted out',
  merges: 'merges taken back',
  mergesLeft: 'merges left as they are',
}

export function runNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw badInput(`"${text}" is no run`, '`concord runs` shows their numbers.')
  return Number(text)
}

const refusal = ({ code, message }: Refused) => {
  const [what = message, fix = null] = message.split(' Fix: ')
  return code === 'conflict' ? failure(what, fix) : badInput(what, fix)
}

const isNothing = ({ counts, merges, optOuts }: UndoPlan): boolean =>
  counts.archive + counts.restore + counts.update + merges.length + optOuts === 0

async function planned(context: Context, hub: Hub, id: number, out: string | undefined): Promise<UndoPlan> {
  const result = await planUndo(
    hub,
    id,
    context.actor,
    out === undefined ? undefined : (lines) => writeLines(out, rowsOf(lines, out)),
  )
  if (result.kind === 'refused') throw refusal(result)
  return result.plan
}

async function* rowsOf(lines: AsyncIterable<UndoLine>, file: string): AsyncGenerator<Row> {
  for await (const line of lines) yield file.endsWith('.csv') ? cellsOf(line) : undoLineView(line)
}

const cellsOf = ({ kind, id, title, op, fields, spared, remotes }: UndoLine): Row => ({
  kind,
  id,
  record: title,
  what: op === 'none' ? '' : op,
  fields: fields.map(({ field, from, to }) => `${field}: ${shown(from)} → ${shown(to)}`).join('; '),
  'not undone': spared
    .map(({ field, why, by, at }) => {
      const who = by === null ? '' : ` by ${by}${at === null ? '' : `, ${when(at)}`}`
      return `${field === null ? '' : `${field}: `}${why}${who}`
    })
    .join('; '),
  systems: remotes.map(({ stream, what, why }) => `${stream}: ${why ?? what}`).join('; '),
})

const REASONS: Readonly<Record<UndoPlan['spared'][number]['reason'], string>> = {
  changed: 'changed since',
  confirmed: 'said by another source too by now',
  key: 'with an address that another record has by now',
  merged: 'merged into another record',
  needed: 'needed by others by now',
  owned: 'owned by a system that would say it again',
  message: 'about logged messages',
  invoice: 'of invoices',
  consent: 'with a stricter consent, which stays',
  erased: 'erased',
}
const WIDEST = 110

function tellPlan(plan: UndoPlan): readonly string[] {
  const { run, counts, merges, moreMerges, remotes, spared, samples, optOuts, keptOptOuts, begun } = plan
  const where = run.stream === null ? '' : ` of ${run.stream}`
  const by = run.by === null ? '' : ` by ${run.by}`
  const records = (count: number) => plural(count, 'record')
  const moreRecords = counts.archive + counts.restore + counts.update - samples.length
  return [
    `Run ${run.id} (${run.kind}${where}${by}, ${when(run.startedAt)}).${begun === null ? '' : ` Its undo was begun in run ${begun} and goes on.`}`,
    `In the hub: ${records(counts.archive)} archived, ${counts.restore} restored, ${counts.update} set back in ${plural(counts.fields, 'field')}.`,
    ...samples.map(
      (line) => `  ${line.op} ${line.kind} ${line.id} ${clip(tame(line.title), 50)}${tellFields(line)}`,
    ),
    ...(moreRecords > 0 ? [`  and ${number(moreRecords)} more (--out FILE.csv lists all)`] : []),
    ...merges.map(
      (merge) =>
        `  ${merge.what} ${merge.kind} ${merge.loser} ${merge.what === 'merge' ? 'into' : 'from'} ${merge.survivor}${merge.refused === null ? '' : `: not possible, ${merge.refused}`}`,
    ),
    ...(moreMerges === 0 ? [] : [`  and ${number(moreMerges)} more merges and unmerges`]),
    ...remotes.flatMap(({ stream, counts: mine, stays }) => [
      ...(Object.keys(mine).some((what) => what !== 'stays')
        ? [
            `At ${stream}: ${Object.entries(mine)
              .filter(([what]) => what !== 'stays')
              .map(([what, count]) => `${number(count)} ${what}`)
              .join(', ')}.`,
          ]
        : []),
      ...stays.map(({ why, count }) => `At ${stream}, nothing is sent for ${records(count)}: ${why}.`),
    ]),
    ...(optOuts === 0
      ? []
      : [
          `${plural(optOuts, 'person', 'people')} whom only this run opted in: opted out until they opt in themselves.`,
        ]),
    ...(keptOptOuts === 0
      ? []
      : [`${plural(keptOptOuts, 'opt-out')} that it brought: stay. An undo never opts anybody in.`]),
    ...(spared.length === 0 ? [] : ['Not undone:']),
    ...spared.flatMap(({ reason, count, samples: some }) => [
      `  ${number(count)} ${REASONS[reason]}`,
      ...some.map((one) =>
        clip(`    ${one.kind} ${one.id} ${tame(one.title)}: ${tame(one.why)}`, WIDEST + 40),
      ),
      ...(count > some.length
        ? [`    and ${number(count - some.length)} more (--out FILE.csv lists all)`]
        : []),
    ]),
  ]
}

function tellFields({ fields }: UndoLine): string {
  if (fields.length === 0) return ''
  const told = fields.map(({ field, from, to }) => `${field} "${shown(from)}" → "${shown(to)}"`).join(', ')
  return `: ${clip(tame(told), WIDEST)}`
}
