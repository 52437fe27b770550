import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createStripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { serveSandbox } from '../../src/sandbox/serve.ts'
import { ROOT } from './wired.ts'

const MAIN = path.join(ROOT, 'src', 'main.ts')

let dir = ''
const running: ChildProcess[] = []
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'concord-process-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await rm(dir, { recursive: true, force: true })
})

/** The command in a process of its own, on an embedded database of its own. */
function concord(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { DATABASE_URL: _, CONCORD_SECRET_KEY: __, ...inherited } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited, CONCORD_DIR: dir, LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  return child
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = concord(args, env)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out, err }
}

/** Resolves with the first line that matches. */
async function says(child: ReturnType<typeof concord>, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) if (pattern.test(line)) return line
  throw new Error(`it ended without saying ${String(pattern)}`)
}

const databaseIsUp = () => existsSync(path.join(dir, 'postgres', 'postgres', 'data', 'postmaster.pid'))

it('serves until SIGTERM, lets other commands in beside it, and takes its database along', async () => {
  const start = concord(['start', '--port', '0'])
  const up = await says(start, /^Concord is up/)
  const url = /http:\S+/.exec(up)?.[0] ?? ''
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect(databaseIsUp()).toBe(true)
  expect((await stat(path.join(dir, 'secret.key'))).mode & 0o777).toBe(0o600)

  expect(await run(['status'])).toMatchObject({ code: 0 })
  expect(databaseIsUp()).toBe(true)

  const ended = once(start, 'exit')
  start.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(databaseIsUp()).toBe(false)
}, 60_000)

it('takes up what another process applies, and answers all the time', async () => {
  const start = concord(['start', '--port', '0'])
  let said = ''
  start.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const told = async (pattern: RegExp) => {
    while (!pattern.test(said)) await once(start.stdout, 'data')
    return pattern.exec(said)?.[0] ?? ''
  }
  const url = await told(/http:\S+/)
  const files = path.join(dir, 'mine')
  expect(await run(['config', 'export', files])).toMatchObject({ code: 0 })
  const hub = path.join(files, 'hub.yaml')
  await writeFile(hub, (await readFile(hub, 'utf8')).replace('defaultCountry: US', 'defaultCountry: DE'))
  let isDone = false
  const answers: number[] = []
  const asking = (async () => {
    while (!isDone) answers.push((await fetch(`${url}/readyz`)).status)
  })()
  expect(await run(['config', 'apply', files, '--yes'])).toMatchObject({ code: 0 })
  await told(/^Version 2 of the configuration was applied, and is at work now/m)
  isDone = true
  await asking
  expect(answers.length).toBeGreaterThan(0)
  expect(new Set(answers)).toEqual(new Set([200]))

  const ended = once(start, 'exit')
  start.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
}, 60_000)

it('keeps the database up for another process, where the one that started it ends first', async () => {
  const worker = concord(['worker'])
  await says(worker, /^Concord works off jobs/)
  const start = concord(['start', '--port', '0'])
  await says(start, /^Concord is up/)
  const stopped = text(worker.stderr)
  const ended = once(worker, 'exit')
  worker.kill('SIGTERM')
  const gone = once(start, 'exit')
  start.kill('SIGTERM')
  expect(await gone).toEqual([0, null])
  expect(await ended).toEqual([0, null])
  expect(await stopped).not.toContain('bug')
  expect(databaseIsUp()).toBe(false)
}, 60_000)

it('syncs a real vendor over HTTP, and fails where it refuses', async () => {
  const sandbox = createStripeSandbox({ now: Date.now, random: Math.random, apiKey: 'sk_test_process' })
  const served = await serveSandbox(sandbox.app)
  try {
    const add = ['connections', 'add', 'stripe', '--set', `baseUrl=${served.url}`]
    const added = await run(add, { CONCORD_STRIPE_API_KEY: 'sk_test_process' })
    expect(added).toMatchObject({ code: 0, err: '' })
    expect(await run(['plan', '--approve'])).toMatchObject({ code: 0 })
    expect(await run(['sync'])).toMatchObject({ code: 0 })
    Object.assign(sandbox.state, { apiKey: 'sk_test_other' })
    const refused = await run(['sync', '--json'])
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.out)).toMatchObject({
      connections: [{ connection: 'stripe', problem: expect.any(String) }],
    })
    expect(databaseIsUp()).toBe(false)
  } finally {
    await served.close()
  }
}, 60_000)

it('takes an unknown command for wrong input, without a stack trace', async () => {
  const { code, err } = await run(['conect'])
  expect(code).toBe(2)
  expect(err).toContain("unknown command 'conect'")
  expect(err).not.toMatch(/\bat .*\.ts:/)
}, 30_000)
