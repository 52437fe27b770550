import { runChanges, runStory, type RunChange, type RunStory } from '../runtime/runs.ts'
import { changeView } from '../runtime/undo/views.ts'
import type { Hub } from '../runtime/hub.ts'
import { isObject, textOf } from '../core/json.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { writeLines, type Row } from './export-lines.ts'
import { describeKind } from '../runtime/inbox/kinds.ts'
import { clip, iso, number, plural, shown, tame, when } from './output.ts'
import { runNumber } from './undo.ts'
import { manyOf } from './which.ts'

/** Changes read at once: finding them takes a pass over all that the run wrote. */
const PAGE = 20_000
const WIDEST = 120

/** What one run changed, sent and held; all of it with `--out`. */
export async function showRun(
  context: Context,
  idText: string,
  options: { readonly out?: string },
): Promise<ExitCode> {
  const id = runNumber(idText)
  return withHub(context, async (hub) => {
    const { output } = context
    const story = await runStory(hub, id)
    if (story === null) throw badInput(`There is no run ${id}`, '`concord runs` lists them.')
    if (options.out !== undefined) await writeLines(options.out, rowsOf(hub, id, options.out))
    const { run, first, ...rest } = story
    if (output.json)
      output.value({
        ...run,
        startedAt: iso(run.startedAt),
        endedAt: iso(run.endedAt),
        ...rest,
        first: first.map(changeView),
      })
    else {
      for (const line of tellRun(story)) output.line(line)
      if (options.out !== undefined) output.line(`Everything it changed is in ${options.out}.`)
    }
    return EXIT.ok
  })
}

async function* rowsOf(hub: Hub, id: number, file: string): AsyncGenerator<Row> {
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<typeof runChanges>> = await runChanges(hub, id, after, PAGE)
    for (const change of page?.changes ?? [])
      if (file.endsWith('.csv')) yield* cellsOf(change)
      else yield changeView(change)
    after = page?.next ?? null
  }
}

/** One row a field. */
function cellsOf({ at, kind, recordId, op, source, changes }: RunChange): readonly Row[] {
  const row = (field: string, before: string, after: string, rule: string): Row => ({
    time: iso(at),
    kind,
    id: recordId,
    what: op,
    field,
    before,
    after,
    rule,
    source,
  })
  const fields = Object.entries(changes)
  if (fields.length === 0) return [row('', '', '', '')]
  return fields.map(([field, change]) =>
    op === 'create' || !isObject(change)
      ? row(field, '', shown(change), '')
      : row(field, shown(change['before']), shown(change['after']), textOf(change['rule'])),
  )
}

function tellRun({ run, changed, sent, causes, waiting, first }: RunStory): readonly string[] {
  const where = run.stream === null ? '' : ` of ${run.stream}`
  const ended = run.endedAt === null ? 'not ended' : `ended ${when(run.endedAt)}`
  const undone =
    run.undoneBy === null ? [] : [`Undone in run ${run.undoneBy} (\`concord runs show ${run.undoneBy}\`).`]
  const more = changed.reduce((sum, { count }) => sum + count, 0) - first.length
  return [
    `Run ${run.id}: ${run.kind}${where}, ${run.state}, begun ${when(run.startedAt)}, ${ended}${run.by === null ? '' : `, by ${run.by}`}.`,
    ...(run.undoes === null ? [] : [`It takes run ${run.undoes} back.`]),
    ...undone,
    ...(run.problem === null ? [] : [`Problem: ${run.problem}`]),
    changed.length === 0
      ? 'It changed no record.'
      : `Changed: ${changed.map((c) => `${plural(c.count, c.kind, manyOf(c.kind))} ${OPS[c.op]}`).join(', ')}.`,
    ...first.map((change) =>
      clip(`  ${change.kind} ${change.recordId} ${OPS[change.op]}: ${tame(fieldsOf(change))}`, WIDEST),
    ),
    ...(more > 0 ? [`  and ${number(more)} more (--out FILE.csv lists all)`] : []),
    ...(sent.length === 0
      ? []
      : [`Sent: ${sent.map((s) => `${number(s.count)} ${s.op} at ${s.stream} ${s.state}`).join(', ')}.`]),
    ...causes.map(
      (cause) =>
        `  for run ${cause.run} (${cause.kind}): ${plural(cause.records, 'record')} (\`concord undo ${cause.run}\` takes that back)`,
    ),
    ...waiting.map(
      (item) => `Held: ${describeKind(item.kind)}, ${item.title} (\`concord inbox show ${item.id}\`)`,
    ),
    ...(run.kind === 'push' || run.undoneBy !== null || run.state === 'running' || changed.length === 0
      ? []
      : [`\`concord undo ${run.id} --dry-run\` shows what taking it back would do.`]),
  ]
}

const OPS = {
  create: 'created',
  update: 'updated',
  archive: 'archived',
  restore: 'restored',
  keep: 'kept',
} as const

function fieldsOf({ op, changes }: RunChange): string {
  return Object.entries(changes)
    .map(([field, change]) =>
      op !== 'create' && isObject(change)
        ? `${field} "${shown(change['before'])}" → "${shown(change['after'])}"`
        : `${field} "${shown(change)}"`,
    )
    .join(', ')
}
