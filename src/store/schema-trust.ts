import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  date,
  doublePrecision,
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

/** Records that are new or changed in what they are recognised by: to be compared with the others. */
export const matchQueue = pgTable('match_queue', {
  recordId: big('record_id').primaryKey(),
  kind: text('kind').notNull(),
})

/** Records that share a key are compared; most share none. Keys are hashed: short to store, and nobody reads them. */
export const matchKeys = pgTable(
  'match_keys',
  { key: big('key').notNull(), recordId: big('record_id').notNull() },
  (t) => [primaryKey({ columns: [t.key, t.recordId] }), index('match_keys_record').on(t.recordId)],
)

/** Pairs that look like one, as they were last compared; `a` is the lower id. The best of them are asked about. */
export const matchPairs = pgTable(
  'match_pairs',
  {
    a: big('a').notNull(),
    b: big('b').notNull(),
    kind: text('kind').notNull(),
    probability: doublePrecision('probability').notNull(),
    evidence: text('evidence').notNull(),
    /** The inbox had an item about it, which may be closed by now. */
    asked: boolean('asked').notNull().default(false),
    at: at('at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.a, t.b] }),
    index('match_pairs_b').on(t.b),
    index('match_pairs_best').on(t.kind, t.probability.desc(), t.a, t.b),
  ],
)

/** The weights learned from this hub's own records; without a row the shipped ones count. */
export const matchModels = pgTable('match_models', {
  kind: text('kind').primaryKey(),
  model: jsonb('model').notNull(),
  records: integer('records').notNull(),
  trainedAt: at('trained_at').notNull(),
})

/** Pairs that a person said are two; `a` is the lower id. They are never asked about or merged again. */
export const keptApart = pgTable(
  'kept_apart',
  { a: big('a').notNull(), b: big('b').notNull(), by: text('by').notNull(), at: at('at').notNull() },
  (t) => [primaryKey({ columns: [t.a, t.b] }), index('kept_apart_b').on(t.b)],
)

/** One row a record that was merged into another. Undone ones stay. */
export const merges = pgTable(
  'merges',
  {
    id: serial('id').primaryKey(),
    kind: text('kind').notNull(),
    survivorId: big('survivor_id').notNull(),
    loserId: big('loser_id').notNull(),
    /** merged | unmerged */
    state: text('state').notNull(),
    rule: text('rule').notNull(),
    by: text('by').notNull(),
    runId: big('run_id').notNull(),
    at: at('at').notNull(),
    undoneBy: text('undone_by'),
    undoneRunId: big('undone_run_id'),
    undoneAt: at('undone_at'),
  },
  (t) => [
    uniqueIndex('merges_loser').on(t.loserId).where(sql`state = 'merged'`),
    index('merges_run').on(t.runId),
    index('merges_undone').on(t.undoneRunId).where(sql`undone_run_id is not null`),
    // Of undone ones too, for who asks what became of a record.
    index('merges_of_survivor').on(t.survivorId),
    index('merges_of_loser').on(t.loserId),
  ],
)

/** What a merge moved to the survivor: links, references of other records, participants of messages. */
export const mergeMoves = pgTable(
  'merge_moves',
  {
    mergeId: integer('merge_id').notNull(),
    /** link | ref | participant */
    what: text('what').notNull(),
    /** Of a reference: the kind of the record that refers. Else ''. */
    kind: text('kind').notNull().default(''),
    id: big('id').notNull(),
    /** Of a reference: the field. Of a participant: the address. */
    field: text('field').notNull().default(''),
  },
  (t) => [primaryKey({ columns: [t.mergeId, t.what, t.kind, t.id, t.field] })],
)

/** What each member of a merged record says by itself: the survivor's own values, and those of each loser. */
export const facets = pgTable(
  'facets',
  {
    recordId: big('record_id').primaryKey(),
    rootId: big('root_id').notNull(),
    fields: json('fields').notNull(),
    provenance: json('provenance').notNull(),
    /** By field: the members whose later word about the merged record counts more than this one's. */
    overruled: json('overruled').notNull().default({}),
  },
  (t) => [index('facets_root').on(t.rootId)],
)

/** What a sync would do, worked out before it may. */
export const plans = pgTable('plans', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  connections: text('connections').array().notNull(),
  /** running | open | approved | rejected | failed */
  state: text('state').notNull(),
  /** By stream label: the fingerprint of mapping, filters and policies that the plan was made with. */
  shapes: jsonb('shapes').notNull(),
  summary: jsonb('summary').notNull(),
  by: text('by').notNull(),
  createdAt: at('created_at').notNull(),
  decidedBy: text('decided_by'),
  decidedAt: at('decided_at'),
})

export const planLines = pgTable(
  'plan_lines',
  {
    planId: big('plan_id').notNull(),
    n: integer('n').notNull(),
    streamId: integer('stream_id').notNull(),
    /** hub | remote */
    side: text('side').notNull(),
    /** create | link | update | archive | consent | conflict | duplicate | unreadable | filtered */
    op: text('op').notNull(),
    recordId: big('record_id'),
    remoteId: text('remote_id'),
    title: text('title').notNull(),
    /** By field: {before, after, rule}. */
    changes: json('changes').notNull(),
    /** What the guard counts it as: deletes | blanks | optIns. */
    harm: text('harm'),
    /** Why, of a line without fields. */
    why: text('why'),
  },
  (t) => [primaryKey({ columns: [t.planId, t.n] })],
)

