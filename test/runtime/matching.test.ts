import { afterEach, expect, test } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { likelyDuplicates } from '../../src/runtime/matching/likely.ts'
import { matchWaiting } from '../../src/runtime/matching/step.ts'
import { listItems } from '../../src/store/inbox.ts'
import { keepApart } from '../../src/store/merges.ts'
import { openWorld, type World, type WorldOptions } from '../support/world.ts'

let open: World | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})
const world = async (options: WorldOptions = {}): Promise<World> => (open = await openWorld(options))

type Given = Readonly<Record<string, Json>>
const JANE: Given = {
  givenName: 'Jane',
  familyName: 'Smithson',
  emails: ['jane.smithson@acme.example'],
  phones: ['+12125550147'],
  companyName: 'Acme Corp',
}

async function make(w: World, fields: Given, kind: 'contact' | 'company' = 'contact'): Promise<number> {
  const made = await createRecord(w.hub, kind, fields, 'api:test')
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  return made.record.id
}
const questions = async (w: World) =>
  (await listItems(w.db.sql, { state: 'open', kind: 'duplicate', limit: 500 })).map(
    ({ key, title, detail }) => ({ key, title, detail }),
  )

test('a person who looks like another one is asked about once, with the evidence in words', async () => {
  const w = await world()
  const jane = await make(w, JANE)
  const other = await make(w, {
    givenName: 'J.',
    familyName: 'Smithsen',
    phones: ['+12125550147'],
    companyName: 'Acme Corporation',
  })
  await matchWaiting(w.hub)
  await matchWaiting(w.hub)
  const asked = await questions(w)
  expect(asked).toMatchObject([
    { key: `duplicate:${jane}:${other}`, detail: { records: [jane, other], kind: 'contact' } },
  ])
  expect(asked[0]?.title).toMatch(/^J\. Smithsen at Acme Corporation may be Jane Smithson at Acme Corp <jane.smithson@acme.example>: .*same phone/)
  expect(await likelyDuplicates(w.hub, 'contact', other)).toMatchObject([{ id: jane }])
})
