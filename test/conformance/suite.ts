import { describe, it } from 'vitest'
import type { Bench } from './bench.ts'
import { ACCESS } from './checks/access.ts'
import { CHANGES } from './checks/changes.ts'
import type { Check } from './checks/check.ts'
import { CONSENT } from './checks/consent.ts'
import { ERASING } from './checks/erasing.ts'
import { LIMITS } from './checks/limits.ts'
import { LOST } from './checks/lost.ts'
import { READING } from './checks/reading.ts'
import { REPLIES } from './checks/replies.ts'
import { SECRETS } from './checks/secrets.ts'
import { TEXT } from './checks/text.ts'
import { UPDATES } from './checks/updates.ts'
import { WEBHOOKS } from './checks/webhooks.ts'
import { WRITING } from './checks/writing.ts'
import { openRig } from './rig.ts'
import { judged, type Verdict } from './verdict.ts'

/** Everything a connector must do, in the order an author gets to it. */
export const CHECKS: readonly Check[] = [
  ...ACCESS,
  ...READING,
  ...CHANGES,
  ...WRITING,
  ...UPDATES,
  ...ERASING,
  ...LOST,
  ...CONSENT,
  ...TEXT,
  ...REPLIES,
  ...WEBHOOKS,
  ...LIMITS,
  ...SECRETS,
]

/** Registers the suite for one connector. Call it at the top of a test file. */
export function conformance(bench: Bench): void {
  for (const resource of bench.resources) {
    describe(`${bench.name} ${resource}`, () => {
      const isFirst = resource === bench.resources[0]
      for (const check of CHECKS.filter(({ per }) => per === 'resource' || isFirst)) {
        it(`${check.name}`, { timeout: 60_000 }, async ({ skip }) => {
          const verdict = await attempt(check, bench, resource)
          if (verdict.kind === 'skipped') skip(verdict.why)
          if (verdict.kind === 'broken') throw new Error(verdict.message, { cause: verdict.cause })
        })
      }
    })
  }
}

/** A process that is held up for longer than a limit's head-room sends too close; a wrong limit fails every time. */
const TRIES_BY_THE_CLOCK = 3

/** Runs one check on a vendor of its own. One that goes by the real clock may need several tries on a busy machine. */
export async function attempt(check: Check, bench: Bench, resource: string): Promise<Verdict> {
  const tries = check.served === true ? TRIES_BY_THE_CLOCK : 1
  for (let n = 1; ; n++) {
    const verdict = await attemptOnce(check, bench, resource)
    if (verdict.kind !== 'broken' || n === tries) return verdict
  }
}

async function attemptOnce(check: Check, bench: Bench, resource: string): Promise<Verdict> {
  const stand = await bench.open({ served: check.served ?? false })
  return judged(`${bench.name}.${resource}`, check.contract, async () => {
    try {
      await check.run(openRig(bench, stand, resource))
    } finally {
      await stand.close?.()
    }
  })
}
