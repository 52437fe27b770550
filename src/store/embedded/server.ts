import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, rename, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import type { Cluster } from './cluster.ts'
import { commandLine, type Launcher } from './launcher.ts'
import { sight } from './postmaster.ts'
import { serverArguments } from './settings.ts'

export type Server = { readonly port: number; readonly stop: () => Promise<void> }

type Starting = { cluster: Cluster; binaries: Binaries; launcher: Launcher; port: number; durable: boolean }

const POLL_MS = 10
const LOG_KEPT_BYTES = 8 * 1024 * 1024
/** PostgreSQL's shutdown modes, from gentle to rude: https://www.postgresql.org/docs/18/server-shutdown.html */
const STOP_STEPS = [
  { signal: 'SIGINT', patienceMs: 20_000 },
  { signal: 'SIGQUIT', patienceMs: 5_000 },
  { signal: 'SIGKILL', patienceMs: 5_000 },
] as const

/** Starts a server and waits until it accepts; null when it gave up (another one holds the data, or worse). */
export async function startServer(starting: Starting): Promise<Server | null> {
  const { cluster, binaries, launcher, port, durable } = starting
  const args = serverArguments(cluster.pgdata, port, durable)
  const line = commandLine(launcher, binaries.postgres, args)
  const logFile = await openLog(logPath(cluster))
  // Its own process group, so that Ctrl-C reaches the owner alone, which then stops it in good order.
  // Its output goes to a file: a pipe would break when the owner dies, and would hold the event loop.
  const child = spawn(line.command, line.args, {
    ...line.options,
    detached: true,
    stdio: ['ignore', logFile.fd, logFile.fd],
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
  })
  child.unref()
  child.once('error', () => undefined)
  await logFile.close()
  if (!(await becomesReady(child, cluster.pgdata))) return null

  const guard = launcher.diesWithParent ? null : watchOver(child)
  let stopping: Promise<void> | null = null
  return {
    port,
    stop: () => {
      stopping ??= stop(child).finally(() => guard?.kill('SIGKILL'))
      return stopping
    },
  }
}

/** PostgreSQL's own log, beside the data. */
export function logPath(cluster: Cluster): string {
  return path.join(cluster.home, 'server.log')
}

/** Crash recovery may take minutes, so this waits for as long as the process lives. */
async function becomesReady(child: ChildProcess, pgdata: string): Promise<boolean> {
  while (!hasEnded(child)) {
    const seen = await sight(pgdata)
    if (seen.kind === 'ready' && seen.pid === child.pid) return true
    await sleep(POLL_MS)
  }
  return false
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function stop(child: ChildProcess): Promise<void> {
  for (const { signal, patienceMs } of STOP_STEPS) {
    if (hasEnded(child)) return
    child.ref()
    const ended = once(child, 'exit')
    child.kill(signal)
    const patience = new AbortController()
    await Promise.race([
      ended,
      sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ])
    patience.abort()
  }
}

/** Where the kernel offers no death signal: a shell whose input ends when this process does. */
function watchOver(child: ChildProcess): ChildProcess {
  const script = 'cat >/dev/null; kill -INT "$0"'
  const guard = spawn('/bin/sh', ['-c', script, String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  guard.once('error', () => undefined)
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return guard
}

async function openLog(file: string) {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_KEPT_BYTES) await rename(file, `${file}.1`)
  return await open(file, 'a', 0o600)
}
