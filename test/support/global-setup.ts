import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { openEmbedded } from '../../src/store/embedded.ts'
import { migrate } from '../../src/store/migrate.ts'
import { scratchFolder } from './scratch.ts'
import { databaseUrl, dropDatabase, onServer } from './server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    testServer: { url: string; template: string }
  }
}

/** One server for the whole run, with a migrated database that every test database is copied from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await openServer()
  const template = `concord_template_${process.pid}`
  await onServer(server.url, `drop database if exists ${template}`, `create database ${template}`)
  await migrate(databaseUrl(server.url, template))
  project.provide('testServer', { url: server.url, template })
  return async () => {
    await dropDatabase(server.url, template)
    await server.close()
  }
}

async function openServer(): Promise<{ url: string; close(): Promise<void> }> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined && given !== '') return { url: given, close: async () => undefined }
  const dir = await scratchFolder()
  const { url, stop } = await openEmbedded({ dir, durable: false })
  const close = async () => {
    await stop()
    await rm(dir, { recursive: true, force: true })
  }
  return { url, close }
}
