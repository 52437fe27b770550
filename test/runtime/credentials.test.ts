import { expect, it } from 'vitest'
import { saveConnection } from '../../src/store/connections.ts'
import { openWorld } from '../support/world.ts'

it('a running hub takes up credentials and settings that another process saved', async () => {
  const world = await openWorld({ connections: ['stripe'] })
  try {
    const { hub } = world
    const before = await hub.io('stripe')
    // One client as long as nothing changed: it remembers what the vendor still counts.
    expect(await hub.io('stripe')).toBe(before)
    const row = { name: 'stripe', connector: 'stripe', accountId: null, label: null }
    await saveConnection(world.db.sql, hub.vault, { ...row, settings: { a: 'b' } }, { apiKey: 'sk_test_new' })
    const after = await hub.io('stripe')
    expect(after.secrets).toEqual({ apiKey: 'sk_test_new' })
    expect(after.settings).toMatchObject({ a: 'b' })
  } finally {
    await world.close()
  }
})
