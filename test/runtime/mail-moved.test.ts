import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { FakeMailbox, type MailWorld, message, openMailWorld } from './mail.support.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

const FROM = 'ada@acme.example'
const sync = async (w: MailWorld) => {
  for (const pass of await syncAll(w.hub, ['mail'], 'changes')) expect(pass.problem).toBeNull()
}
const kept = async (w: MailWorld) =>
  (await w.db.sql<{ subject: string }[]>`select subject from messages where state = 'kept'`).map(
    (row) => row.subject,
  )

/** As with IMAP: a message that is moved has another id. */
async function move(
  to: readonly string[],
  flags: readonly 'spam'[] = [],
  isLater = false,
  messageId: string | null = 'one@acme.example',
) {
  const box = new FakeMailbox('rep@ours.example')
  const w = (world = await openMailWorld([box]))
  await w.contact(FROM)
  const letter = message({ from: FROM, to: [box.address], subject: 'Moved', messageId })
  const old = box.put({ from: FROM, to: [], labels: ['INBOX'] }, letter)
  await sync(w)
  expect(await kept(w)).toEqual(['Moved'])
  const fresh = box.put({ from: FROM, to: [], labels: to, flags }, letter)
  if (isLater) await sync(w)
  box.remove(old)
  await sync(w)
  return { w, box, fresh, letter }
}

test('a message that is moved to another folder stays logged', async () => {
  const { w } = await move(['Clients'])
  expect(await kept(w)).toEqual(['Moved'])
})

test.each([false, true])(
  'one that is moved to a private folder is withdrawn, and comes back with it (seen later: %s)',
  async (isLater) => {
    const { w, box, fresh, letter } = await move(['Private'], [], isLater)
    expect(await kept(w)).toEqual([])
    expect(await w.db.sql`select 1 from messages where text is not null`).toHaveLength(0)
    box.put({ from: FROM, to: [], labels: ['INBOX'] }, letter)
    box.remove(fresh)
    await sync(w)
    expect(await kept(w)).toEqual(['Moved'])
  },
)

test('so is one that is moved to spam', async () => {
  const { w } = await move(['Junk'], ['spam'])
  expect(await kept(w)).toEqual([])
})

test('another message that is private says nothing of one that was deleted', async () => {
  const box = new FakeMailbox('rep@ours.example')
  const w = (world = await openMailWorld([box]))
  await w.contact(FROM)
  const old = box.receive({ from: FROM, subject: 'Kept', labels: ['INBOX'] })
  box.receive({ from: FROM, subject: 'Other', labels: ['Private'] })
  await sync(w)
  box.remove(old)
  await sync(w)
  expect(await kept(w)).toEqual(['Kept'])
})
