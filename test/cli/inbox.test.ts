import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDesk, type Desk } from './support.ts'

const HEADER = 'id,email,first_name,last_name,phone,job_title,company,company_domain,unsubscribed'
/** Names that nobody takes for one another. */
const line = (i: number, job = 'Engineer') =>
  `${i},${String.fromCharCode(97 + (i % 26)).repeat(6)}${i}@x${i}.example,,,,${job},,,no`
const people = Array.from({ length: 60 }, (_, i) => i)

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  await desk.connect()
  const first = desk.file('people.csv', [HEADER, ...people.map((i) => line(i))])
  await desk.run('import', first, '--as', 'contacts')
  const second = desk.file('empty.csv', [HEADER, ...people.map((i) => line(i, ''))])
  await desk.run('import', second, '--as', 'contacts')
})
afterEach(() => desk.close())

const idOfHeld = async (): Promise<string> => {
  const { code, value } = await desk.json('inbox', '--kind', 'mass change')
  expect(code).toBe(3)
  const [item] = value as { id: number }[]
  return String(item?.id)
}

it('exports what is held, and approves what is left in the file', async () => {
  const id = await idOfHeld()
  const shown = await desk.run('inbox', 'show', id)
  expect(shown.out).toContain('csv/contacts would empty fields of 60 of 60 records in the hub')
  expect(shown.out).toContain(`concord inbox reject ${id}`)
  const file = path.join(desk.dir, 'held.csv')
  expect(await desk.run('inbox', 'show', id, '--out', file)).toMatchObject({
    code: 0,
    out: expect.stringContaining('60 changes are in'),
  })
  expect(await desk.run('inbox', 'show', id, '--out', file)).toMatchObject({ code: 2 })
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines[0]).toBe('record,what,remoteId,title,changes,verdict')
  expect(lines).toHaveLength(61)
  writeFileSync(file, `${lines.slice(0, 6).join('\n')}\n`)
  expect(await desk.run('inbox', 'approve', id, '--from', file, '--records', '1')).toMatchObject({ code: 2 })
  expect(await desk.run('inbox', 'approve', id, '--from', path.join(desk.dir, 'no.csv'))).toMatchObject({
    code: 2,
  })
  expect(await desk.run('inbox', 'approve', id, '--from', file)).toMatchObject({
    code: 0,
    out: expect.stringContaining('5 changes approved, 55 still wait'),
  })
  expect(await desk.run('inbox', 'reject', id)).toMatchObject({
    code: 0,
    out: expect.stringContaining('55 changes rejected'),
  })
  expect(await desk.run('inbox', 'reject', id)).toMatchObject({
    code: 1,
    err: expect.stringContaining('closed already'),
  })
})

it('gives items to people, hides them, and settles many at a time', async () => {
  const id = await idOfHeld()
  expect(await desk.run('inbox', 'assign', id, 'mara')).toMatchObject({ code: 0 })
  expect((await desk.json('inbox', '--mine')).value).toMatchObject([{ assignee: 'mara' }])
  expect((await desk.json('inbox', '--assignee', 'bo')).value).toEqual([])
  expect(await desk.run('inbox', 'snooze', id, 'soon')).toMatchObject({ code: 2 })
  expect(await desk.run('inbox', 'snooze', id, '3d')).toMatchObject({ code: 0 })
  expect(await desk.run('inbox', '--kind', 'mass_change')).toMatchObject({ code: 0 })
  expect(await desk.run('inbox', '--snoozed')).toMatchObject({ code: 3 })
  expect(await desk.run('inbox', 'snooze', id, 'off')).toMatchObject({ code: 0 })
  expect(await desk.run('inbox', 'bulk', 'reject')).toMatchObject({ code: 2 })
  expect(await desk.run('inbox', 'bulk', 'explode', '--mine')).toMatchObject({ code: 2 })
  expect(await desk.run('inbox', '--stream', 'no/such')).toMatchObject({ code: 2 })
  const dry = await desk.json('inbox', 'bulk', 'reject', '--kind', 'mass_change', '--dry-run')
  expect(dry.value).toMatchObject({ matched: 1, done: 1, dryRun: true })
  expect(await desk.run('inbox', 'bulk', 'reject', '--stream', 'csv/contacts')).toMatchObject({
    code: 0,
    out: expect.stringContaining('1 item: 1 done, 0 refused.'),
  })
  expect(await desk.run('inbox', 'replay')).toMatchObject({ code: 0 })
  expect(await desk.run('inbox', 'edit', id, '--set', 'nonsense')).toMatchObject({ code: 2 })
})

it('tells of wrong input what is right', async () => {
  const id = await idOfHeld()
  const broken = desk.file('broken.csv', ['record', '"1', '2'])
  for (const [args, message] of [
    [['--kind', 'duplicates'], 'Did you mean duplicate?'],
    [['bulk', 'merge', '--kind', 'nonsense'], 'Use one of duplicate, conflict,'],
    [['bulk', 'resolve', '--kind', 'conflict'], 'Say --take hub'],
    [['replay', '--kind', 'duplicate'], 'Use rejected_write or unreadable'],
    [['merge', id, '--survivor', 'ada'], '--survivor is "ada"'],
    [['approve', id, '--records', '1,x'], '--records is "x"'],
    [['approve', id, '--from', broken], 'is no CSV file'],
    [['approve', id, '--from', desk.dir], 'is a folder'],
  ] as const) {
    const { code, err } = await desk.run('inbox', ...args)
    expect({ args, code, err }).toEqual({ args, code: 2, err: expect.stringContaining(message) })
  }
  for (const name of ['', 'a'.repeat(201), 'ann\u0000'])
    expect(await desk.run('inbox', 'assign', id, name)).toMatchObject({
      code: 1,
      err: expect.stringContaining('1 to 200 characters'),
    })
})

it('counts questions that a merge has settled as closed, not as refused', async () => {
  for (const i of [1, 2, 3])
    desk.mailchimp.admin.subscribe(`ada${i}@example.org`, {
      FNAME: 'Ada',
      LNAME: 'Lovelace',
      PHONE: '+442079460018',
    })
  await desk.connect()
  await desk.run('sync', 'mailchimp')
  expect(await desk.json('inbox', 'bulk', 'merge', '--kind', 'duplicate')).toMatchObject({
    code: 0,
    value: { matched: 3, done: 2, closed: 1, refused: 0 },
  })
})

it('shows nothing that a terminal would obey, whatever a file says', async () => {
  const evil = '\u001b[2J\u001b]0;mine\u0007'
  const file = desk.file('evil.csv', [
    HEADER,
    ...people.map((i) => line(i)),
    `${evil},first@example.com,,,,,,,no`,
    `${evil},second@example.com,,,,,,,no`,
    `third,${evil}@example.com,,,${evil},,,,no`,
  ])
  const told = [
    await desk.run('import', file, '--as', 'contacts'),
    await desk.run('inbox', '--all'),
    await desk.run('inbox', 'show', '2'),
    await desk.run('explain', 'contact', 'first@example.com'),
    await desk.run('runs'),
    await desk.run('status'),
  ]
  expect(told.map(({ out }) => out).join('\n')).toContain('already on line')
  for (const { out, err } of told) expect(out + err).not.toMatch(/(?!\n)\p{Cc}/u)
})
