import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { timelineOf } from '../../src/runtime/mail/timeline.ts'
import { FakeMailbox, HOUR, openMailWorld, T0, type MailWorld } from './mail.support.ts'
import { merge, read, unmerge } from './merge.support.ts'

const ADA = 'ada@acme.example'
const COUNTESS = 'countess@lovelace.example'

let w: MailWorld
let box: FakeMailbox
let a = 0
let b = 0
beforeEach(async () => {
  box = new FakeMailbox('rep@ours.example')
  w = await openMailWorld([box])
  a = await w.contact(ADA)
  b = await w.contact(COUNTESS)
  box.send({ to: [ADA], subject: 'To Ada', at: T0 - 9 * HOUR })
  box.receive({ from: ADA, subject: 'From Ada', at: T0 - 8 * HOUR })
  box.send({ to: [COUNTESS], subject: 'To the Countess', at: T0 - 7 * HOUR })
  box.receive({ from: COUNTESS, subject: 'From the Countess', at: T0 - 5 * HOUR })
  await sync()
})
afterEach(() => w.close())

async function sync(): Promise<void> {
  for (const pass of await syncAll(w.hub, ['mail'], 'changes')) expect(pass.problem).toBeNull()
}
const subjects = async (id: number) =>
  (await timelineOf(w.hub, 'contact', id, { limit: 50, before: null })).entries.map((entry) => entry.subject)
const facts = async (id: number) => {
  const { lastContactedAt, lastRepliedAt } = (await read(w.hub, 'contact', id)).fields
  return { lastContactedAt, lastRepliedAt }
}

describe('the mail of contacts that are merged', () => {
  test('is one timeline with what came to either address since, and each has its own again when it is undone', async () => {
    const before = { a: await facts(a), b: await facts(b) }
    const [mine, theirs] = [await subjects(a), await subjects(b)]
    expect(mine).toEqual(['From Ada', 'To Ada'])
    expect(theirs).toEqual(['From the Countess', 'To the Countess'])
    w.clock.now += HOUR
    await merge(w.hub, a, b)
    expect(await subjects(a)).toEqual(['From the Countess', 'To the Countess', 'From Ada', 'To Ada'])
    expect(await facts(a)).toEqual({ ...before.b })

    box.receive({ from: COUNTESS, subject: 'Later, the Countess', at: T0 - 3 * HOUR })
    box.receive({ from: ADA, subject: 'Later, Ada', at: T0 - 2 * HOUR })
    box.send({ to: [ADA, COUNTESS], subject: 'To both', at: T0 - HOUR })
    await sync()
    expect((await subjects(a)).slice(0, 3)).toEqual(['To both', 'Later, Ada', 'Later, the Countess'])
    expect(await subjects(b)).toEqual([])
    const activities = await w.db.sql`select distinct contact_id as contact from activities`
    expect(activities).toEqual([{ contact: a }])
    expect(await facts(a)).toEqual({ lastContactedAt: T0 - HOUR, lastRepliedAt: T0 - 2 * HOUR })

    await unmerge(w.hub, b)
    expect(await subjects(a)).toEqual(['To both', 'Later, Ada', ...mine])
    expect(await subjects(b)).toEqual(['To both', 'Later, the Countess', ...theirs])
    expect(await facts(a)).toEqual({ lastContactedAt: T0 - HOUR, lastRepliedAt: T0 - 2 * HOUR })
    expect(await facts(b)).toEqual({ lastContactedAt: T0 - HOUR, lastRepliedAt: T0 - 3 * HOUR })
    const of = await w.db
      .sql`select contact_id as contact from activities where subject = 'Later, the Countess'`
    expect(of).toEqual([{ contact: b }])

    box.receive({ from: COUNTESS, subject: 'After', at: T0 })
    await sync()
    expect((await subjects(b))[0]).toBe('After')
    expect(await subjects(a)).not.toContain('After')
  })
})
