import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import iconv from 'iconv-lite'
import { onTestFinished } from 'vitest'
import type { JsonObject } from '../../src/core/json.ts'
import { csv } from '../../src/connectors/csv/index.ts'
import {
  type BadRow,
  type CreateWrite,
  type Cursor,
  failureOf,
  type Io,
  type Observation,
  type Outcome,
  type Page,
  type Push,
  type Resource,
  type Write,
} from '../../src/connectors/connector.ts'

/** Noon; files are made an hour before. */
export const NOON = Date.UTC(2026, 10, 1, 12)

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'concord-csv-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export type Written = { encoding?: string; bom?: boolean; minutesAgo?: number }

export async function put(folder: string, name: string, text: string | Buffer, how: Written = {}) {
  const { encoding = 'utf-8', bom = false, minutesAgo = 60 } = how
  const bytes = typeof text === 'string' ? iconv.encode(text, encoding, { addBOM: bom }) : text
  await writeFile(path.join(folder, name), bytes)
  await touch(folder, name, minutesAgo)
}

export async function touch(folder: string, name: string, minutesAgo: number) {
  const at = new Date(NOON - minutesAgo * 60_000)
  await utimes(path.join(folder, name), at, at)
}

export function ioFor(settings: JsonObject, now = NOON): Io {
  const io: Io = {
    fetch: () => Promise.reject(new Error('no network')),
    now: () => now,
    secrets: {},
    settings,
    as: () => io,
    token: () => Promise.reject(new Error('no token')),
  }
  return io
}

export function resource(name: string): Resource {
  const found = csv.resources[name]
  if (found === undefined) throw new Error(`no resource ${name}`)
  return found
}

export function pushOf(name: string): Push {
  const { push } = resource(name)
  if (push === undefined) throw new Error(`${name} has no push`)
  return push
}

export type Pass = {
  observations: Observation[]
  bad: BadRow[]
  cursor: Cursor
  listed: boolean
  pages: number
}

/** Pulls until nothing more waits, with every cursor through JSON, and starts over where the connector asks for it. */
export async function readAll(
  pull: (from: Cursor | null) => Promise<Page>,
  from: Cursor | null = null,
): Promise<Pass> {
  const pass: Pass = { observations: [], bad: [], cursor: {}, listed: false, pages: 0 }
  for (let at = from; ; ) {
    const page = await pull(at).catch((error) => {
      if (failureOf(error)?.kind !== 'cursor-expired') throw error
      return null
    })
    if (page === null) {
      Object.assign(pass, { observations: [], bad: [], listed: false })
      at = null
      continue
    }
    pass.observations.push(...page.observations)
    pass.bad.push(...page.bad)
    pass.cursor = JSON.parse(JSON.stringify(page.cursor))
    pass.listed = page.listed === 'everything'
    pass.pages++
    if (!page.more) return pass
    at = pass.cursor
  }
}

export function importAll(settings: JsonObject, name = 'contacts', from: Cursor | null = null, now = NOON) {
  return readAll((at) => resource(name).pull(ioFor(settings, now), at), from)
}

export function bodies(pass: { observations: readonly Observation[] }): JsonObject[] {
  return pass.observations.flatMap((seen) => (seen.kind === 'present' ? [seen.body] : []))
}

export function ids(pass: { observations: readonly Observation[] }): string[] {
  return pass.observations.map(({ id }) => id)
}

export function create(recordId: number, body: JsonObject): CreateWrite {
  return { op: 'create', key: `key-${recordId}`, recordId, body, consent: 'unknown' }
}

/** A folder of exports and one the hub writes to, with the contacts in them. */
export async function world() {
  const root = await makeFolder()
  const settings = { folder: path.join(root, 'in'), out: path.join(root, 'out') }
  await mkdir(settings.folder)
  const io = ioFor(settings)
  return {
    settings,
    io,
    send: (...writes: Write[]) => pushOf('contacts').send(io, writes),
    find: (...creates: CreateWrite[]) => pushOf('contacts').find(io, creates),
    fetch: (...ids: string[]) => resource('contacts').fetch(io, ids),
    text: () => readFile(path.join(settings.out, 'contacts.csv'), 'utf8'),
  }
}

export function observed(outcome: Outcome | undefined) {
  if (outcome?.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(outcome)}`)
  return outcome.observation
}
