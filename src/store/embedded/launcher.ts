import { spawn } from 'node:child_process'
import { chown, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'

/** How to run PostgreSQL's programs from this process: PostgreSQL refuses to run as root. */
export type Launcher = {
  /** Put before the program and its arguments. */
  readonly prefix: readonly string[]
  /** The kernel ends the program when this process dies, even by kill -9. */
  readonly diesWithParent: boolean
  /** The user whose files the programs must find, where it is not the one this process runs as. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
}

const NOBODY = 65534
const DIES = ['setpriv', '--pdeathsig', 'INT']
const AS_NOBODY_INSIDE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, ...DIES]
/** In a user namespace of its own this user is seen as nobody, and the files stay this user's. */
const INSIDE: Launcher = { prefix: AS_NOBODY_INSIDE, diesWithParent: true, owner: null }
const PLAIN: Launcher = { prefix: [], diesWithParent: false, owner: null }

/** Chooses for the folder `dir`, which must exist. Probing costs a few milliseconds. */
export async function chooseLauncher(dir: string): Promise<Launcher> {
  if (process.getuid?.() !== 0) {
    // initdb insists on a name for its user, and a container may run as a number without one.
    if (!hasName() && (await works(AS_NOBODY_INSIDE))) return INSIDE
    return (await works(DIES)) ? { ...PLAIN, prefix: DIES, diesWithParent: true } : PLAIN
  }
  const { uid, gid } = await stat(dir)
  if (uid === 0 && (await works(AS_NOBODY_INSIDE))) return INSIDE
  return asUser(uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid })
}

async function asUser(owner: { uid: number; gid: number }): Promise<Launcher> {
  const identity = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups']
  const prefix = ['setpriv', ...identity, '--pdeathsig', 'INT']
  if (await works(prefix)) return { prefix, diesWithParent: true, owner }
  return { prefix: [], diesWithParent: false, owner }
}

/** The program and arguments with the launcher's prefix. */
export function commandLine(launcher: Launcher, program: string, args: readonly string[]) {
  const [command = program, ...rest] = [...launcher.prefix, program, ...args]
  const switchesUser = launcher.prefix.length === 0 && launcher.owner !== null
  return { command, args: rest, options: switchesUser ? launcher.owner : {} }
}

/** Hands `files` to the user PostgreSQL will run as. */
export async function handOver(launcher: Launcher, files: readonly string[]): Promise<void> {
  const { owner } = launcher
  if (owner === null) return
  await Promise.all(files.map((file) => chown(file, owner.uid, owner.gid)))
}

function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

function works([command = 'true', ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = spawn(command, [...args, 'true'], { stdio: 'ignore' })
    probe.once('error', () => resolve(false))
    probe.once('exit', (code) => resolve(code === 0))
  })
}
