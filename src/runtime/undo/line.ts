import type { HarmfulChange } from '../../core/guard.ts'
import type { Json } from '../../core/json.ts'
import type { FieldName, RecordId, RecordKind } from '../../core/model.ts'
import type { Spared } from '../../core/undo.ts'
import type { Change } from '../change.ts'

/** What the undo comes to at one remote. `stays`: nothing is sent there, and the object says what it said. */
export type RemoteEffect = {
  readonly stream: string
  readonly what: 'update' | 'archive' | 'create' | 'opt-out' | 'stays'
  /** Why nothing is sent; null otherwise. */
  readonly why: string | null
}

/** What an undo does to one record, and what it leaves. */
export type UndoLine = {
  readonly kind: RecordKind
  readonly id: RecordId
  readonly title: string
  readonly op: 'archive' | 'restore' | 'update' | 'none'
  readonly fields: readonly { readonly field: FieldName; readonly from: Json; readonly to: Json }[]
  readonly spared: readonly Spared[]
  readonly remotes: readonly RemoteEffect[]
}

/** A write that the guard of a stream has to let through: the plan of the undo has shown it. */
export type Allowed = HarmfulChange & { readonly streamId: number }

/** The line, and what carries it out. */
export type Decided = {
  readonly line: UndoLine
  readonly change: Change | null
  /** Links whose object the hub had archived, to be made again. */
  readonly revive: readonly number[]
  readonly allow: readonly Allowed[]
}
