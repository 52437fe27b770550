import { rm } from 'node:fs/promises'
import postgres from 'postgres'
import { openEmbedded } from '../../src/store/embedded.ts'
import { migrate } from '../../src/store/migrate.ts'
import { scratchFolder } from '../support/scratch.ts'

/** A server with a migrated template, from which every seed gets a database of its own. */
export type Server = { readonly url: string; readonly template: string; close(): Promise<void> }

export async function openServer(): Promise<Server> {
  const dir = await scratchFolder()
  const { url, stop } = await openEmbedded({ dir, durable: false })
  const template = 'concord_template'
  // It would change plans, and with them the order of rows, in its own time.
  await onServer(url, 'alter system set autovacuum = off')
  await onServer(url, 'select pg_reload_conf()')
  await onServer(url, `create database ${template}`)
  await migrate(databaseUrl(url, template))
  const close = async () => {
    await stop()
    await rm(dir, { recursive: true, force: true })
  }
  return { url, template, close }
}

/** A database for one seed. */
export async function withDatabase<T>(
  { url, template }: Pick<Server, 'url' | 'template'>,
  name: string,
  use: (url: string) => Promise<T>,
): Promise<T> {
  await onServer(url, `create database ${name} template ${template} strategy file_copy`)
  try {
    return await use(databaseUrl(url, name))
  } finally {
    await onServer(url, `drop database if exists ${name} with (force)`)
  }
}

function databaseUrl(url: string, name: string): string {
  const own = new URL(url)
  own.pathname = name
  return own.href
}

async function onServer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end()
  }
}
