import { describe, expect, it } from 'vitest'
import { attemptMail, MAIL_CHECKS } from './mail-suite.ts'
import { toyMailBench } from './toy/mail-bench.ts'
import { WRECKED_MAIL_MANNERS } from './toy/wrecked-mail-manners.ts'
import { WRECKED_MAIL_MESSAGES } from './toy/wrecked-mail-messages.ts'
import { WRECKED_MAIL_PAGES } from './toy/wrecked-mail-pages.ts'

const SABOTAGES = [...WRECKED_MAIL_PAGES, ...WRECKED_MAIL_MESSAGES, ...WRECKED_MAIL_MANNERS]

/** Without a part for them in the toy; Outlook has one. */
const NOT_IN_THE_TOY: ReadonlySet<string> = new Set([
  'a notice under another secret is refused',
  'the handshake of a subscription is answered as the vendor wants it',
])

describe('the suite of mail finds', () => {
  it.each(SABOTAGES)('%s: %s', { timeout: 60_000 }, async (_, name, sabotage) => {
    const check = MAIL_CHECKS.find((one) => one.name === name)
    if (check === undefined) throw new Error(`There is no check "${name}"`)
    const verdict = await attemptMail(check, toyMailBench(sabotage))
    expect(verdict.kind).toBe('broken')
    expect(verdict.kind === 'broken' && verdict.message).toMatch(/^pigeons\.mail: [^]+\nThe contract: ./)
  })

  it('something with every check', () => {
    const names = MAIL_CHECKS.map(({ name }) => name)
    const fooled = new Set([...SABOTAGES.map(([, check]) => check), ...NOT_IN_THE_TOY])
    expect(names.filter((name) => !fooled.has(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  })
})
