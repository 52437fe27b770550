import type { Booted } from '../../runtime/boot.ts'
import type { Hub } from '../../runtime/hub.ts'
import type { Programs } from './programs.ts'
import type { Vendors } from './wiring.ts'

/** What the stories act on. */
export type World = {
  readonly booted: Booted
  readonly hub: Hub
  readonly vendors: Vendors
  /** Where the hub's own HTTP answers. */
  readonly api: string
  readonly programs: Programs
  /** The hub's workers in this process. */
  readonly workers: { stop(): Promise<void>; start(): Promise<void> }
  /** People whom a story has used; the next one takes others. */
  readonly used: Set<number>
}

/** The systems that people's records lie in. */
export const SYSTEMS = ['csv', 'mailchimp', 'stripe'] as const
/** All, in the order in which they are read first: mail finds its people when these are known. */
export const CONNECTIONS = [...SYSTEMS, 'gmail', 'outlook'] as const
