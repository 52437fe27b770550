import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { DemoWiring } from './wiring.ts'

/** Other processes of Concord that share the demo's database. */
export type Programs = {
  /** Runs a command to its end; its output as a person would see it. */
  run(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }>
  /** Starts a worker process. */
  worker(): Worker
  /** What to put before a command so that it finds the demo's hub. */
  readonly prefix: string
  close(): Promise<void>
}

export type Worker = {
  /** `kill -9`: nothing is cleaned up. */
  kill(): void
  /** Asks it to finish what it does and to end. */
  stop(): Promise<void>
  /** Resolves when it is gone, with what it said on stderr. */
  readonly ended: Promise<{
    readonly code: number | null
    readonly signal: string | null
    readonly said: string
  }>
}

/** A worker that does not stop within this time is killed. */
const STOP_MS = 10_000

export function openPrograms({ command, env }: DemoWiring, dir: string): Programs {
  const [program, ...first] = command
  const running = new Set<Worker>()
  // A database of the user's own must not get into this.
  const theirs: Record<string, string | undefined> = {
    ...env,
    CONCORD_DIR: dir,
    DATABASE_URL: undefined,
    CONCORD_SECRET_KEY: undefined,
  }
  const hidden = env['DATABASE_URL'] ? 'DATABASE_URL= ' : ''
  return {
    prefix: `${hidden}CONCORD_DIR=${dir} npm run -s concord --`,
    async run(...args) {
      const child = spawn(program, [...first, ...args], {
        env: { ...theirs, NO_COLOR: '1', LOG_LEVEL: 'silent' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [out, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      return { code: child.exitCode ?? -1, output: `${out}${said}` }
    },
    worker() {
      const child = spawn(program, [...first, 'worker'], {
        env: { ...theirs, LOG_LEVEL: 'error' },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const worker = workerOf(child)
      running.add(worker)
      void worker.ended.then(() => running.delete(worker))
      return worker
    },
    async close() {
      await Promise.all([...running].map((worker) => worker.stop()))
    },
  }
}

function workerOf(child: ChildProcess): Worker {
  const said = child.stderr === null ? Promise.resolve('') : text(child.stderr)
  const ended = new Promise<Awaited<Worker['ended']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      void said.then((words) => resolve({ code, signal, said: words }))
    })
  })
  // Whoever waits for it hears of it; nobody else needs to.
  ended.catch(() => undefined)
  return {
    kill: () => void child.kill('SIGKILL'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended.catch(() => undefined)
      clearTimeout(patience)
    },
    ended,
  }
}
