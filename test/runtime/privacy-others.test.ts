import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { exportPerson } from '../../src/runtime/privacy/export.ts'
import { FakeMailbox, openMailWorld, type MailWorld } from './mail.support.ts'
import { edit, made, read } from './merge.support.ts'
import { tracesLeft } from './privacy.support.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

/** Two people, of whom the first was once said to have the second one's address. */
async function mistaken(): Promise<{ readonly w: MailWorld; readonly ann: number; readonly bo: number }> {
  const box = new FakeMailbox('rep@ours.example')
  const w = await openMailWorld([box])
  world = w
  const ann = await made(w.hub, 'contact', {
    familyName: 'Varnhagen',
    emails: ['ann@a.example', 'bo@b.example'],
  })
  await edit(w.hub, 'contact', ann, { emails: ['ann@a.example'] })
  const bo = await made(w.hub, 'contact', { familyName: 'Other', emails: ['bo@b.example'] })
  await w.db.sql`
    insert into consents (address, channel, audience, state, at, explicit, source)
    values ('bo@b.example', 'email', 'list', 'out', ${w.clock.now}, true, 'api')`
  box.receive({ from: 'bo@b.example', subject: 'Only Bo', text: 'Write to bo@b.example' })
  box.receive({ from: 'ann@a.example', subject: 'Only Ann', text: 'Write to ann@a.example' })
  await syncAll(w.hub, ['mail'], 'changes')
  return { w, ann, bo }
}

test('an erasure takes nothing of whoever has an address now that the person once had', async () => {
  const { w, ann, bo } = await mistaken()
  expect(await eraseRecord(w.hub, { id: ann, by: 'user:eve' })).toMatchObject({ counts: { messages: 1 } })
  expect(await tracesLeft(w.db, ['ann@a.example', 'Varnhagen'])).toEqual([])
  expect(await w.db.sql`select subject, state, text from messages where state = 'kept'`).toEqual([
    { subject: 'Only Bo', state: 'kept', text: 'Write to bo@b.example' },
  ])
  expect(await w.db.sql`select state from consents where address = 'bo@b.example'`).toHaveLength(1)
  expect((await read(w.hub, 'contact', bo)).fields['emails']).toEqual(['bo@b.example'])
})

test('an export has nothing of whoever has an address now that the person once had', async () => {
  const { w, ann } = await mistaken()
  const pieces = await exportPerson(w.hub, ann)
  if (pieces === null) throw new Error('nothing')
  let text = ''
  for await (const piece of pieces) text += piece
  const told: { addresses: string[]; parts: { name: string; rows: unknown[] }[] } = JSON.parse(text)
  const rows = (name: string) => told.parts.find((part) => part.name === name)?.rows
  expect(told.addresses).toEqual(['ann@a.example'])
  expect(rows('messages')).toMatchObject([{ subject: 'Only Ann' }])
  expect(rows('consent')).toEqual([])
})
