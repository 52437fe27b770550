import { access, constants, mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { JsonObject } from '../core/json.ts'
import { addConnection, connectionsOf, plugOf } from '../runtime/connect.ts'
import type { Hub } from '../runtime/hub.ts'
import { pairsFoundSince } from '../runtime/matching/list.ts'
import { IMPORTABLE, placeExport, unreadableOf, type Importable } from '../runtime/import-file.ts'
import { environmentOf, withHub, type Context } from './context.ts'
import { FOUND_SHOWN } from './duplicates.ts'
import { badInput, failure, type ExitCode } from './exit.ts'
import { clip, number, plural } from './output.ts'
import { openProgress } from './progress.ts'
import { syncNow, tell } from './sync.ts'

const BAD_SHOWN = 10

/** As seen from here, where that is shorter. */
const nearPath = (file: string): string => {
  const relative = path.relative('', file)
  return relative.length < file.length && !relative.startsWith('..') ? relative : file
}

/** Takes a CSV file in, through the csv connection's folder. */
export async function importFile(
  context: Context,
  file: string,
  options: { readonly as: string; readonly connection: string },
): Promise<ExitCode> {
  const as = IMPORTABLE.find((kind) => kind === options.as)
  if (as === undefined) throw badInput(`--as is "${options.as}"`, `Use one of ${IMPORTABLE.join(', ')}.`)
  await access(file, constants.R_OK)
  const bars = openProgress(context.wiring.terminal)
  return withHub(
    context,
    async (hub) => {
      const { output, wiring } = context
      const plug = plugOf(hub, wiring.connectors, options.connection)
      if (plug === undefined || plug.connectorId !== 'csv') {
        const csv = hub.configuration.connections.filter((c) => c.connector === 'csv').map((c) => c.name)
        throw badInput(
          `${options.connection} is no csv connection of the configuration`,
          csv.length === 0 ? 'Add one to the configuration first.' : `Use --connection ${csv.join(' or ')}.`,
        )
      }
      const label = `${plug.name}/${as}`
      const stream = hub.targets.find((t) => t.label === label)
      if (stream === undefined)
        throw badInput(
          `${plug.name} has no stream of ${as}`,
          `Add \`${as}:\` to its streams in the configuration.`,
        )
      await ensureConnection(context, hub, plug.name)
      const placed = await placeExport(hub, plug, file, as)
      if (!output.json)
        output.line(`${path.basename(file)} is now the newest export of ${as}: ${nearPath(placed.file)}`)
      const startedAt = hub.clock.now()
      const lines = await syncNow(hub, [plug.name], false)
      bars.stop()
      const code = tell(context, lines, await pairsFoundSince(hub, startedAt, FOUND_SHOWN))
      await tellUnreadable(context, hub, label, as)
      if (!output.json && (await connectionsOf(hub)).length > 1)
        output.line(
          'The other systems get what is new at their next sync: `concord sync`, or by itself while `concord start` runs.',
        )
      return code
    },
    bars.show,
  ).finally(bars.stop)
}

/** The first import makes the connection, with its folders beside the data. */
async function ensureConnection(context: Context, hub: Hub, name: string): Promise<void> {
  if ((await connectionsOf(hub)).some((c) => c.name === name)) return
  const plug = plugOf(hub, context.wiring.connectors, name)
  if (plug === undefined) return
  const folder = path.resolve(environmentOf(context.wiring).dir, 'exports')
  const settings: JsonObject = { folder, out: path.join(folder, 'out') }
  await mkdir(path.join(folder, 'out'), { recursive: true })
  const added = await addConnection(hub, plug, { secrets: {}, settings })
  if (added.kind !== 'added') {
    throw failure(added.kind === 'refused' ? added.message : `${name} is another folder now`)
  }
  context.output.note(`The connection ${name} was made, with its exports in ${nearPath(folder)}.`)
}

async function tellUnreadable({ output }: Context, hub: Hub, label: string, as: Importable): Promise<void> {
  if (output.json) return
  const { count, samples } = await unreadableOf(hub, label, BAD_SHOWN)
  if (count === 0) return
  output.line()
  output.line(
    `${plural(count, 'row or value', 'rows or values')} of ${as} could not be read; all others went in:`,
  )
  for (const { place, problem } of samples) output.line(`  ${place}: ${clip(problem, 160)}`)
  if (count > samples.length) output.line(`  … and ${number(count - samples.length)} more`)
}
