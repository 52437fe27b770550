import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openEmbedded } from '../../src/store/embedded.ts'
import { findBinaries } from '../../src/store/embedded/binaries.ts'
import { scratchFolder } from '../support/scratch.ts'

const OWNER = path.join(import.meta.dirname, '..', 'support', 'embedded-owner.ts')
const Opened = z.object({ url: z.string(), ownsServer: z.boolean() })

describe('the embedded PostgreSQL', () => {
  let dir = ''
  const cleanups: (() => Promise<unknown>)[] = []
  beforeEach(async () => {
    dir = path.join(await scratchFolder(), 'data')
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    await rm(path.dirname(dir), { recursive: true, force: true })
  })

  const open = async () => {
    const opened = await openEmbedded({ dir, durable: false })
    cleanups.push(() => opened.stop())
    return opened
  }
  const openElsewhere = async () => {
    // A process group of its own, as a terminal gives one to each command.
    const child = spawn(process.execPath, [OWNER, dir], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanups.push(() => end(child, 'SIGTERM'))
    const lines = createInterface({ input: child.stdout })
    const [line] = await once(lines, 'line')
    return { child, lines, ...Opened.parse(JSON.parse(String(line))) }
  }
  /** PostgreSQL takes its pid file away as the last thing it does. */
  const isGone = async () => !(await readdir(path.join(dir, 'postgres', 'data'))).includes('postmaster.pid')

  it('is started once, joined by whoever comes second, keeps its data, and stops with its owner', async () => {
    const owner = await open()
    const guest = await open()
    expect([owner.ownsServer, guest.ownsServer]).toEqual([true, false])
    expect(guest.url).toBe(owner.url)
    await query(owner.url, 'create table kept as select 42 as answer')

    await guest.stop()
    expect(await query(owner.url, 'select answer from kept')).toEqual([{ answer: 42 }])
    await Promise.all([owner.stop(), owner.stop()])
    await expect(query(owner.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })

    const again = await open()
    expect(again.url).toBe(owner.url)
    expect(await query(again.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  it('keeps its password to its user, and lets nobody in without it', async () => {
    const { url } = await open()
    const { mode } = await stat(path.join(dir, 'postgres', 'password'))
    expect(mode & 0o777).toBe(0o600)
    await expect(query(url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toMatchObject({
      code: '28P01',
    })
  })

  it('knows letters beyond ASCII where names are compared', async () => {
    const { url } = await open()
    await query(url, 'create extension pg_trgm; create extension unaccent; create extension pgcrypto')
    const [row] = await query(
      url,
      `select similarity('Müller', 'Mller') < 0.5 as apart, lower('ÅSA') as lower`,
    )
    expect(row).toEqual({ apart: true, lower: 'åsa' })
  })

  it('dies with an owner killed by -9, and starts again at once', async () => {
    const { child, url } = await openElsewhere()
    await query(url, 'create table kept as select 42 as answer')
    await end(child, 'SIGKILL')
    const next = await open()
    expect(next.ownsServer).toBe(true)
    expect(await query(next.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  it('starts again after its server was killed by -9', async () => {
    const first = await open()
    await query(first.url, 'create table kept as select 42 as answer')
    process.kill(await serverPid(dir), 'SIGKILL')
    const next = await open()
    expect(
      await query(next.url, 'select count(*)::int from pg_database where datname = $1', ['concord']),
    ).toEqual([{ count: 1 }])
  })

  it('has one owner when several processes start at the same moment', async () => {
    const opened = await Promise.all([openElsewhere(), openElsewhere(), openElsewhere(), open()])
    expect(opened.filter(({ ownsServer }) => ownsServer)).toHaveLength(1)
    expect(new Set(opened.map(({ url }) => url)).size).toBe(1)
    expect(await readdir(dir)).toEqual(['postgres'])
  })

  it('starts over a pid file whose process id now belongs to another program', async () => {
    const first = await open()
    const file = path.join(dir, 'postgres', 'data', 'postmaster.pid')
    const remnant = await readFile(file, 'utf8')
    await first.stop()
    await writeFile(file, remnant.replace(/^\d+/, String(process.ppid)))
    expect((await open()).ownsServer).toBe(true)
  })

  it('outlives Ctrl-C in the terminal until its owner has stopped in good order', async () => {
    const { child, lines } = await openElsewhere()
    const said = once(lines, 'line')
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
    expect(await said).toEqual(['still serving'])
    await once(child, 'exit')
    expect(await isGone()).toBe(true)
  })

  it('leaves no server behind after a crash of its owner', async () => {
    const { child } = await openElsewhere()
    await end(child, 'SIGKILL')
    await expect.poll(isGone, { timeout: 10_000, interval: 20 }).toBe(true)
  })

  describe('says what is wrong', () => {
    it('with a port that is taken', async () => {
      const squatter = createServer().listen(0, '127.0.0.1')
      await once(squatter, 'listening')
      cleanups.push(async () => squatter.close())
      const address = z.object({ port: z.number() }).parse(squatter.address())
      const opening = openEmbedded({ dir, durable: false, port: address.port })
      await expect(opening).rejects.toMatchObject({
        kind: 'port-in-use',
        message: expect.stringContaining(String(address.port)),
      })
    })

    it('with data of another major version', async () => {
      const pgdata = path.join(dir, 'postgres', 'data')
      await mkdir(pgdata, { recursive: true })
      await writeFile(path.join(pgdata, 'PG_VERSION'), '17\n')
      const opening = openEmbedded({ dir, durable: false })
      await expect(opening).rejects.toMatchObject({
        kind: 'other-major',
        message: expect.stringContaining(pgdata),
      })
    })

    it('with a folder that cannot be one', async () => {
      await writeFile(dir, 'a file in the way')
      const opening = openEmbedded({ dir: path.join(dir, 'below'), durable: false })
      await expect(opening).rejects.toMatchObject({
        kind: 'dir-not-writable',
        message: expect.stringContaining(dir),
      })
    })

    it('with no package for the platform', async () => {
      await expect(findBinaries('plan9-mips')).rejects.toMatchObject({
        kind: 'package-missing',
        message: expect.stringMatching(/plan9-mips.*npm ci.*DATABASE_URL/),
      })
    })
  })
})

async function query(url: string, text: string, values: string[] = []): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined })
  try {
    return [...(await (values.length > 0 ? sql.unsafe(text, values) : sql.unsafe(text)))]
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function serverPid(dir: string): Promise<number> {
  const text = await readFile(path.join(dir, 'postgres', 'data', 'postmaster.pid'), 'utf8')
  return Number.parseInt(text, 10)
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
