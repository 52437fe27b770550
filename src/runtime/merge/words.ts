import type { HubRecord, RecordId, RecordKind, Source } from '../../core/model.ts'
import type { MergedKind, MergedField } from '../../core/survivorship.ts'

/**
 * `by`: who merges; `rule`: why, in words. Rules (`rule:…`) may not merge what a person keeps apart; people, callers of
 * the API and remotes may.
 */
export type MergeRequest = {
  readonly kind: MergedKind
  readonly survivor: RecordId
  readonly losers: readonly RecordId[]
  readonly by: Source
  readonly rule: string
  readonly dryRun?: boolean
}

/** What becomes of a remote object, or of records that name one of the merged. */
export type Carried =
  | {
      readonly kind: 'object'
      /** `connection/stream`. */
      readonly stream: string
      readonly remoteId: string
      readonly of: RecordId
      /**
       * `agrees`: it is held in agreement with the record; `archived`: at its remote; `read`: it is only read; `stays`: it
       * was archived for the merge, which an unmerge does not take back.
       */
      readonly does: 'agrees' | 'archived' | 'read' | 'stays'
    }
  | {
      readonly kind: 'references'
      readonly record: RecordKind
      readonly field: string
      readonly count: number
    }
  | { readonly kind: 'messages'; readonly count: number }

export type Refused = {
  readonly kind: 'refused'
  /** `missing`: there is no such record. `wrong`: it can never be asked for so. `conflict`: not as things are by now. */
  readonly code: 'missing' | 'wrong' | 'conflict'
  readonly message: string
}

export const refused = (code: Refused['code'], message: string): Refused => ({
  kind: 'refused',
  code,
  message,
})

export type MergeResult =
  | {
      readonly kind: 'merged' | 'planned'
      /** Null where nothing was written. */
      readonly run: number | null
      /** The record after the merge. */
      readonly survivor: HubRecord
      readonly fields: readonly MergedField[]
      readonly carried: readonly Carried[]
    }
  | Refused

export type UnmergeRequest = {
  readonly kind: MergedKind
  readonly loser: RecordId
  readonly by: Source
  readonly dryRun?: boolean
  /** Else the two are kept apart: a rule that merged them once would do it again at once. */
  readonly mayMatchAgain?: boolean
}

export type UnmergeResult =
  | {
      readonly kind: 'unmerged' | 'planned'
      readonly run: number | null
      /** The record that it leaves, as it is without it. */
      readonly survivor: HubRecord
      /** The record that is one by itself again. */
      readonly restored: HubRecord
      readonly carried: readonly Carried[]
    }
  | Refused
