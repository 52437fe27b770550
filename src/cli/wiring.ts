import type { Logger } from 'pino'
import type { Booted, BootOptions } from '../runtime/boot.ts'
import type { Hub } from '../runtime/hub.ts'
import type { Clock } from '../runtime/clock.ts'

/** Where a command reads and writes. Injected, so that tests run commands in their own process. */
export type Terminal = {
  readonly out: NodeJS.WritableStream
  readonly err: NodeJS.WritableStream
  /** A person sits in front of `err` and can see progress; colours as well unless NO_COLOR says otherwise. */
  readonly interactive: boolean
  readonly colour: boolean
  readonly columns: number
  /** Asks for a line; `hidden` shows nothing of it. Null where nobody can be asked. */
  readonly ask: ((question: string, hidden: boolean) => Promise<string>) | null
}

export type Served = { readonly url: string; use(hub: Hub): void; close(): Promise<void> }
export type DemoOptions = {
  readonly contacts: number
  readonly once: boolean
  readonly port: number
  readonly seed: number
}

/** Everything the command needs of the world; `main.ts` puts it together. */
export type Wiring = {
  readonly version: string
  readonly connectors: BootOptions['connectors']
  /** The folder with the configuration that ships. */
  readonly shipped: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly terminal: Terminal
  /** Aborts when the process is asked to stop; what runs is finished. */
  readonly stopping: AbortSignal
  makeLog(level: string): Logger
  serveHttp(
    booted: Pick<Booted, 'hub'>,
    at: { readonly host: string; readonly port: number },
  ): Promise<Served>
  /** Plays the demo; resolves to the exit code. */
  runDemo(options: DemoOptions): Promise<number>
  /** Stand-ins for tests. */
  readonly transport?: typeof fetch
  readonly clock?: Clock
}
