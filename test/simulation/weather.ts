import type { Fault } from '../../src/sandbox/faults.ts'
import type { MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import type { StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { noTraps } from '../../src/sandbox/graph/switches.ts'
import type { MailGround } from './mail/mail-ground.ts'
import type { Chance } from './chance.ts'

/** How one vendor behaves: the share of requests that meet each kind of fault. */
type Storm = { readonly rate: number; readonly kinds: readonly FaultKind[] }

const COMMON = [
  '429 with seconds',
  '429 with a date',
  '429 without Retry-After',
  '5xx before commit',
  '5xx after commit',
  'time-out before commit',
  'time-out after commit',
  'HTML reply',
  'truncated JSON',
  'slow reply',
] as const
const STRIPE_ONLY = ['stored 500 before', 'stored 500 after commit', 'lock_timeout'] as const
/** Everything that can go wrong. The later ones are fired by steps. */
export const FAULT_KINDS = [
  ...COMMON,
  ...STRIPE_ONLY,
  'Mailchimp overload',
  'credentials revoked',
  'expired cursor',
  'crash before a request',
  'crash after a request',
  'crash before a transaction',
  'crash instead of a commit',
  'crash after a commit',
  'webhook repeated',
  'webhook dropped',
  'webhook shuffled',
  'webhook too late',
  'webhook forged',
  'history expired',
  'delta expired',
  'tokens expired',
  'rules changed',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

type Vendors = {
  readonly mailchimp: MailchimpSandbox
  readonly stripe: StripeSandbox
  readonly mail: MailGround | null
}
export type Struck = 'mailchimp' | 'stripe' | 'gmail' | 'outlook'

/** The faults of all vendors. Decided request by request, in the order they leave. */
export class Weather {
  readonly fired = new Map<FaultKind, number>()
  readonly #chance: Chance
  readonly #clock: { now: number }
  readonly #mailchimp: MailchimpSandbox
  readonly #stripe: StripeSandbox
  readonly #mail: MailGround | null

  constructor(chance: Chance, clock: { now: number }, vendors: Vendors) {
    this.#chance = chance
    this.#clock = clock
    this.#mailchimp = vendors.mailchimp
    this.#stripe = vendors.stripe
    this.#mail = vendors.mail
  }

  count(kind: FaultKind): void {
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1)
  }

  brew(vendor: Struck): string {
    const rate = this.#chance.pick([0.08, 0.25, 0.5, 0.9])
    const kinds = this.#chance.shuffled(COMMON).slice(0, this.#chance.int(1, COMMON.length))
    const storm = { rate, kinds }
    if (vendor === 'mailchimp') {
      this.#mailchimp.faults.plan = () => this.#strike(storm)
      if (this.#chance.maybe(0.15)) this.#overload()
    } else if (vendor === 'stripe') {
      this.#stripe.faults.plan = () => this.#strike(storm)
      if (this.#chance.maybe(0.8)) this.#break(rate)
    } else {
      const sandbox = vendor === 'gmail' ? this.#mail?.google : this.#mail?.graph
      if (sandbox !== undefined) sandbox.faults.plan = () => this.#strike(storm)
    }
    return `${vendor} ${rate} ${kinds.join(', ')}`
  }

  /** The next object that is made at Stripe is made, and its maker never told. */
  strand(path: string): string {
    const kind = this.#chance.pick([
      '5xx after commit',
      'stored 500 after commit',
      'stored 500 before',
    ] as const)
    let left = 1
    const strikes = (request: { method: string; path: string }) =>
      request.method === 'POST' && request.path === path && left-- > 0
    if (kind === '5xx after commit') {
      this.#stripe.faults.plan = (request) => {
        if (!strikes(request)) return null
        this.count(kind)
        return { kind: 'after-commit', status: 500 }
      }
    } else {
      this.#stripe.state.switches.crash = (request) => {
        if (!strikes(request)) return null
        this.count(kind)
        return kind === 'stored 500 before' ? 'before' : 'after-commit'
      }
    }
    return `stripe once ${kind} at ${path}`
  }

  clear(): void {
    this.#mailchimp.faults.plan = null
    this.#stripe.faults.plan = null
    if (this.#mail !== null) calm(this.#mail)
    this.#mailchimp.admin.setOverloaded(false)
    Object.assign(this.#stripe.state.switches, { crash: null, lockTimeout: null })
  }

  #overload(): void {
    this.count('Mailchimp overload')
    this.#mailchimp.admin.setOverloaded(true)
  }

  #break(rate: number): void {
    const { switches } = this.#stripe.state
    const writes = (method: string) => method !== 'GET' && this.#chance.maybe(Math.max(rate, 0.3))
    switches.crash = ({ method }) => {
      if (!writes(method)) return null
      const after = this.#chance.maybe(0.5)
      this.count(after ? 'stored 500 after commit' : 'stored 500 before')
      return after ? 'after-commit' : 'before'
    }
    switches.lockTimeout = ({ method }) => {
      if (!writes(method)) return null
      this.count('lock_timeout')
      return this.#chance.pick([409, 429] as const)
    }
  }

  #strike({ rate, kinds }: Storm): Fault | null {
    if (!this.#chance.maybe(rate)) return null
    const kind = this.#chance.pick(kinds)
    this.count(kind)
    return this.#faultOf(kind)
  }

  #faultOf(kind: FaultKind): Fault | null {
    // Some waits are short enough for the process, others are for the database.
    const waitSeconds = this.#chance.pick([1, 2, 5, 60, 900])
    switch (kind) {
      case '429 with seconds':
        return { kind: 'status', status: 429, headers: { 'retry-after': String(waitSeconds) } }
      case '429 with a date': {
        const until = new Date(this.#clock.now + waitSeconds * 1000).toUTCString()
        return { kind: 'status', status: 429, headers: { 'retry-after': until } }
      }
      case '429 without Retry-After':
        return { kind: 'status', status: 429 }
      case '5xx before commit':
        return { kind: 'status', status: this.#chance.pick([500, 502, 503]) }
      case '5xx after commit':
        return { kind: 'after-commit', status: this.#chance.pick([500, 502, 503]) }
      case 'time-out before commit':
        return { kind: 'timeout-before' }
      case 'time-out after commit':
        return { kind: 'timeout-after-commit' }
      case 'HTML reply':
        return { kind: 'html' }
      case 'truncated JSON':
        return { kind: 'truncated' }
      case 'slow reply':
        this.#clock.now += this.#chance.int(500, 25_000)
        return null
      default:
        return null
    }
  }
}

/** Mail behaves as on a good day again. */
function calm({ google, graph }: MailGround): void {
  for (const { faults } of [google, graph]) faults.plan = null
  google.switches.emptyHistoryPages = false
  const { gate, applicationScope, consent, expiry } = graph.switches
  Object.assign(graph.switches, noTraps(), { gate, applicationScope, consent, expiry })
}
