import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inTurn } from '../../src/runtime/in-turn.ts'

test('starts in order, each before the answer of the one before, and gives the results by place', async () => {
  const order: string[] = []
  const slow = Promise.withResolvers<number>()
  const both = inTurn(
    () => {
      order.push('first')
      return slow.promise
    },
    async () => {
      order.push('second')
      slow.resolve(1)
      return 'two'
    },
  )
  expect(await both).toEqual([1, 'two'])
  expect(order).toEqual(['first', 'second'])
})

test('a failure is told only when nothing is under way any more: it would write after the roll-back', async () => {
  let underWay = 0
  const stepsThatFailLater = async () => {
    underWay += 1
    for (let i = 0; i < 20; i++) await nextTurn()
    underWay -= 1
    throw new Error('current transaction is aborted')
  }
  const failing = inTurn(stepsThatFailLater, () => Promise.reject(new Error('deadlock')))
  await expect(failing).rejects.toThrow('deadlock')
  expect(underWay).toBe(0)
})
