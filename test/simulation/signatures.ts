import { webcrypto } from 'node:crypto'

/*
 * Signatures are made beside this process's own work, and are ready in an order of their own. Here they are made one
 * after the other, in the order they were asked for, so that what follows from them comes in that order too.
 */
let last: Promise<unknown> = Promise.resolve()
let isInTurn = false

/** Once a process: it changes the order of signatures only. */
export function signInTurn(): void {
  if (isInTurn) return
  isInTurn = true
  const { subtle } = webcrypto
  for (const name of ['importKey', 'sign', 'verify'] as const) {
    const real: unknown = Reflect.get(subtle, name)
    if (typeof real !== 'function') throw new Error(`there is no ${name}`)
    const inTurn = (...given: unknown[]): Promise<unknown> => {
      const mine = last.then((): unknown => Reflect.apply(real, subtle, given))
      last = mine.catch(() => undefined)
      return mine
    }
    Reflect.defineProperty(subtle, name, { value: inTurn, configurable: true })
  }
}

/** Every signature that was asked for is made. True: there were none left to wait for. */
export async function signed(): Promise<boolean> {
  const before = last
  await before
  return last === before
}
