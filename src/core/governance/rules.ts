import type { FieldName } from '../model.ts'
import type { Pipeline } from '../stream.ts'
import type { Choosers, Picklist } from './picklist.ts'

/** The kinds of record that rules are made for: those that people keep. */
export const GOVERNED_KINDS = ['contact', 'company', 'deal'] as const
export type GovernedKind = (typeof GOVERNED_KINDS)[number]

/** What an admin says good data is. */
export type Governance = {
  readonly picklists: readonly Picklist[]
  readonly choosers: Choosers
  readonly required: Readonly<Record<GovernedKind, readonly FieldName[]>>
  /** What is made of names that are typed in capitals or small letters alone, on their way in. */
  readonly names: 'keep' | 'tidy'
  /** Without contact for so many months a record counts as stale. */
  readonly staleAfterMonths: number
}

export const NO_GOVERNANCE: Governance = {
  picklists: [],
  choosers: new Map(),
  required: { contact: [], company: [], deal: [] },
  names: 'keep',
  staleAfterMonths: 12,
}

export type Rules = { readonly governance: Governance; readonly pipelines: readonly Pipeline[] }

export const isGoverned = (kind: string): kind is GovernedKind =>
  GOVERNED_KINDS.some((governed) => governed === kind)
