import { connectionsOf } from '../runtime/connect.ts'
import { previewSync, type Preview } from '../runtime/preview.ts'
import { chosen, withHub, type Context } from './context.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { itemJson, describeKind } from './inbox-words.ts'
import { clip, plural, quiet } from './output.ts'
import { openProgress } from './progress.ts'

const SAMPLES = 10

/** What a sync would do; nothing is written and nothing is sent. */
export async function plan(context: Context, names: readonly string[]): Promise<ExitCode> {
  const bars = openProgress(context.wiring.terminal)
  return withHub(
    context,
    async (hub) => {
      const added = (await connectionsOf(hub)).map((c) => c.name)
      const wanted = await chosen(hub, added, names)
      const preview = await previewSync(hub, wanted)
      const mail = hub.mails.map((one) => one.connection).filter((name) => wanted.includes(name))
      bars.stop()
      if (context.output.json) {
        const { lines, questions } = preview
        context.output.value({ streams: lines, questions: questions.map(itemJson) })
      } else show(context, preview, mail)
      const waits = preview.questions.length > 0 || preview.lines.some((line) => line.held)
      return waits ? EXIT.waiting : EXIT.ok
    },
    bars.show,
  ).finally(bars.stop)
}

function show({ output }: Context, { lines, questions }: Preview, mail: readonly string[]): void {
  const { paint } = output
  output.line('What a sync would do now. Nothing was written, nothing was sent.')
  output.line()
  output.table(
    ['', '', 'in the hub:', '', '', '', 'at the remote:', '', '', ''],
    [
      ['stream', 'read', 'create', 'link', 'update', 'archive', 'create', 'update', 'consent', 'archive'].map(
        (c) => paint.bold(c),
      ),
      ...lines.map((line) => [
        line.held ? `${line.stream} (held)` : line.stream,
        quiet(line.read),
        ...[line.hub.create, line.hub.link, line.hub.update, line.hub.archive].map(quiet),
        ...[line.remote.create, line.remote.update, line.remote.consent, line.remote.archive].map(quiet),
      ]),
    ],
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  if (mail.length > 0) {
    output.line()
    output.line(`Mail of ${mail.join(', ')} is not in here: only a sync reads it.`)
  }
  const conflicts = lines.reduce((sum, line) => sum + line.conflicts, 0)
  const unreadable = lines.reduce((sum, line) => sum + line.unreadable, 0)
  output.line()
  if (conflicts + unreadable === 0 && questions.length === 0) {
    output.line('No conflicts, nothing unreadable, no questions.')
    return
  }
  output.line(`${plural(conflicts, 'conflict')}, ${plural(unreadable, 'unreadable value')}.`)
  if (questions.length > 0)
    output.line(`${plural(questions.length, 'question')} it would put into the inbox:`)
  for (const item of questions.slice(0, SAMPLES)) {
    output.line(`  ${paint.yellow(describeKind(item.kind))}  ${clip(item.title, 160)}`)
  }
  if (questions.length > SAMPLES) output.line(`  … and ${questions.length - SAMPLES} more (--json shows all)`)
}
