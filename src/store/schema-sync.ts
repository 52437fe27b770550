import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  serial,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { at, big, bytea } from './column-types.ts'

export const connections = pgTable('connections', {
  name: text('name').primaryKey(),
  connector: text('connector').notNull(),
  accountId: text('account_id'),
  label: text('label'),
  /** Encrypted JSON of the credentials and of the webhook secret. */
  secrets: bytea('secrets'),
  /** Over the settings of the YAML: what differs on this installation. */
  settings: jsonb('settings').notNull().default({}),
  state: text('state').notNull().default('ready'),
  problem: text('problem'),
  /** The vendor asked to be left alone until then. */
  notBefore: at('not_before'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const streams = pgTable(
  'streams',
  {
    id: serial('id').primaryKey(),
    connection: text('connection').notNull(),
    name: text('name').notNull(),
    cursor: jsonb('cursor'),
    /** A listing under way when the process died cannot prove what is gone; sweep again. */
    needsSweep: boolean('needs_sweep').notNull().default(false),
    /** By side, the harm that an approved plan lets through. */
    approved: jsonb('approved'),
    /** By side, the harm of the last hour: many small runs may not do what one may not. */
    harmed: jsonb('harmed'),
    held: boolean('held').notNull().default(false),
    /** Fingerprint of the mapping, filters and policies that a person let it write with; null: none yet. */
    approvedShape: text('approved_shape'),
    /** The one its links were last planned with: where it is another one now, they are planned again. */
    appliedShape: text('applied_shape'),
    /** When its first complete pass ended: until then nothing is automated from it. */
    firstSyncedAt: at('first_synced_at'),
    checkedAt: at('checked_at'),
    movedAt: at('moved_at'),
    problem: text('problem'),
  },
  (t) => [uniqueIndex('streams_name').on(t.connection, t.name)],
)

export const links = pgTable(
  'links',
  {
    id: big('id').primaryKey(),
    streamId: integer('stream_id').notNull(),
    recordId: big('record_id'),
    remoteId: text('remote_id'),
    state: text('state').notNull(),
    /** As json, which takes in faster than jsonb: it is only ever read whole. So are `base` and `history.changes`. */
    observed: json('observed'),
    version: text('version'),
    modifiedAt: at('modified_at'),
    base: json('base').notNull().default({}),
    consent: text('consent'),
    /** Work waits while `wake` is above `settled`; a change during the work raises `wake` again, so none is lost. */
    wake: integer('wake').notNull().default(0),
    settled: integer('settled').notNull().default(0),
    urgent: boolean('urgent').notNull().default(false),
    demanded: boolean('demanded').notNull().default(false),
    unresolved: boolean('unresolved').notNull().default(false),
    notBefore: at('not_before'),
    attempts: integer('attempts').notNull().default(0),
    problem: text('problem'),
  },
  (t) => [
    uniqueIndex('links_remote').on(t.streamId, t.remoteId),
    index('links_record').on(t.recordId),
    index('links_waiting').on(t.streamId, t.urgent, t.id).where(sql`wake > settled`),
    index('links_unresolved').on(t.streamId).where(sql`unresolved`),
  ],
)

/** Append-only; partitioned by month (see the migration). */
export const history = pgTable(
  'history',
  {
    id: bigint('id', { mode: 'number' }).generatedAlwaysAsIdentity(),
    at: at('at').notNull(),
    recordId: big('record_id').notNull(),
    kind: text('kind').notNull(),
    op: text('op').notNull(),
    version: integer('version').notNull(),
    runId: big('run_id'),
    source: text('source').notNull(),
    /** By field: {before, after, rule, lost?}; for a creation {after}. */
    changes: json('changes').notNull(),
  },
  // Runs follow each other in time, as the rows do: one summary a block range finds a run's rows, and costs next to nothing.
  (t) => [index('history_record').on(t.recordId, t.at), index('history_run').using('brin', t.runId)],
)

export const runs = pgTable(
  'runs',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    streamId: integer('stream_id'),
    kind: text('kind').notNull(),
    state: text('state').notNull(),
    startedAt: at('started_at').notNull(),
    endedAt: at('ended_at'),
    counts: jsonb('counts').notNull().default({}),
    problem: text('problem'),
    /** Who asked for it; null: a schedule. */
    by: text('by'),
    /** The run that this one takes back. */
    undoes: big('undoes'),
  },
  (t) => [
    index('runs_stream').on(t.streamId, t.startedAt),
    // A run is taken back once: two people who undo it at the same time cannot both.
    uniqueIndex('runs_undoes').on(t.undoes).where(sql`undoes is not null`),
  ],
)

/** Every write to a vendor: made before the call, kept with its outcome. */
export const outbox = pgTable(
  'outbox',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    streamId: integer('stream_id').notNull(),
    linkId: big('link_id').notNull(),
    recordId: big('record_id').notNull(),
    runId: big('run_id'),
    key: text('key').notNull(),
    op: text('op').notNull(),
    remoteId: text('remote_id'),
    body: jsonb('body').notNull(),
    consent: text('consent'),
    /** Lens keys the write speaks for, and what the hub said when it was planned. */
    pushed: jsonb('pushed').notNull(),
    sent: jsonb('sent').notNull(),
    wake: integer('wake').notNull(),
    state: text('state').notNull(),
    attempts: integer('attempts').notNull().default(1),
    outcome: jsonb('outcome'),
    createdAt: at('created_at').notNull(),
    triedAt: at('tried_at').notNull(),
    settledAt: at('settled_at'),
  },
  (t) => [
    uniqueIndex('outbox_key').on(t.key),
    index('outbox_open').on(t.streamId, t.id).where(sql`state in ('sending', 'uncertain')`),
    index('outbox_record').on(t.recordId),
    index('outbox_run').using('brin', t.runId),
  ],
)

/** Append-only ledger of what people said about being contacted. */
export const consents = pgTable(
  'consents',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    address: text('address').notNull(),
    channel: text('channel').notNull(),
    audience: text('audience').notNull(),
    state: text('state').notNull(),
    at: at('at').notNull(),
    explicit: boolean('explicit').notNull(),
    source: text('source').notNull(),
    reason: text('reason'),
    runId: big('run_id'),
    seenAt: at('seen_at').notNull().defaultNow(),
  },
  (t) => [index('consents_address').on(t.address, t.channel), index('consents_run').using('brin', t.runId)],
)

