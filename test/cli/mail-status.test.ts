import { describe, expect, it } from 'vitest'
import { olderMail } from '../../src/cli/mail-status.ts'
import type { MailboxProgress } from '../../src/runtime/mail/progress.ts'

const MINUTE = 60_000
const told = (progress: Partial<MailboxProgress>): string =>
  olderMail({
    connection: 'gmail',
    mailbox: 'ann@us.example',
    state: 'backfill',
    listed: 12_400,
    total: 40_000,
    startedAt: 0,
    perMinute: 300,
    leftMs: 92 * MINUTE,
    logged: 0,
    filtered: 0,
    quarantined: 0,
    gone: 0,
    reviewing: false,
    checkedAt: 0,
    movedAt: 0,
    problem: null,
    ...progress,
  })

describe('how far the mail from before has been read', () => {
  it.each<[string, Partial<MailboxProgress>, string]>([
    ['with what is known', {}, '31% (12,400 of about 40,000, 300 a minute), about 92 minutes left'],
    [
      'in coarser units',
      { leftMs: 200 * MINUTE },
      '31% (12,400 of about 40,000, 300 a minute), about 3 hours left',
    ],
    [
      'at the start',
      { perMinute: null, leftMs: null },
      '31% (12,400 of about 40,000), too early to say how long',
    ],
    [
      'where the vendor does not count',
      { total: null, leftMs: null },
      '12,400 so far, 300 a minute; how many there are is unknown',
    ],
    [
      'where the vendor counted too few',
      { total: 12_000, leftMs: null },
      '12,400 so far, 300 a minute; how many there are is unknown',
    ],
    [
      'and never all of it before it is',
      { listed: 40_000, leftMs: 0 },
      '99% (40,000 of about 40,000, 300 a minute), about 1 second left',
    ],
    [
      'of an empty mailbox',
      { listed: 0, total: 0, perMinute: null, leftMs: null },
      '99% (0 of about 0), too early to say how long',
    ],
    ['when it is done', { state: 'current' }, 'all read'],
    ['when it has not begun', { state: 'new' }, 'not begun'],
    ['when the mailbox went away', { state: 'lost' }, 'the connection does not show it any more'],
    ['when its rules say so', { state: 'off' }, 'off: it is not read'],
  ])('%s', (_, progress, expected) => expect(told(progress)).toBe(expected))
})
