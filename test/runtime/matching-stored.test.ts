import { expect, test } from 'vitest'
import { DEFAULT_MODELS } from '../../src/core/match/model.ts'
import { isObject, type Json } from '../../src/core/json.ts'
import { storedModel } from '../../src/runtime/matching/stored-model.ts'

const kept: Json = JSON.parse(JSON.stringify(DEFAULT_MODELS.person))

test('a model comes back as it was kept', () => {
  expect(isObject(kept) && storedModel(kept)).toEqual(DEFAULT_MODELS.person)
})

test('what was learned by other attributes or levels counts for nothing, instead of scoring wrongly', () => {
  if (!isObject(kept) || !isObject(kept['m'])) throw new Error('no model')
  const { given, ...rest } = kept['m']
  expect(given).toBeDefined()
  expect(storedModel({ ...kept, m: rest })).toBeNull()
  expect(storedModel({ ...kept, m: { ...rest, given: [0.9, 0.1] } })).toBeNull()
  expect(storedModel({ ...kept, prior: 'low' })).toBeNull()
})
