import { createHash } from 'node:crypto'
import type { Hub } from '../../src/runtime/hub.ts'
import type { Passed } from '../../src/runtime/cycle.ts'
import type { Chance } from './chance.ts'
import type { Ground, Process } from './ground.ts'
import { Post } from './mail/post.ts'
import { Crash, type Doom } from './mortal.ts'
import type { Oracle } from './oracle.ts'
import { Addresses } from './people.ts'
import type { FaultKind } from './weather.ts'

export type Violation = { readonly property: string; readonly message: string }

/** One seed under way: the world, what people did in it, and the process of the hub that lives now. */
export class Run {
  readonly ground: Ground
  readonly chance: Chance
  readonly oracle: Oracle
  readonly addresses = new Addresses()
  /** Rows the guard has to hold: vanished all at once. */
  readonly vanished = new Set<string>()
  /** How often a person decided about a part of what was held, so that more than the guard allows went through. */
  decidedInPart = 0
  /** Edits of deals after they were won, which nobody carries over. */
  readonly reworked = new Set<string>()
  /** Opt-outs in rows; they count once the hub must have read them. */
  #saidInRows: { readonly id: string; readonly at: number }[] = []
  process: Process
  readonly trace: string[] = []
  /** Who wrote what to whom; null: nobody writes mail in this seed. */
  readonly post: Post | null
  readonly #tell: (line: string) => void

  constructor(
    ground: Ground,
    process: Process,
    chance: Chance,
    oracle: Oracle,
    tell: (line: string) => void = () => undefined,
  ) {
    this.ground = ground
    this.process = process
    this.chance = chance
    this.oracle = oracle
    this.post = ground.mail === null ? null : new Post(ground.mail)
    this.#tell = tell
  }

  note(line: string): void {
    const { clock, sent } = this.ground
    for (const request of sent.splice(0)) this.#line(`    ${request}`)
    this.#line(`${new Date(clock.now).toISOString()} ${line}`)
  }

  #line(line: string): void {
    this.trace.push(line)
    this.#tell(line)
  }

  digest(): string {
    return createHash('sha256').update(this.trace.join('\n')).digest('hex').slice(0, 16)
  }

  /** Lets the hub do something. Where the process dies of it, another one takes its place. */
  async work<T>(label: string, task: (hub: Hub) => Promise<T>): Promise<T | 'died'> {
    const { process } = this
    const doomed = process.mortal.doom?.at ?? 'before a request'
    try {
      const result = await process.mortal.live(() => task(process.hub))
      await this.ground.turns.drained()
      this.note(`${label}${told(result)}`)
      return result
    } catch (error) {
      if (!(error instanceof Crash)) {
        this.note(`${label}: ${String(error)}`)
        throw error
      }
      this.note(`${label}: the process died ${doomed}`)
      this.fired(`crash ${doomed}`)
      await this.replace(process)
      return 'died'
    } finally {
      await this.ground.turns.drained()
      this.ground.onRequest.act = null
      this.ground.source.look()
      this.process.mortal.doom = null
      await this.ground.plant?.afterPass?.(this.ground.sql)
    }
  }

  optOutInRow(id: string): void {
    this.#saidInRows.push({ id, at: this.ground.clock.now })
  }

  /** The next export tells of every row that is still there; who came back by themselves meanwhile, came back. */
  heedRows(): void {
    const { source } = this.ground
    this.#saidInRows = this.#saidInRows.filter(({ id, at }) => {
      if (source.hidden.has(id)) return true
      const email = source.rows.contacts.get(id)?.['email']
      if (email !== undefined && !this.oracle.hasReturned(email, at)) this.oracle.act(email, 'out', at)
      return false
    })
  }

  async replace(process: Process): Promise<void> {
    await process.mortal.bury()
    if (this.process === process) this.process = await this.ground.start()
  }

  doom(at: Doom['at'], left: number): void {
    this.process.mortal.doom = { at, left }
  }

  readonly fired = (kind: FaultKind): void => this.ground.weather.count(kind)
}

function told(result: unknown): string {
  const passes = Array.isArray(result) ? result : [result]
  const lines = passes.filter(isPassed).map((pass) => {
    const problem = pass.problem === null ? '' : ` (${pass.problem})`
    return `${pass.connection} ${pass.seen}/${pass.sent}${problem}`
  })
  return lines.length === 0 ? '' : `: ${lines.join(', ')}`
}

function isPassed(value: unknown): value is Passed {
  return typeof value === 'object' && value !== null && 'seen' in value && 'sent' in value
}
