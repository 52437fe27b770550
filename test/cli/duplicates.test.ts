import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDesk, type Desk, type Ran } from './support.ts'

const HEADER = 'id,email,first_name,last_name,phone,job_title,company,company_domain,unsubscribed'

let desk: Desk
let imported: Ran
beforeEach(async () => {
  desk = await openDesk()
  await desk.connect()
  const people = desk.file('people.csv', [
    HEADER,
    '1,jane.smithson@acme-tools.com,Jane,Smithson,+14155550100,Buyer,Acme Tools,,no',
    '2,jsmithson@acme-tools.com,Jane,Smithson,+14155550101,Buyer,"=ACME Tools, Inc.",,no',
    '3,ottoline@firm.com,Ottoline,Pruitt,+14155550199,,Firm,,no',
  ])
  imported = await desk.run('import', people, '--as', 'contacts')
})
afterEach(() => desk.close())

describe('likely duplicates', () => {
  it('are told as soon as a file was taken in', () => {
    expect(imported.out).toContain('1 likely duplicate among the contacts: `concord inbox --kind duplicate`')
    expect(imported.out).toMatch(
      /Jane Smithson at =ACME Tools, Inc\. <jsmithson@acme-tools\.com> may be Jane Smithson/,
    )
  })

  it('are listed with what speaks for them, all or of one record', async () => {
    const all = await desk.run('duplicates')
    expect(all).toMatchObject({ code: 0, out: expect.stringContaining('same surname') })
    expect(await desk.run('duplicates', 'contacts', 'ottoline@firm.com')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^No other contact looks like contact \d+\.$/m),
    })
    const page = ['duplicates', 'contacts', 'jsmithson@acme-tools.com', '--limit', '1'] as const
    const first = await desk.run(...page)
    expect(first.out).toMatch(/^1 in all\. More: --after \S+\.$/m)
    const mark = /--after (\S+)\./.exec(first.out)?.[1] ?? ''
    expect((await desk.run(...page, '--after', mark)).out).toContain('There are no more.')
    const { value } = await desk.json('duplicates', 'contacts', 'jsmithson@acme-tools.com')
    expect(value).toMatchObject({ items: [{ titleA: expect.stringContaining('Jane') }], next: null })
    expect(await desk.run('duplicates', 'companies')).toMatchObject({ code: 0 })
  })

  it('go to a file whole, where no cell is run as a formula', async () => {
    const file = path.join(path.dirname(desk.file('x.csv', [''])), 'pairs.csv')
    expect(await desk.run('duplicates', 'contacts', '--out', file)).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 pair of contacts written'),
    })
    const [header, row] = readFileSync(file, 'utf8').split('\n')
    expect(header).toBe('probability,older,older_title,younger,younger_title,evidence')
    expect(row).toMatch(/^0\.\d+,/)
    expect(await desk.run('duplicates', 'contacts', '--out', file)).toMatchObject({ code: 2 })
  })

  it('refuse what they do not know', async () => {
    expect(await desk.run('duplicates', 'deals')).toMatchObject({ code: 2 })
    expect(await desk.run('duplicates', 'contacts', '--after', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--after is "x"'),
    })
    expect(await desk.run('duplicates', 'contacts', '--limit', '0')).toMatchObject({ code: 2 })
    expect(await desk.run('duplicates', 'contacts', 'nobody@nowhere.com')).toMatchObject({ code: 2 })
  })

  it('page by their mark', async () => {
    const page = (await desk.json('duplicates', 'contacts', '--limit', '1')).value
    const { next } = page as { next: string }
    expect(next).toMatch(/^0\.\d+_\d+_\d+$/)
    expect((await desk.json('duplicates', 'contacts', '--after', next)).value).toEqual({
      items: [],
      next: null,
    })
  })
})

describe('the weights', () => {
  it('are shown as a table, and not learned from too few', async () => {
    const shown = await desk.run('identity', 'show', 'contacts')
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('shipped weights, for 3 records') })
    expect(shown.out).toMatch(/surname +exact +\d/)
    expect(await desk.run('identity', 'train')).toMatchObject({
      code: 0,
      out: expect.stringContaining('teach too little'),
    })
    expect((await desk.json('identity', 'show', 'companies')).value).toMatchObject([
      { kind: 'company', trainedAt: null },
    ])
  })

  it('compare all anew when asked', async () => {
    expect(await desk.run('identity', 'rescan')).toMatchObject({
      code: 0,
      out: expect.stringContaining('3 contacts compared'),
    })
  })
})
