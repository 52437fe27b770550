import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDesk, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk.close())

describe('config', () => {
  const exported = async (): Promise<string> => {
    const folder = path.join(desk.dir, 'config')
    expect(await desk.run('config', 'export', folder)).toMatchObject({ code: 0 })
    return folder
  }
  const change = (folder: string, from: string, to: string) => {
    const file = path.join(folder, 'policies.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
  }

  it('tells every mistake with its place and fix', async () => {
    const folder = await exported()
    change(folder, 'default: newest', 'default: newst')
    const checked = await desk.run('config', 'check', folder)
    expect(checked.code).toBe(2)
    expect(checked.out).toMatch(
      /policies\.yaml:\d+:\d+ {2}policies\.default: .* Fix: Did you mean "newest"\?/,
    )
    expect(await desk.run('config', 'apply', folder, '--yes')).toMatchObject({ code: 2 })
    expect((await desk.json('config', 'check', folder)).value).toMatchObject({
      ok: false,
      problems: [{ file: 'policies.yaml', line: expect.any(Number) }],
    })
  })

  it('shows the changed lines, and applies them only after a yes', async () => {
    await desk.run('status')
    const folder = await exported()
    change(folder, 'address: ask', 'address: newest')
    const asked = await desk.run('config', 'apply', folder)
    expect(asked.code).toBe(2)
    expect(asked.out).toContain('policies.yaml (changed)')
    expect(asked.out).toContain('  -     address: ask\n  +     address: newest\n')
    expect(await desk.run('config', 'apply', folder, '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Version 2 is active.'),
    })
    expect(await desk.run('config', 'apply', folder, '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing to apply'),
    })
    expect((await desk.json('status')).value).toMatchObject({ configVersion: 2 })
    expect(await desk.run('config', 'export', folder)).toMatchObject({ code: 2 })
  })

  it('does not apply over a version that somebody else applied meanwhile', async () => {
    await desk.run('status')
    const folder = await exported()
    change(folder, 'address: ask', 'address: newest')
    // While one person reads the question, another one applies.
    desk.answers.push(async () => {
      expect(await desk.run('config', 'apply', folder, '--yes')).toMatchObject({ code: 0 })
      return 'y'
    })
    expect(await desk.run('config', 'apply', folder)).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing was applied'),
    })
    expect((await desk.json('status')).value).toMatchObject({ configVersion: 2 })
  })
})

describe('secrets', () => {
  it('are encrypted anew when a key is changed', async () => {
    await desk.connect()
    const old = desk.env['CONCORD_SECRET_KEY'] ?? ''
    desk.env['CONCORD_SECRET_KEY'] = `another key just for tests,${old}`
    expect((await desk.json('secrets', 'rotate')).value).toEqual({ rotated: 2, keys: 2 })
    desk.env['CONCORD_SECRET_KEY'] = 'another key just for tests'
    expect(await desk.run('connections', 'check')).toMatchObject({ code: 0 })
    desk.env['CONCORD_SECRET_KEY'] = old
    const sick = await desk.run('doctor')
    expect(sick.code).toBe(1)
    expect(sick.out).toMatch(
      /fail {2}secrets: CONCORD_SECRET_KEY does not open the credentials of mailchimp, stripe/,
    )
  })

  it('need a key of one’s own with a database of one’s own', async () => {
    delete desk.env['CONCORD_SECRET_KEY']
    expect(await desk.run('status')).toMatchObject({ code: 1, err: expect.stringContaining('openssl rand') })
  })
})

describe('doctor', () => {
  it('finds a healthy hub healthy, and names what was never added', async () => {
    await desk.connect()
    const { code, value } = await desk.json('doctor')
    expect(code).toBe(0)
    expect(value).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'connection stripe', result: 'ok' }),
        expect.objectContaining({ check: 'connection csv', result: 'warn' }),
        expect.objectContaining({ check: 'clock', result: 'ok' }),
      ]),
    )
  })

  it('says that the database is not there, without a stack trace', async () => {
    desk.env['DATABASE_URL'] = 'postgres://concord:hunter2hunter2@127.0.0.1:1/none'
    const { code, out, err } = await desk.run('doctor')
    expect(code).toBe(1)
    expect(out).toContain('fail  database: No PostgreSQL answers there')
    expect(out + err).not.toMatch(/hunter2|\bat .*\.ts:/)
    expect(await desk.run('migrate')).toMatchObject({ code: 1 })
  })
})

it('makes tokens that are shown once, and takes them back', async () => {
  const { value } = await desk.json('tokens', 'add', 'crm script')
  expect(value).toMatchObject({ token: expect.stringMatching(/^concord_[\w-]{43}$/) })
  expect(await desk.run('tokens', 'add', 'crm script')).toMatchObject({ code: 2 })
  const listed = await desk.run('tokens', 'list')
  expect(listed.out).toContain('crm script')
  expect(listed.out).not.toContain('concord_')
  expect(await desk.run('tokens', 'remove', 'crm script')).toMatchObject({ code: 0 })
  expect(await desk.run('tokens', 'remove', 'crm script')).toMatchObject({ code: 2 })
})

it('brings the database up to date', async () => {
  expect(await desk.json('migrate')).toMatchObject({ code: 0, value: { upToDate: true } })
})
