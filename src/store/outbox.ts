import type { ConsentState } from '../core/consent.ts'
import type { Instant, JsonObject } from '../core/json.ts'
import type { Fields, RecordId } from '../core/model.ts'
import { numbers } from './columns.ts'
import { rows, type Query } from './database.ts'

/** `sending`: the call is under way, or the process died in it. */
export type OutboxState = 'sending' | 'uncertain' | 'applied' | 'rejected' | 'stale' | 'retry' | 'abandoned'

/** One write to a vendor. The row is made before the call and kept with its outcome. */
export type OutboxRow = {
  readonly id: number
  readonly streamId: number
  readonly linkId: number
  readonly recordId: RecordId
  readonly key: string
  readonly op: 'create' | 'update' | 'consent' | 'archive'
  readonly remoteId: string | null
  readonly body: JsonObject
  readonly consent: ConsentState | null
  readonly pushed: readonly string[]
  readonly sent: Fields
  readonly wake: number
  readonly state: OutboxState
  readonly attempts: number
  readonly createdAt: Instant
  readonly triedAt: Instant
}

export type NewOutboxRow = Omit<OutboxRow, 'id' | 'state' | 'attempts' | 'createdAt' | 'triedAt'>

const COLUMNS = `id, stream_id as "streamId", link_id as "linkId", record_id as "recordId", key, op, remote_id as "remoteId",
  body, consent, pushed, sent, wake, state, attempts, created_at as "createdAt", tried_at as "triedAt"`

/** Writes down what is about to be sent. Commit before the first call. */
export async function openWrites(
  q: Query,
  writes: readonly NewOutboxRow[],
  run: number | null,
  at: Instant,
): Promise<void> {
  if (writes.length === 0) return
  await q`
    insert into outbox (stream_id, link_id, record_id, run_id, key, op, remote_id, body, consent, pushed, sent, wake,
      state, created_at, tried_at)
    select "streamId", "linkId", "recordId", ${run}, key, op, "remoteId", body, consent, pushed, sent, wake,
      'sending', ${at}, ${at}
    from jsonb_to_recordset(${rows(writes)}::text::jsonb) as r("streamId" int, "linkId" bigint, "recordId" bigint,
      key text, op text, "remoteId" text, body jsonb, consent text, pushed jsonb, sent jsonb, wake int)`
}

/** Keeps the outcome of writes, by key. */
export async function closeWrites(
  q: Query,
  outcomes: readonly { readonly key: string; readonly state: OutboxState; readonly outcome: JsonObject }[],
  at: Instant,
): Promise<void> {
  if (outcomes.length === 0) return
  await q`
    update outbox o set state = r.state, outcome = r.outcome,
      settled_at = case when r.state = 'uncertain' then null else ${at}::timestamptz end
    from jsonb_to_recordset(${rows(outcomes)}::text::jsonb) as r(key text, state text, outcome jsonb)
    where o.key = r.key`
}

/** Writes of a stream whose outcome nobody knows: a dead process left them, or the vendor's answer was lost. */
export async function openOf(q: Query, streamId: number, limit: number): Promise<readonly OutboxRow[]> {
  return q<OutboxRow[]>`
    select ${q.unsafe(COLUMNS)} from outbox
    where stream_id = ${streamId} and state in ('sending', 'uncertain') order by id limit ${limit}`
}

/** Of links, what the newest write was that nobody knows the outcome of. */
export async function openWritesOf(
  q: Query,
  streamId: number,
  linkIds: readonly number[],
): Promise<ReadonlyMap<number, Pick<OutboxRow, 'pushed' | 'sent'>>> {
  const found = await q<Pick<OutboxRow, 'linkId' | 'pushed' | 'sent'>[]>`
    select link_id as "linkId", pushed, sent from outbox
    where stream_id = ${streamId} and state in ('sending', 'uncertain') and op = 'update'
      and link_id = any(${numbers(linkIds)}::bigint[]) order by id`
  return new Map(found.map((row) => [row.linkId, row]))
}

/** Notes that the same write is sent once more under the same key. */
export async function retryWrites(q: Query, keys: readonly string[], at: Instant): Promise<void> {
  if (keys.length === 0) return
  await q`
    update outbox set attempts = attempts + 1, tried_at = ${at}, state = 'sending' where key = any(${[...keys]})`
}

export type WriteEntry = {
  readonly stream: string
  readonly op: string
  readonly state: OutboxState
  readonly createdAt: Instant
  readonly body: JsonObject
  readonly outcome: JsonObject | null
}

/** What was sent for a record, latest first. */
export async function writesOf(q: Query, recordId: RecordId, limit = 50): Promise<readonly WriteEntry[]> {
  return q<WriteEntry[]>`
    select s.connection || '/' || s.name as stream, o.op, o.state, o.created_at as "createdAt", o.body, o.outcome
    from outbox o join streams s on s.id = o.stream_id
    where o.record_id = ${recordId} order by o.id desc limit ${limit}`
}
