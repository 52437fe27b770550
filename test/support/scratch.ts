import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isAlive } from '../../src/store/embedded/postmaster.ts'

const MEMORY = '/dev/shm'
const MEMORY_NEEDED_BYTES = 2 * 1024 ** 3

/**
 * A new folder for a throw-away database: in memory where there is plenty (a test database is then copied in
 * some 10 ms instead of some 200), else among the temporary files. The caller removes it.
 */
export async function scratchFolder(): Promise<string> {
  const base = (await hasRoomInMemory()) ? MEMORY : tmpdir()
  await removeAbandoned(base)
  return await mkdtemp(path.join(base, `concord-test-${process.pid}-`))
}

async function hasRoomInMemory(): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(MEMORY)
    return bavail * bsize > MEMORY_NEEDED_BYTES
  } catch {
    return false
  }
}

/** What runs killed half-way have left behind. */
async function removeAbandoned(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const maker = /^concord-test-(\d+)-/.exec(name)?.[1]
    if (maker === undefined || isAlive(Number(maker))) continue
    await rm(path.join(base, name), { recursive: true, force: true })
  }
}
