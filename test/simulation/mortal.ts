import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from '../../src/store/database.ts'
import { signed } from './signatures.ts'

/** Where a process may die. A request that left has been carried out, whatever the process still learns of it. */
export type Doom = {
  readonly at:
    | 'before a request'
    | 'after a request'
    | 'before a transaction'
    | 'instead of a commit'
    | 'after a commit'
  /** How many such moments are survived. */
  left: number
}

export class Crash extends Error {}

const never = (): Promise<never> => new Promise(() => undefined)

/** Set in what a transaction does: what it asks for beside itself must not wait for its end. */
const inside = new AsyncLocalStorage<true>()

/**
 * The order of things in one run. The database answers over a socket, in its own time, and requests are answered in
 * this process; left alone they would race, those of several processes as well as those of several mailboxes that one
 * process reads at once. So one transaction or statement goes to the database at a time, in the order they come, and a
 * request waits until the database has nothing to do. Which of two goes first then follows from the code alone.
 */
export class Turns {
  #isTaken = false
  #running = 0
  readonly #queue: (() => void)[] = []
  #waiting: { readonly most: number; readonly go: () => void }[] = []
  #requests: Promise<unknown> = Promise.resolve()
  #passing: (() => void)[] = []
  /** Those that transactions ask for. */
  #within: Promise<unknown> = Promise.resolve()
  /** False: processes overlap at the database as they like, and a seed gives another run each time. */
  strict = true

