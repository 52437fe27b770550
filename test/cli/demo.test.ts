import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'concord.js')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'concord-demo-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** What a person sees who runs it in a folder of their own. */
async function demo(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string }> {
  // Another database of the machine's must not be touched.
  const env = {
    ...process.env,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    CONCORD_DIR: '',
    NO_COLOR: '1',
  }
  const child = spawn(process.execPath, [PROGRAM, 'demo', ...args], { cwd: folder, env })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out: `${out}${err}` }
}

test('the demo plays its four stories on a small company and ends well', { timeout: 120_000 }, async () => {
  const { code, out } = await demo('--contacts', '60', '--once', '--port', '0')
  expect(out).toContain('All stories came true')
  expect(out).not.toContain('✗')
  for (const story of [1, 2, 3, 4]) expect(out).toContain(`Story ${story}:`)
  expect(out).toContain('mailchimp is preferred to stripe')
  expect(code).toBe(0)
  // As wide as the narrowest terminal, without colours, with nothing of this machine in it.
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(out).not.toContain('\u001b')
  expect(out).not.toContain(folder)
  const data = path.join(folder, '.concord', 'demo', 'postgres')
  const inside = await readdir(data, { recursive: true })
  expect(inside.filter((name) => name.endsWith('postmaster.pid'))).toEqual([])
  expect(existsSync(path.join(folder, '.concord', 'demo', 'exports', 'out', 'contacts.csv'))).toBe(true)
})
