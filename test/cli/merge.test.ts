import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDesk, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  const lines = [
    'id,email,first_name,last_name,job_title',
    'c1,ada@x.io,A.,Lee,CTO',
    'c2,lee@home.org,Ada,Lee,',
  ]
  await desk.run('import', desk.file('people.csv', lines), '--as', 'contacts')
})
afterEach(() => desk.close())

describe('concord merge', () => {
  test('shows what wins, asks, does it, lists it, explains it and takes it back', async () => {
    const planned = await desk.run('merge', 'contact', 'ada@x.io', 'lee@home.org', '--dry-run')
    expect(planned.code).toBe(0)
    expect(planned.out).toContain('fills what the other leaves open')
    expect(planned.out).toContain('Nothing was changed (--dry-run).')
    const unasked = await desk.run('merge', 'contact', 'ada@x.io', 'lee@home.org')
    expect(unasked.code).toBe(2)
    expect(unasked.err).toContain('Say --yes.')
    expect((await desk.run('merges')).out).toContain('Nothing was merged.')

    const merged = await desk.json('merge', 'contact', 'ada@x.io', 'lee@home.org', '--yes')
    expect(merged).toMatchObject({
      code: 0,
      value: {
        state: 'merged',
        survivor: { fields: { givenName: 'Ada', familyName: 'Lee', emails: ['ada@x.io', 'lee@home.org'] } },
      },
    })
    const listed = await desk.json('merges')
    expect(listed.value).toMatchObject({ items: [{ state: 'merged', by: 'user:mara' }] })
    const loser = Number(JSON.stringify(listed.value).match(/"loser":(\d+)/)?.[1])
    expect((await desk.run('explain', 'contact', String(loser))).out).toContain('was merged into contact')
    const again = await desk.run('merge', 'contact', 'ada@x.io', String(loser), '--yes')
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('already')])

    expect((await desk.run('unmerge', 'contact', String(loser), '--dry-run')).code).toBe(0)
    const back = await desk.run('unmerge', 'contact', String(loser), '--yes')
    expect(back.code).toBe(0)
    expect(back.out).toContain('kept apart')
    expect((await desk.run('merges', 'contacts', 'ada@x.io')).out).toContain('undone by user:mara')
    const twice = await desk.run('unmerge', 'contact', String(loser), '--yes')
    expect(twice.code).toBe(2)
  })

  test('refuses what it cannot merge', async () => {
    const bad = async (...args: readonly string[]) => {
      const { code, err } = await desk.run(...args)
      return `${code} ${err}`
    }
    expect(await bad('merge', 'deal', '1', '2')).toContain('2 "deal" is no kind')
    expect(await bad('merge', 'contact', 'nobody@x.io', 'ada@x.io')).toContain(
      '2 No contact is called nobody@x.io',
    )
    expect(await bad('merge', 'contact', 'ada@x.io', 'ada@x.io', '--yes')).toContain('itself')
    expect(await bad('unmerge', 'contact', 'ada@x.io')).toContain('is not merged')
  })
})