  async atDatabase<T>(work: () => Promise<T>, isWaiting = false): Promise<T> {
    if (!this.strict || inside.getStore() === true) return this.#counted(work, isWaiting)
    if (this.#isTaken) await new Promise<void>((go) => this.#queue.push(go))
    this.#isTaken = true
    try {
      return await this.#counted(work, isWaiting)
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#isTaken = false
      else next()
    }
  }

  /**
   * One request at a time, when the database is at rest. What a transaction asks for itself (a plan reads the vendor in
   * one that it rolls back) waits for what runs beside it only: the transaction ends after the answer.
   */
  asRequest<T>(work: () => Promise<T>): Promise<T> {
    if (inside.getStore() === true) {
      const own = this.#within.then(async () => {
        await this.#rest(1)
        return work()
      })
      this.#within = own.catch(() => undefined)
      return own
    }
    const mine = this.#requests.then(async () => {
      await this.#rest()
      return work()
    })
    this.#requests = mine.catch(() => undefined)
    return mine
  }

  /** Until a statement has ended, other than of those that only ask whether they may go on. */
  passed(): Promise<void> {
    return new Promise((go) => this.#passing.push(go))
  }

  /** What was asked for and is not needed any more (a page after a failure) still runs to its end. */
  async drained(): Promise<void> {
    for (;;) {
      const last = this.#requests
      await last
      await this.#rest()
      await nextTurn()
      if (this.#requests === last && this.#running === 0) return
    }
  }

  async #counted<T>(work: () => Promise<T>, isWaiting: boolean): Promise<T> {
    this.#running += 1
    try {
      return await work()
    } finally {
      this.#running -= 1
      const due = this.#waiting.filter(({ most }) => this.#running <= most)
      this.#waiting = this.#waiting.filter((one) => !due.includes(one))
      for (const { go } of due) go()
      if (!isWaiting) for (const go of this.#passing.splice(0)) go()
    }
  }

  async #rest(most = 0): Promise<void> {
    for (;;) {
      // What follows from the last answer runs first, and may go to the database again.
      await nextTurn()
      if (!(await signed())) continue
      await nextTurn()
      if (this.#running <= most) return
      await new Promise<void>((go) => this.#waiting.push({ most, go }))
    }
  }
}

/** One process of the hub, as far as its life and death go. */
export class Mortal {
  doom: Doom | null = null
  isDead = false
  readonly death: Promise<never>
  readonly database: Database
  readonly #turns: Turns
  readonly #raw: Database
  readonly #end: (error: Crash) => void

  constructor(raw: Database, turns: Turns) {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    this.death = promise
    this.#end = reject
    this.#turns = turns
    this.#raw = raw
    this.database = {
      ...raw,
      sql: this.#gated(raw.sql),
      beside: this.#gated(raw.beside),
      locks: this.#gated(raw.locks),
      actions: this.#gated(raw.actions),
    }
  }

  /** What the process comes to; rejects with a `Crash` where it dies on the way. */
  live<T>(work: () => Promise<T>): Promise<T> {
    return Promise.race([work(), this.death])
  }

  async sleep(clock: { now: number }, ms: number): Promise<void> {
    if (this.isDead) return never()
    clock.now += Math.max(0, ms)
  }

  request<T>(send: () => Promise<T>): Promise<T> {
    return this.#turns.asRequest(async () => {
      if (this.isDead) return this.#gone()
      if (this.#meets('before a request')) return this.#gone()
      const answer = await send()
      return this.#meets('after a request') ? this.#gone() : answer
    })
  }

  /** Ends the sessions of a process at once, as its death would. */
  async bury(): Promise<void> {
    const { sql, beside, locks, actions } = this.#raw
    await Promise.all([sql, beside, locks, actions].map((pool) => pool.end({ timeout: 0 })))
  }

  /** Rejecting frees the timers of who waits; what it does next comes to nothing, as every door is closed. */
  #gone(): never {
    throw new Crash('the process is dead')
  }

  #meets(moment: Doom['at']): boolean {
    if (this.doom === null || this.doom.at !== moment) return false
    this.doom.left -= 1
    if (this.doom.left >= 0) return false
    this.#die()
    return true
  }

  #die(): void {
    this.isDead = true
    this.doom = null
    this.#end(new Crash('the process died'))
  }

  async #statement<T>(run: () => Promise<T>, isWaiting = false): Promise<T> {
    if (this.isDead) return never()
    try {
      const answer = await this.#turns.atDatabase(run, isWaiting)
      return this.isDead ? await never() : answer
    } catch (error) {
      return this.isDead ? never() : Promise.reject(toError(error))
    }
  }

  async #transaction<T, X>(
    begin: (work: (tx: X) => Promise<T>) => Promise<T>,
    work: (tx: X) => Promise<T>,
  ): Promise<T> {
    if (this.isDead || this.#meets('before a transaction')) return never()
    const done = await this.#statement(() =>
      begin(async (tx) => {
        const result = await inside.run(true, () => work(tx))
        if (this.#meets('instead of a commit')) throw new Crash('the process died')
        return result
      }),
    )
    return this.#meets('after a commit') ? never() : done
  }

  /** A session that waits for a lock at the server would keep the turn that its holder needs to let go of it. */
  async #locked(attempt: () => Promise<unknown>): Promise<unknown> {
    for (;;) {
      const answer = await this.#statement(attempt, true)
      if (JSON.stringify(answer) === '[{"is_held":true}]') return answer
      await this.#turns.passed()
    }
  }

  #gated<S extends object>(sql: S): S {
    const gate = (made: unknown): unknown => (isPromise(made) ? this.#lazily(made) : made)
    return new Proxy(sql, {
      apply: (target, _self, given: unknown[]) => {
        const tried = triedLock(given)
        return tried === null
          ? gate(called(target, given))
          : this.#locked(() => settled(called(target, tried)))
      },
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        if (name === 'begin') {
          const begin = (work: (tx: unknown) => Promise<unknown>) => settled(called(found, [work], target))
          return (work: (tx: unknown) => Promise<unknown>) => this.#transaction(begin, work)
        }
        if (name === 'unsafe') return (...given: unknown[]) => gate(called(found, given, target))
        if (name === 'reserve') {
          return async () => {
            const session = await this.#statement(() => settled(called(found, [], target)))
            return typeof session === 'function' ? this.#gated(session) : session
          }
        }
        return found
      },
    })
  }

  /** A statement leaves when it is awaited (parts of others never are): that is where it waits for its turn. */
  #lazily(query: Promise<unknown>): Promise<unknown> {
    const send = query.then.bind(query)
    const run = () => this.#statement(() => new Promise((resolve, reject) => void send(resolve, reject)))
    type Then = (ok?: (value: unknown) => unknown, bad?: (error: unknown) => unknown) => Promise<unknown>
    const then: Then = (ok, bad) => run().then(ok, bad)
    for (const name of ['then'] as const) Reflect.defineProperty(query, name, { value: then })
    Reflect.defineProperty(query, 'catch', {
      value: (bad: (error: unknown) => unknown) => then(undefined, bad),
    })
    return query
  }
}

const TRY = Object.assign(['select pg_try_advisory_lock(hashtextextended(', ', 0)) as is_held'], {
  raw: ['select pg_try_advisory_lock(hashtextextended(', ', 0)) as is_held'],
})

/** A statement that waits for a session's lock, as one that does not wait; null for any other. */
function triedLock([strings, ...values]: unknown[]): unknown[] | null {
  const isLock = Array.isArray(strings) && strings[0] === 'select pg_advisory_lock(hashtextextended('
  return isLock ? [TRY, ...values] : null
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise
}

function called(target: object, given: unknown[], self?: unknown): unknown {
  return typeof target === 'function' ? Reflect.apply(target, self, given) : undefined
}

async function settled(value: unknown): Promise<unknown> {
  return value
}
