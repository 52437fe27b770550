import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { openEmbedded } from '../../src/store/embedded.ts'
import { migrate } from '../../src/store/migrate.ts'

export type BenchServer = {
  /** A migrated database of its own. */
  database(): Promise<string>
  drop(url: string): Promise<void>
  /** Writes out what earlier work left dirty, so that it is not paid for by the next measurement. */
  settle(): Promise<void>
  readonly version: string
  readonly scratch: string
  close(): Promise<void>
}

/** `DATABASE_URL`, or an embedded server with the settings a hub has: durable, on disk, thrown away afterwards. */
export async function openServer(): Promise<BenchServer> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'concord-bench-'))
  const given = process.env['DATABASE_URL']
  const server =
    given === undefined || given === ''
      ? await openEmbedded({ dir: path.join(scratch, 'postgres') })
      : { url: given, stop: async () => undefined }
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  const [row] = await sql<{ server_version: string }[]>`show server_version`
  return {
    scratch,
    version: row?.server_version ?? '?',
    async database() {
      const name = `concord_bench_${randomBytes(6).toString('hex')}`
      await sql.unsafe(`create database ${name}`)
      const url = new URL(server.url)
      url.pathname = name
      await migrate(url.href)
      return url.href
    },
    async drop(url) {
      await sql.unsafe(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`)
    },
    async settle() {
      await sql`checkpoint`
    },
    async close() {
      await sql.end()
      await server.stop()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}
