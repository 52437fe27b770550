import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject } from 'vitest'

export type TestDatabase = { readonly url: string; drop(): Promise<void> }

/**
 * A migrated database of one's own, on the run's server: call it in `beforeAll` or in a test, and `drop` it
 * after (it ends connections still open). Copying the template costs some tens of milliseconds.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const { url, template } = inject('testServer')
  const name = `concord_test_${randomBytes(6).toString('hex')}`
  await onServer(url, `create database ${name} template ${template} strategy file_copy`)
  const own = new URL(url)
  own.pathname = name
  return { url: own.href, drop: () => onServer(url, `drop database if exists ${name} with (force)`) }
}

async function onServer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end()
  }
}
