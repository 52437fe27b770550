import { rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Observation } from '../../src/connectors/connector.ts'
import { isObject, type Json } from '../../src/core/json.ts'
import type { Lens } from '../../src/core/lens.ts'
import type { Fields, HubRecord } from '../../src/core/model.ts'
import { type Base, type LinkPlan, planBirth, planLink, rebase } from '../../src/core/plan.ts'
import { bodies, create, ids, importAll, observed, put, world } from './csv.support.ts'

/** A column that is a field of the hub as it stands. */
const column = (field: string): Lens => ({
  key: field,
  fields: [field],
  direction: 'both',
  policy: { kind: 'newest' },
  set: false,
  get(body) {
    const value = isObject(body) ? body[field] : undefined
    return value === undefined ? { kind: 'absent' } : { kind: 'value', value: value === '' ? null : value }
  },
  put: (value) => ({ [field]: value }),
})
const LENSES = [column('email'), column('name'), column('city')]

type Present = Extract<Observation, { kind: 'present' }>
function presentOf(seen: Observation | undefined): Present {
  if (seen?.kind !== 'present') throw new Error(`not present: ${JSON.stringify(seen)}`)
  return seen
}

/** The hub's side of one link, moved by the core's own plans. */
function hubOf(first: Present, source = 'csv') {
  const birth = planBirth(LENSES, { body: first.body, modifiedAt: null })
  let fields: Fields = birth.fields
  let base: Base = birth.base
  const planOf = (seen: Present): LinkPlan => {
    const record: HubRecord = { id: 1, kind: 'contact', version: 1, fields, provenance: {}, archived: false }
    return planLink(LENSES, record, { body: seen.body, modifiedAt: null }, base, source)
  }
  return {
    field: (name: string) => fields[name],
    base: (name: string) => base[name],
    edit(change: Fields) {
      fields = { ...fields, ...change }
    },
    /** Reads a row and takes its edits in. */
    read(seen: Present): LinkPlan {
      const plan = planOf(seen)
      const taken = Object.entries(plan.hub).map(([field, { value }]): [string, Json] => [field, value])
      fields = { ...fields, ...Object.fromEntries(taken) }
      base = plan.base
      return plan
    },
    planOf,
    answered(pushed: readonly string[], seen: Present) {
      base = rebase(LENSES, base, pushed, fields, seen.body)
    },
  }
}

const NOTHING = { hub: {}, patch: null, pushed: [], asks: [], overruled: [] }

/** An export of one row is in the hub, and a name was edited there and sent. */
async function edited() {
  const hub = await world()
  let exports = 0
  /** A new export of these rows. */
  const exported = async (...rows: readonly string[]) => {
    const minutesAgo = 60 - exports++
    await put(hub.settings.folder, 'contacts.csv', `id,email,name,city\n${rows.join('\n')}\n`, { minutesAgo })
    return (await importAll(hub.settings)).observations
  }
  const [row] = await exported('7,gus@x.org,Gus,Bonn')
  const seen = presentOf(row)
  const link = hubOf(seen)
  const push = async (last: Present) => {
    const { patch, pushed } = link.planOf(last)
    if (patch === null) throw new Error('nothing to push')
    const [outcome] = await hub.send({
      op: 'update',
      key: 'k',
      id: last.id,
      version: last.version,
      patch,
      observed: last.body,
    })
    const answer = presentOf(observed(outcome))
    link.answered(pushed, answer)
    return answer
  }
  link.edit({ name: 'August' })
  return { ...hub, exported, seen, link, push, answer: await push(seen) }
}

