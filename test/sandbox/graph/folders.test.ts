import { describe, expect, test } from 'vitest'
import { ANN, graph, type Item, isRemoved, mail, START } from './client.ts'

const names = (items: readonly Item[]) => items.map(({ displayName }) => String(displayName))

describe('folders', () => {
  test('the list has the top level alone, ten at a time, without hidden ones', async () => {
    const { people, list } = graph()
    people.createFolder(ANN, 'Customers')
    people.createFolder(ANN, 'Acme', { parent: 'Customers' })
    for (let i = 0; i < 3; i++) people.createFolder(ANN, `Folder ${i}`)
    people.createFolder(ANN, 'Secret', { isHidden: true })
    const page = await list('/v1.0/me/mailFolders')
    expect(page.value).toHaveLength(10)
    const rest = await list(page['@odata.nextLink'] ?? '')
    const all = names([...page.value, ...rest.value])
    expect(all).toContain('Customers')
    expect(all).not.toContain('Acme')
    expect(all).not.toContain('Secret')
    const hidden = await list('/v1.0/me/mailFolders?includeHiddenFolders=true&$top=100')
    expect(names(hidden.value)).toContain('Secret')
    const children = await list(
      `/v1.0/me/mailFolders/${people.folder(ANN, 'Customers').ids.immutable}/childFolders`,
    )
    expect(names(children.value)).toEqual(['Acme'])
  })

  test('by well-known name in any case, by id in its own case alone', async () => {
    const { people, get } = graph()
    const { immutable } = people.folder(ANN, 'sentitems').ids
    for (const path of ['sentitems', 'SentItems', immutable])
      expect((await get(`/v1.0/me/mailFolders/${path}`)).body).toMatchObject({ id: immutable })
    expect((await get(`/v1.0/me/mailFolders('${immutable}')`)).body).toMatchObject({ id: immutable })
    expect((await get(`/v1.0/me/mailFolders/${immutable.toLowerCase()}`)).status).toBe(404)
    expect((await get('/v1.0/me/mailFolders/msgfolderroot')).body).toMatchObject({ id: expect.any(String) })
  })

  test('delta lists all levels, then what was made, renamed, moved away or removed', async () => {
    const { people, round } = graph()
    people.createFolder(ANN, 'Customers')
    people.createFolder(ANN, 'Acme', { parent: 'Customers' })
    people.createFolder(ANN, 'Secret', { isHidden: true })
    const first = await round('/v1.0/me/mailFolders/delta')
    expect(names(first.items)).toContain('Acme')
    expect(names(first.items)).not.toContain('Secret')
    people.renameFolder(ANN, 'Acme', 'Acme Ltd')
    people.createFolder(ANN, 'New')
    const second = await round(first.link)
    expect(names(second.items).toSorted()).toEqual(['Acme Ltd', 'New'])
    people.deleteFolder(ANN, 'New')
    const third = await round(second.link)
    expect(third.items).toMatchObject([{ parentFolderId: people.folder(ANN, 'deleteditems').ids.immutable }])
    people.deleteFolder(ANN, 'Customers', true)
    const fourth = await round(third.link)
    expect(fourth.items.map(isRemoved)).toEqual([true, true])
  })

  test('delta goes on with hidden folders where it began with them', async () => {
    const { people, round } = graph()
    const first = await round('/v1.0/me/mailFolders/delta?includeHiddenFolders=true')
    expect(names(first.items)).toContain('Clutter')
    people.createFolder(ANN, 'Secret', { isHidden: true })
    expect(names((await round(first.link)).items)).toEqual(['Secret'])
  })

  test('a folder removed for good takes its mail along', async () => {
    const { people, get } = graph()
    const folder = people.createFolder(ANN, 'Old').ids.immutable
    const [message] = people.deliver(ANN, mail(), { folder: 'Old', at: START })
    people.deleteFolder(ANN, 'Old', true)
    expect((await get(`/v1.0/me/mailFolders/${folder}/messages/delta`)).status).toBe(404)
    expect((await get(`/v1.0/me/messages/${message?.ids.immutable}`)).status).toBe(404)
  })
})
