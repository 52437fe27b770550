import { afterEach, beforeEach, expect, test } from 'vitest'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi({ connections: [] })
})
afterEach(async () => {
  await api.close()
})

async function edited(): Promise<{ readonly contact: number; readonly run: number }> {
  const made = await api.call('POST', '/api/contacts', { givenName: 'Ada', emails: ['ada@example.com'] })
  const contact = Number(made.body['id'])
  await api.call('PATCH', `/api/contacts/${contact}`, { givenName: 'wrong' })
  const { body } = await api.call('GET', '/api/runs?limit=1')
  const [run] = body['items'] as { id: number }[]
  return { contact, run: run?.id ?? 0 }
}

test('a run is shown, planned to be undone, undone, and that is undone', async () => {
  const { contact, run } = await edited()
  const shown = await api.call('GET', `/api/runs/${run}`)
  expect(shown.body).toMatchObject({
    run: { id: run, kind: 'edit' },
    changed: [{ kind: 'contact', op: 'update', count: 1 }],
  })
  const changes = await api.call('GET', `/api/runs/${run}/changes`)
  expect(changes.body).toMatchObject({
    items: [{ recordId: contact, changes: { givenName: { before: 'Ada', after: 'wrong' } } }],
    next: null,
  })
  const plan = await api.call('GET', `/api/runs/${run}/undo`)
  expect(plan.body).toMatchObject({ counts: { update: 1, fields: 1 }, spared: [] })
  const undone = await api.call('POST', `/api/runs/${run}/undo`)
  expect(undone.status).toBe(201)
  expect(undone.body).toMatchObject({ counts: { updated: 1 } })
  const after = await api.call('GET', `/api/contacts/${contact}`)
  expect(after.body).toMatchObject({ fields: { givenName: 'Ada' } })
  const undoRun = Number(undone.body['run'])
  expect((await api.call('GET', `/api/runs/${undoRun}`)).body).toMatchObject({
    run: { undoes: run, by: 'api:crm-import', kind: 'undo' },
  })
  expect((await api.call('POST', `/api/runs/${undoRun}/undo`)).status).toBe(201)
  expect((await api.call('GET', `/api/contacts/${contact}`)).body).toMatchObject({
    fields: { givenName: 'wrong' },
  })
})

test('what cannot be undone is refused with what to do', async () => {
  const { run } = await edited()
  expect((await api.call('POST', '/api/runs/999/undo')).status).toBe(404)
  await api.call('POST', `/api/runs/${run}/undo`)
  const again = await api.call('POST', `/api/runs/${run}/undo`)
  expect(again.status).toBe(409)
  expect(again.text).toContain('brings it back')
  expect((await api.call('GET', `/api/runs/${run}/undo`)).status).toBe(409)
  expect((await api.call('GET', '/api/runs/0')).status).toBe(404)
  expect((await api.call('GET', `/api/runs/${run}/changes?limit=0`)).status).toBe(400)
})

test('lists of runs and changes are paged', async () => {
  for (let i = 0; i < 3; i++) await api.call('POST', '/api/contacts', { givenName: `P${i}` })
  const seen: number[] = []
  for (let next: unknown = '/api/runs?limit=2'; typeof next === 'string'; ) {
    const { body } = await api.call('GET', next)
    seen.push(...(body['items'] as { id: number }[]).map((run) => run.id))
    next = body['next']
  }
  expect(seen).toHaveLength(3)
  expect(new Set(seen).size).toBe(3)
})
