import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonFault } from '../../src/http/json-fault.ts'

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('the place where a text stops being JSON', () => {
  test.each([
    ['{"a": 1,}', 1, 9],
    ['{"a": 1', 1, 8],
    ['{a: 1}', 1, 2],
    ['{\n  "a": tru\n}', 2, 8],
    ['{"a": 01}', 1, 8],
    ['{"a": "x\ny"}', 1, 9],
    ['{"a": "\\x"}', 1, 8],
    ['{"a": 1} 2', 1, 10],
    ['[1 2]', 1, 4],
    ['[1}', 1, 3],
    ['', 1, 1],
    ['"open', 1, 6],
  ])('%j: line %i, column %i', (text, line, column) => {
    expect(parses(text)).toBe(false)
    expect(jsonFault(text)).toEqual({ line, column })
  })

  test('is nowhere exactly where JSON.parse takes the text', () => {
    const damaged = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', '{', ']', ',', ':', '\\', '0', '-', 'e', ' ', '\n', '.'),
      )
      .map(([text, at, put]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + put + text.slice(place + 1)
      })
    fc.assert(
      fc.property(fc.oneof(fc.json(), damaged), (text) => {
        expect(jsonFault(text) === null).toBe(parses(text))
      }),
      { numRuns: 2_000 },
    )
  })
})
