import { expect, test } from 'vitest'
import { retryWrite, takeSide } from '../../src/runtime/inbox-actions.ts'
import { openItems } from '../../src/store/inbox.ts'
import { openWorld } from '../support/world.ts'

/** They once asked the database for a link with the id NaN before they looked at the item's kind. */
test('an action that does not fit the item is refused with what does', async () => {
  const world = await openWorld()
  const item = {
    kind: 'mass_change',
    key: 'm',
    title: 't',
    fix: 'f',
    detail: {},
    streamId: 1,
    recordId: null,
  } as const
  await openItems(world.db.sql, [item], world.clock.now)
  expect(await retryWrite(world.hub, 1, 'user:ann')).toEqual({
    kind: 'refused',
    message: 'Item 1 is of the kind "mass change"; only refused writes are sent again.',
  })
  expect(await takeSide(world.hub, 1, 'hub', 'user:ann')).toEqual({
    kind: 'refused',
    message: 'Item 1 is of the kind "mass change"; only conflicts have sides.',
  })
  await world.close()
})
