import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isObject, same, type Json, type JsonObject } from '../../src/core/json.ts'
import { effective, mergePatches } from '../../src/core/lens.ts'

const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom('a', 'b', 1, true, null),
  fc.array(fc.constantFrom<Json>('a', 'b'), { maxLength: 2 }),
)
const { patch }: { patch: fc.Arbitrary<JsonObject> } = fc.letrec<{ patch: JsonObject }>((tie) => ({
  patch: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.oneof({ depthSize: 'small' }, leaf, tie('patch')), {
    maxKeys: 3,
  }),
}))

test('an empty patch changes nothing, and repeating a patch adds nothing', () => {
  fc.assert(
    fc.property(patch, patch, (a, b) => {
      expect(mergePatches(a, {})).toEqual(a)
      expect(mergePatches({}, a)).toEqual(a)
      expect(mergePatches(mergePatches(a, b), b)).toEqual(mergePatches(a, b))
    }),
  )
})

test('every leaf of the later patch stands in the merged one', () => {
  const within = (small: Json, large: Json | undefined): boolean =>
    isObject(small) && isObject(large)
      ? Object.entries(small).every(([key, value]) => within(value, large[key]))
      : same(small, large)
  fc.assert(
    fc.property(patch, patch, (a, b) => {
      expect(within(b, mergePatches(a, b))).toBe(true)
    }),
  )
})

test('patches of different keys may be merged in any order', () => {
  fc.assert(
    fc.property(patch, patch, (a, b) => {
      expect(mergePatches({ left: a }, { right: b })).toEqual(mergePatches({ right: b }, { left: a }))
    }),
  )
})

test('what is effective does the same as the whole patch, and after it nothing is', () => {
  fc.assert(
    fc.property(patch, patch, (change, body) => {
      const rest = effective(change, body)
      const whole = mergePatches(body, change)
      expect(mergePatches(body, rest ?? {})).toEqual(whole)
      expect(effective(change, whole)).toBeNull()
    }),
  )
})
