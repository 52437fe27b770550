import { afterAll, describe, it } from 'vitest'
import { MAIL_ACCESS } from './checks/mail-access.ts'
import type { MailCheck } from './checks/mail-check.ts'
import { MAIL_CHANGES } from './checks/mail-changes.ts'
import { MAIL_HOOKS } from './checks/mail-hooks.ts'
import { MAIL_LETTERS } from './checks/mail-letters.ts'
import { MAIL_MANNERS } from './checks/mail-manners.ts'
import { MAIL_PAGES } from './checks/mail-pages.ts'
import type { MailBench } from './mail-bench.ts'
import { openMailRig } from './mail-rig.ts'
import { judged, type Verdict } from './verdict.ts'

/** Everything that a connector with mail must do, in the order an author gets to it. */
export const MAIL_CHECKS: readonly MailCheck[] = [
  ...MAIL_ACCESS,
  ...MAIL_PAGES,
  ...MAIL_CHANGES,
  ...MAIL_LETTERS,
  ...MAIL_MANNERS,
  ...MAIL_HOOKS,
]

/** Registers the suite for the mail of one connector. Call it at the top of a test file. */
export function mailConformance(bench: MailBench): void {
  describe(`${bench.name} mail`, () => {
    afterAll(() => bench.close?.())
    for (const check of MAIL_CHECKS)
      it(`${check.name}`, { timeout: 60_000 }, async ({ skip }) => {
        const verdict = await attemptMail(check, bench)
        if (verdict.kind === 'skipped') skip(verdict.why)
        if (verdict.kind === 'broken') throw new Error(verdict.message, { cause: verdict.cause })
      })
  })
}

/** Runs one check on a vendor of its own. */
export function attemptMail(check: MailCheck, bench: MailBench): Promise<Verdict> {
  return judged(`${bench.name}.mail`, check.contract, async () => {
    const stand = await bench.open()
    try {
      await check.run(openMailRig(bench, stand))
    } finally {
      await stand.close?.()
    }
  })
}