/** One open item a key, however often its cause comes back. */
export const inbox = pgTable(
  'inbox',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    title: text('title').notNull(),
    /** What can be done about it, in words. */
    fix: text('fix').notNull(),
    detail: jsonb('detail').notNull(),
    streamId: integer('stream_id'),
    recordId: big('record_id'),
    state: text('state').notNull().default('open'),
    seen: integer('seen').notNull().default(1),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    resolution: text('resolution'),
    assignee: text('assignee'),
    snoozedUntil: at('snoozed_until'),
  },
  (t) => [
    uniqueIndex('inbox_open').on(t.key).where(sql`state = 'open'`),
    index('inbox_record').on(t.recordId),
    index('inbox_duplicate')
      .on(sql`((detail->'records'->>1)::bigint)`)
      .where(sql`kind = 'duplicate' and state = 'open'`),
  ],
)

/** Rows and values that could not be read, by where they stand. */
export const quarantine = pgTable(
  'quarantine',
  {
    streamId: integer('stream_id').notNull(),
    place: text('place').notNull(),
    remoteId: text('remote_id'),
    problem: text('problem').notNull(),
    raw: text('raw').notNull(),
    seenAt: at('seen_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.streamId, t.place] })],
)

export const webhookEvents = pgTable(
  'webhook_events',
  {
    connection: text('connection').notNull(),
    eventId: text('event_id').notNull(),
    hints: jsonb('hints').notNull(),
    receivedAt: at('received_at').notNull(),
    processedAt: at('processed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.connection, t.eventId] }),
    index('webhook_events_waiting').on(t.connection, t.receivedAt).where(sql`processed_at is null`),
  ],
)

export const configVersions = pgTable('config_versions', {
  version: integer('version').primaryKey(),
  files: jsonb('files').notNull(),
  appliedAt: at('applied_at').notNull(),
  appliedBy: text('applied_by').notNull(),
})

export const apiTokens = pgTable('api_tokens', {
  /** SHA-256 of the token; the token itself is shown once. */
  hash: text('hash').primaryKey(),
  name: text('name').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})
