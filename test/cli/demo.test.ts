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

type Ended = { readonly code: number | null; readonly out: string }

/** What a person sees who runs it in a folder of their own. */
const demo = (...args: readonly string[]): Promise<Ended> =>
  ended(start(['demo', ...args], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', CONCORD_DIR: '' }))

/** Another database of the machine's must not be touched. */
const start = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1', ...env } })

async function ended(child: ReturnType<typeof start>): Promise<Ended> {
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out: `${out}${err}` }
}

test('the demo plays its eight stories on a small company and ends well', { timeout: 240_000 }, async () => {
  const { code, out } = await demo('--contacts', '60', '--once', '--port', '0')
  expect(out).toContain('All stories came true')
  expect(out).not.toContain('✗')
  for (const story of [1, 2, 3, 4, 5, 6, 7, 8]) expect(out).toContain(`Story ${story}:`)
  expect(out).toContain('mailchimp is preferred to stripe')
  // Mail of all mailboxes: logged once, or kept out for a reason that is told.
  expect(out).toContain('gmail      halyard.example (4 mailboxes)')
  expect(out).toMatch(/mail read +1\d\d in 6 mailboxes/)
  expect(out).toMatch(/mail kept out +\d+: .*newsletters/)
  expect(out).not.toContain('mail unreadable')
  expect(out).toMatch(/first response after 38\s+minutes/)
  expect(out).toContain('kept out as bulk: a List-Id header')
  expect(out).toContain('kept out as private: a label')
  expect(out).toContain('│   on no timeline')
  expect(out).toContain('Every table of the database was searched')
  expect(out).toContain('No vendor turned a')
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

test('it stays up, with mail to look at, until it is stopped', { timeout: 240_000 }, async () => {
  const child = start(['demo', '--contacts', '20', '--port', '0'], { DATABASE_URL: '', CONCORD_DIR: '' })
  const said: string[] = []
  child.stdout.setEncoding('utf8')
  const isUp = new Promise<void>((resolve) => {
    child.stdout.on('data', (part: string) => {
      said.push(part)
      if (said.join('').includes('Edit a file of the exports')) resolve()
    })
  })
  const whole = ended(child)
  await Promise.race([isUp, whole])
  const commands = said.join('').matchAll(/-- (mail status|timeline contact \S+)/g)
  const asked = [...commands].map(([, command = '']) => command.split(' '))
  expect(asked).toHaveLength(2)
  const [status, timeline] = await Promise.all(
    asked.map((args) =>
      ended(start(args, { DATABASE_URL: '', CONCORD_DIR: path.join(folder, '.concord', 'demo') })),
    ),
  )
  child.kill('SIGINT')
  const { out } = await whole
  expect(status?.code).toBe(0)
  expect(status?.out.match(/all read/g)).toHaveLength(6)
  expect(timeline?.code).toBe(0)
  expect(timeline?.out).toMatch(/ (?:sent|received) {2}/)
  expect(out).toContain('the database are down')
})