describe('the handoff is not the export', () => {
  test('an export older than the import of a hub edit is no edit; adopting is agreement; another edit is taken', async () => {
    const { exported, settings, seen, link, answer, text } = await edited()
    expect(await text()).toBe('id,email,name,city\r\n7,gus@x.org,August,Bonn\r\n')
    expect(answer).toEqual({ ...seen, modifiedAt: null })
    expect(link.base('name')).toEqual({ hub: 'August', remote: 'Gus' })

    const [same] = (await importAll(settings)).observations
    expect(link.read(presentOf(same))).toMatchObject(NOTHING)
    const [later] = await exported('7,gus@x.org,Gus,Bonn', '8,hal@x.org,Hal,Ulm')
    expect(link.read(presentOf(later))).toMatchObject(NOTHING)
    expect(link.field('name')).toBe('August')

    const [adopted] = await exported('7,gus@x.org,August,Bonn')
    expect(link.read(presentOf(adopted))).toMatchObject(NOTHING)
    expect(link.base('name')).toEqual({ hub: 'August', remote: 'August' })

    const [changed] = await exported('7,gus@x.org,Gustav,Köln')
    expect(link.read(presentOf(changed)).hub).toMatchObject({
      name: { value: 'Gustav' },
      city: { value: 'Köln' },
    })
  })

  test('an edit at the source that came instead of the import is taken, and only that', async () => {
    const { exported, link } = await edited()
    const [elsewhere] = await exported('7,gus@x.org,Gus,Köln')
    const plan = link.read(presentOf(elsewhere))
    expect(plan).toMatchObject({ hub: { city: { value: 'Köln' } }, patch: null })
    expect(Object.keys(plan.hub)).toEqual(['city'])
    const [instead] = await exported('7,gus@x.org,Gustav,Köln')
    expect(link.read(presentOf(instead)).hub).toMatchObject({ name: { value: 'Gustav' } })
  })

  test('a second hub edit joins the first in the handoff', async () => {
    const { settings, link, push, answer, text } = await edited()
    link.edit({ city: 'Ulm' })
    expect(await push(answer)).toEqual(answer)
    expect(await text()).toBe('id,email,name,city\r\n7,gus@x.org,August,Ulm\r\n')
    const [again] = (await importAll(settings)).observations
    expect(link.read(presentOf(again))).toMatchObject(NOTHING)
  })

  test('consent is answered as told, on the exported row and under its version', async () => {
    const { send, seen, text } = await edited()
    const [outcome] = await send({
      op: 'consent',
      key: 'k',
      id: '7',
      state: 'out',
      patch: { unsubscribed: 'yes' },
    })
    expect(observed(outcome)).toEqual({ ...seen, body: { ...seen.body, unsubscribed: 'yes' } })
    expect(await text()).toBe('id,email,name,city,unsubscribed\r\n7,gus@x.org,August,Bonn,yes\r\n')
  })

  test('archiving takes an exported row out of the handoff; the export has it all the same', async () => {
    const { send, seen, text } = await edited()
    const archive = { op: 'archive', key: 'k', id: '7', version: seen.version } as const
    expect(observed((await send(archive))[0])).toEqual(seen)
    expect(await text()).toBe('id,email,name,city\r\n')
    expect(await send(archive)).toMatchObject([{ kind: 'rejected', code: 'cannot-archive' }])
  })

  test('a row that the export lost meanwhile is answered as it stands in the handoff', async () => {
    const { exported, send } = await edited()
    await exported('8,hal@x.org,Hal,Ulm')
    const outcomes = await send(
      { op: 'consent', key: 'k1', id: '7', state: 'out', patch: { unsubscribed: 'yes' } },
      { op: 'archive', key: 'k2', id: '7', version: null },
    )
    expect(outcomes.map(observed)).toMatchObject([
      { kind: 'present', body: { id: '7', name: 'August', unsubscribed: 'yes' } },
      { kind: 'absent', id: '7' },
    ])
  })
})

describe('who is there', () => {
  test('a row that vanished from the export is absent, whatever the handoff says of it', async () => {
    const { exported, fetch, text } = await edited()
    expect(await fetch('7')).toMatchObject([{ kind: 'present', body: { name: 'Gus' } }])
    await exported('8,hal@x.org,Hal,Ulm')
    expect(await text()).toContain('August')
    expect(await fetch('7')).toEqual([{ kind: 'absent', id: '7' }])
  })

  test('an export is a whole listing also where the hub writes; what the hub made is found by its id', async () => {
    const { send, fetch, settings } = await world()
    await put(settings.folder, 'contacts.csv', 'id,email\n1,ann@x.org\n')
    const [made] = await send(create(2, { email: 'bob@x.org' }))
    const pass = await importAll(settings)
    expect(ids(pass)).toEqual(['1'])
    expect(pass.listed).toBe(true)
    expect(await fetch('hub-2', 'hub-3', '1', '9')).toEqual([
      observed(made),
      { kind: 'absent', id: 'hub-3' },
      pass.observations[0],
      { kind: 'absent', id: '9' },
    ])
    await rm(path.join(settings.out, 'contacts.csv'))
    expect(await fetch('hub-2')).toEqual([{ kind: 'absent', id: 'hub-2' }])
  })

  test('without an export only what the hub made can be known', async () => {
    const { send, fetch } = await world()
    const [made] = await send(create(2, { email: 'bob@x.org' }))
    expect(await fetch('hub-2', 'hub-3', '7')).toEqual([observed(made), { kind: 'absent', id: 'hub-3' }])
  })

  test('an adopted object is the exported row, and stays one when the handoff is gone', async () => {
    const { send, fetch, settings, text } = await world()
    const [made] = await send(create(2, { email: 'bob@x.org', name: 'Bob' }))
    const text1 = 'id,email,name\nhub-2,bob@x.org,Robert\n'
    await put(settings.folder, 'contacts.csv', text1)
    const pass = await importAll(settings)
    expect(bodies(pass)).toEqual([{ id: 'hub-2', email: 'bob@x.org', name: 'Robert' }])
    expect(await fetch('hub-2')).toEqual(pass.observations)
    expect(pass.observations).not.toEqual([observed(made)])

    const seen = presentOf(pass.observations[0])
    const { id, version, body } = seen
    const update = { op: 'update', key: 'k', id, version, patch: { name: 'Rob' }, observed: body } as const
    expect((await send(update)).map(observed)).toEqual([seen])
    expect(await text()).toBe('id,email,name\r\nhub-2,bob@x.org,Rob\r\n')
    expect(await fetch('hub-2')).toEqual([seen])
    await rm(path.join(settings.out, 'contacts.csv'))
    expect(await fetch('hub-2')).toEqual([seen])
    expect(await send({ op: 'archive', key: 'k', id, version })).toMatchObject([
      { kind: 'rejected', code: 'cannot-archive' },
    ])
  })

  test('an adopted row that can not be read is neither the handed-over one nor gone', async () => {
    const { send, fetch, settings } = await world()
    await send(create(2, { email: 'bob@x.org', name: 'Bob' }))
    await put(settings.folder, 'contacts.csv', 'id,email,name\nhub-2,bob@x.org\n1,ann@x.org,Ann\n')
    expect(await fetch('hub-2')).toEqual([])
  })
})