/** What the guard holds of a stream, record by record, until a person has decided about each. */
export const heldChanges = pgTable(
  'held_changes',
  {
    streamId: integer('stream_id').notNull(),
    /** in | out */
    side: text('side').notNull(),
    /** deletes | blanks | optIns */
    what: text('what').notNull(),
    recordId: big('record_id').notNull(),
    remoteId: text('remote_id'),
    title: text('title').notNull(),
    changes: json('changes').notNull(),
    /** What the change was judged at: another state of the record is judged anew. */
    stamp: text('stamp').notNull().default(''),
    /** approved | rejected | done; null: nobody has decided. */
    verdict: text('verdict'),
    decidedBy: text('decided_by'),
    seenAt: at('seen_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.streamId, t.side, t.what, t.recordId] })],
)

/** What records lack by the rules of pipelines, picklists and required fields; kept with the records they are about. */
export const findings = pgTable(
  'findings',
  {
    recordId: big('record_id').notNull(),
    kind: text('kind').notNull(),
    /** lacking | stage | unknown */
    what: text('what').notNull(),
    field: text('field').notNull(),
    /** Of `stage`: the stage. Of `unknown`: the value, without case and punctuation. Else ''. */
    value: text('value').notNull().default(''),
    /** Of `unknown`: the value as it was written. */
    said: text('said').notNull().default(''),
    /** Where the record came from: a connection, `api`, … */
    source: text('source').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.recordId, t.what, t.field, t.value] }),
    index('findings_group').on(t.kind, t.what, t.field, t.value, t.source, t.recordId),
    index('findings_source').on(t.kind, t.what, t.source, t.recordId),
  ],
)

/** The rules that `findings` and `match_keys` were made by, and those that merged records were worked out by: a row each. */
export const findingRules = pgTable('finding_rules', {
  id: integer('id').primaryKey(),
  fingerprint: text('fingerprint').notNull(),
  at: at('at').notNull(),
})

/** One figure of the data-quality report on one day. */
export const quality = pgTable(
  'quality',
  {
    day: date('day').notNull(),
    kind: text('kind').notNull(),
    /** records | complete | duplicates | stale | bouncing | unowned | … */
    metric: text('metric').notNull(),
    /** Of `complete`: the field. Else ''. */
    field: text('field').notNull().default(''),
    value: doublePrecision('value').notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.kind, t.metric, t.field] })],
)

/** Source and hub counted against each other, at the end of a full comparison. */
export const reconciliations = pgTable(
  'reconciliations',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    streamId: integer('stream_id').notNull(),
    at: at('at').notNull(),
    /** Objects at the source, objects the hub held before, and what the comparison found between them. */
    source: integer('source').notNull(),
    hub: integer('hub').notNull(),
    drift: jsonb('drift').notNull(),
    runId: big('run_id'),
  },
  (t) => [index('reconciliations_stream').on(t.streamId, t.at)],
)

/** One row a cause that somebody is told about, when it begins and when it is over. */
export const alarms = pgTable('alarms', {
  key: text('key').primaryKey(),
  kind: text('kind').notNull(),
  title: text('title').notNull(),
  fix: text('fix').notNull(),
  since: at('since').notNull(),
  recoveredAt: at('recovered_at'),
})

/** What is to be told, to whom; kept until it was taken. */
export const alertDeliveries = pgTable(
  'alert_deliveries',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** Names the message for good, so that a repeat is one at the receiver. */
    messageId: text('message_id').notNull(),
    channel: text('channel').notNull(),
    payload: jsonb('payload').notNull(),
    attempts: integer('attempts').notNull().default(0),
    notBefore: at('not_before').notNull(),
    deliveredAt: at('delivered_at'),
    /** It was tried for long enough, or its channel is gone. */
    givenUpAt: at('given_up_at'),
    problem: text('problem'),
  },
  (t) => [
    uniqueIndex('alert_deliveries_message').on(t.messageId, t.channel),
    index('alert_deliveries_open').on(t.notBefore).where(sql`delivered_at is null and given_up_at is null`),
  ],
)

/** What a channel signs or signs in with, by the channel's name; encrypted like the connections' secrets. */
export const alertSecrets = pgTable('alert_secrets', {
  name: text('name').primaryKey(),
  sealed: bytea('sealed').notNull(),
})

/** Keyed digests of what an erased person was recognised by: it does not come in again. */
export const tombstones = pgTable('tombstones', {
  digest: bytea('digest').primaryKey(),
  /** key | lifted: let in again | object | out: an opt-out that outlives the erasure */
  kind: text('kind').notNull(),
  erasureId: big('erasure_id').notNull(),
  /** Of `out`: {channel, audience, at, source, reason} of each opt-out. */
  said: jsonb('said'),
})

export const erasures = pgTable('erasures', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  recordId: big('record_id').notNull(),
  /** The record with everything that had been merged into it. */
  records: big('records').array().notNull().default([]),
  kind: text('kind').notNull(),
  by: text('by').notNull(),
  at: at('at').notNull(),
  runId: big('run_id'),
  counts: jsonb('counts').notNull(),
  /** A list: what was asked of each stream, and what came of it. */
  remotes: jsonb('remotes').notNull(),
})
