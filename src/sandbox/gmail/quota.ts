import { type GoogleError, quotaExceeded } from './errors.ts'

export type MeterCounters = { allowed: number; refused: number; units: number }

/**
 * What calls cost since 1 May 2026.
 * https://developers.google.com/workspace/gmail/api/reference/quota
 */
export const COSTS = {
  getProfile: 1,
  'history.list': 2,
  'labels.get': 1,
  'labels.list': 1,
  'messages.attachments.get': 20,
  'messages.get': 20,
  'messages.list': 5,
  'settings.sendAs.list': 1,
  stop: 50,
  'threads.get': 40,
  watch: 100,
} as const
export type Method = keyof typeof COSTS

const MINUTE_MS = 60_000

/** Units in any minute, of one user and of the whole project. A refused call costs nothing. */
export class Meter {
  readonly #now: () => number
  readonly #perUser: number
  readonly #perProject: number
  readonly #counters: MeterCounters
  readonly #users = new Map<string, Window>()
  readonly #project = new Window()

  constructor(options: { now: () => number; perUser: number; perProject: number; counters: MeterCounters }) {
    this.#now = options.now
    this.#perUser = options.perUser
    this.#perProject = options.perProject
    this.#counters = options.counters
  }

  /** Null: the call may go on. */
  charge(user: string, method: Method, refusal: 429 | 403): GoogleError | null {
    const at = this.#now()
    const units = COSTS[method]
    const own = this.#users.get(user) ?? new Window()
    this.#users.set(user, own)
    const over =
      own.sum(at) + units > this.#perUser
        ? 'user'
        : this.#project.sum(at) + units > this.#perProject
          ? 'project'
          : null
    if (over !== null) {
      this.#counters.refused += 1
      return quotaExceeded(refusal, over)
    }
    own.add(at, units)
    this.#project.add(at, units)
    this.#counters.allowed += 1
    this.#counters.units += units
    return null
  }
}

/** Charges of the last minute; those of one millisecond are kept as one. */
class Window {
  #charges: { readonly at: number; units: number }[] = []
  #first = 0
  #sum = 0

  sum(at: number): number {
    for (let oldest = this.#charges[this.#first]; oldest !== undefined; oldest = this.#charges[this.#first]) {
      if (oldest.at > at - MINUTE_MS) break
      this.#sum -= oldest.units
      this.#first += 1
    }
    if (this.#first > 1_000) {
      this.#charges = this.#charges.slice(this.#first)
      this.#first = 0
    }
    return this.#sum
  }

  add(at: number, units: number): void {
    const last = this.#charges.at(-1)
    if (last !== undefined && last.at === at && this.#charges.length > this.#first) last.units += units
    else this.#charges.push({ at, units })
    this.#sum += units
  }
}
