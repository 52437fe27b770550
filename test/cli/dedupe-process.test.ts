import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { stringify } from 'csv-stringify/sync'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { seeded } from '../../src/sandbox/seeded.ts'
import { madePeople, PEOPLE_COLUMNS } from '../bench/identity/made-people.ts'
import { ROOT } from './wired.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'concord-dedupe-process-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

it('leaves no file behind after Ctrl-C, and exits with 130', async () => {
  const rows = [...madePeople(20_000, 20, seeded(3))].map((row) =>
    PEOPLE_COLUMNS.map((column) => row[column]),
  )
  await writeFile(path.join(dir, 'in.csv'), stringify([[...PEOPLE_COLUMNS], ...rows]))
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(
    process.execPath,
    [path.join(ROOT, 'src', 'main.ts'), 'dedupe', 'in.csv', '--out', 'out.csv', '--pairs', 'pairs.csv'],
    {
      cwd: dir,
      env: { ...env, CONCORD_DIR: path.join(dir, 'hub'), LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const said = text(child.stderr)
  const ended = once(child, 'close')
  await vi.waitFor(
    async () => expect((await readdir(dir)).filter((name) => name.endsWith('.part'))).toHaveLength(2),
    { timeout: 60_000, interval: 20 },
  )
  child.kill('SIGINT')
  await ended
  expect(child.exitCode).toBe(130)
  expect(await said).toContain('Stopped. Nothing was written.')
  expect((await readdir(dir)).toSorted()).toEqual(['hub', 'in.csv'])
}, 120_000)
