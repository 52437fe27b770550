import { boot } from '../runtime/boot.ts'
import { connectionsOf } from '../runtime/connect.ts'
import { keepRunning, type Running } from '../runtime/keep-running.ts'
import { bootOptions, type Context } from './context.ts'
import type { Served } from './wiring.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'

const HOST = '127.0.0.1'
const PORT = 8080
/** How long a short command that joined our embedded database may take to end before the database stops. */
const OTHERS_PATIENCE_MS = 5_000

/** Works until stopped: jobs, and with `http` the API, webhooks and health as well. */
export async function serve(
  context: Context,
  options: { readonly http: boolean; readonly host?: string; readonly port?: string },
): Promise<ExitCode> {
  const { wiring, output } = context
  const at = options.http ? addressOf(context, options) : null
  const booted = await boot(bootOptions(context, 'info'))
  const closers: (() => Promise<void>)[] = [
    () =>
      booted.close(OTHERS_PATIENCE_MS, () =>
        output.note('Waiting for another concord process to leave the database.'),
      ),
  ]
  try {
    let served: Served | null = null
    const running = await keepRunning(booted, (hub, version) => {
      served?.use(hub)
      if (!output.json)
        output.line(`Version ${version} of the configuration was applied, and is at work now.`)
    })
    closers.push(() => running.stop())
    served = at === null ? null : await opened(wiring, running, at, closers)
    const connections = (await connectionsOf(booted.hub)).map((c) => c.name)
    if (output.json)
      output.value({ url: served?.url ?? null, connections, configVersion: booted.configVersion })
    else {
      output.line(served === null ? 'Concord works off jobs.' : `Concord is up: ${served.url}`)
      output.line(
        connections.length === 0
          ? 'No connection yet: `concord connections add NAME`, in another terminal.'
          : `Keeping in agreement: ${connections.join(', ')}.`,
      )
      output.line('Ctrl-C stops it.')
    }
    await stopped(wiring.stopping)
    if (!output.json) output.line('Stopping: what runs is finished first.')
  } finally {
    // What was opened last closes first: no more calls come in, then no more jobs, then the database goes.
    for (const close of closers.toReversed()) await close()
  }
  if (!output.json) output.line('Stopped.')
  return EXIT.ok
}

async function opened(
  wiring: Context['wiring'],
  running: Running,
  at: { readonly host: string; readonly port: number },
  closers: (() => Promise<void>)[],
): Promise<Served> {
  const served = await wiring.serveHttp({ hub: running.hub() }, at)
  closers.push(() => served.close())
  // A version that was applied while the port was opened.
  served.use(running.hub())
  return served
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function addressOf(
  { wiring }: Context,
  options: { readonly host?: string; readonly port?: string },
): { readonly host: string; readonly port: number } {
  const host = options.host ?? wiring.env['HOST'] ?? HOST
  const text = options.port ?? wiring.env['PORT'] ?? String(PORT)
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw badInput(`The port is "${text}"`, 'Use a number up to 65535; 0 takes a free one.')
  return { host: host === '' ? HOST : host, port }
}
