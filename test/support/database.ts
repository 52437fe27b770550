import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { copyTemplate, databaseUrl, dropDatabase } from './server.ts'

export type TestDatabase = { readonly url: string; drop(): Promise<void> }

/**
 * A migrated database of one's own, on the run's server: call it in `beforeAll` or in a test, and `drop` it
 * after (it ends connections still open). Copying the template costs some tens of milliseconds.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const server = inject('testServer')
  const name = `concord_test_${randomBytes(6).toString('hex')}`
  await copyTemplate(server, name)
  return { url: databaseUrl(server.url, name), drop: () => dropDatabase(server.url, name) }
}
