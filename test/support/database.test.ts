import postgres from 'postgres'
import { expect, it } from 'vitest'
import { testDatabase } from './database.ts'

it('gives each caller a database of its own, and takes it away', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()])
  const inOne = postgres(one.url, { max: 1 })
  const inTwo = postgres(two.url, { max: 1 })
  try {
    await inOne`create table mine as select 1`
    expect(await inTwo`select to_regclass('mine') as found`).toEqual([{ found: null }])
  } finally {
    await Promise.all([inOne.end(), inTwo.end()])
    await Promise.all([one.drop(), two.drop()])
  }
  const gone = postgres(one.url, { max: 1 })
  await expect(gone`select 1`).rejects.toMatchObject({ code: '3D000' })
  await gone.end()
})
