import { rm } from 'node:fs/promises'
import { openEmbedded } from '../../src/store/embedded.ts'
import { migrate } from '../../src/store/migrate.ts'
import { scratchFolder } from '../support/scratch.ts'
import { copyTemplate, databaseUrl, dropDatabase, onServer } from '../support/server.ts'

/** A server with a migrated template, from which every seed gets a database of its own. */
export type Server = { readonly url: string; readonly template: string; close(): Promise<void> }

export async function openServer(): Promise<Server> {
  const dir = await scratchFolder()
  const { url, stop } = await openEmbedded({ dir, durable: false })
  const template = 'concord_template'
  // It would change plans, and with them the order of rows, in its own time.
  await onServer(
    url,
    'alter system set autovacuum = off',
    'select pg_reload_conf()',
    `create database ${template}`,
  )
  await migrate(databaseUrl(url, template))
  const close = async () => {
    await stop()
    await rm(dir, { recursive: true, force: true })
  }
  return { url, template, close }
}

/** A database for one seed. */
export async function withDatabase<T>(
  server: Pick<Server, 'url' | 'template'>,
  name: string,
  use: (url: string) => Promise<T>,
): Promise<T> {
  await copyTemplate(server, name)
  try {
    return await use(databaseUrl(server.url, name))
  } finally {
    await dropDatabase(server.url, name)
  }
}
