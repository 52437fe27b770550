import { sql } from 'drizzle-orm'
import {
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { at, big, bytea } from './column-types.ts'

/** What a mailbox knows beside its row in `streams`, which is named `mail/<address>` and holds the cursor. */
export const mailboxes = pgTable(
  'mailboxes',
  {
    streamId: integer('stream_id').primaryKey(),
    connection: text('connection').notNull(),
    /** The vendor's id of the mailbox. */
    remoteId: text('remote_id').notNull(),
    address: text('address').notNull(),
    addresses: text('addresses').array().notNull(),
    /** The rules all of it was last read under; null: it was never read. */
    rules: jsonb('rules'),
    /** A review under way: {rules, after}, the rules it goes by and the last remote id it has passed. */
    review: jsonb('review'),
    /** `Backfill` (mail/mailboxes.ts): how far what was there before has been read. */
    backfill: jsonb('backfill'),
    /** What the connector keeps about its subscription; null: there is none. */
    subscription: jsonb('subscription'),
    renewBefore: at('renew_before'),
    foundAt: at('found_at').notNull(),
    /** The connection does not show it any more. */
    lostAt: at('lost_at'),
  },
  (t) => [uniqueIndex('mailboxes_remote').on(t.connection, t.remoteId)],
)

/** What was logged, one row an activity record of type `email`, whose id it shares. */
export const messages = pgTable(
  'messages',
  {
    id: big('id').primaryKey(),
    /** HMAC of what makes it the same message in every mailbox: its Message-ID, author and Date. */
    identity: bytea('identity').notNull(),
    sentAt: at('sent_at'),
    at: at('at').notNull(),
    messageId: text('message_id'),
    threadId: big('thread_id').notNull(),
    direction: text('direction').notNull(),
    /** kept; withdrawn: no mailbox logs it any more; private, removed: a person said so, and it stays so. */
    state: text('state').notNull(),
    /** Who made it private or removed it, and when. */
    stateBy: text('state_by'),
    stateAt: at('state_at'),
    /** none, subject, full: the most that a mailbox that logs it keeps. */
    content: text('content').notNull(),
    subject: text('subject'),
    text: text('text'),
    quoted: text('quoted'),
    signature: text('signature'),
    html: text('html'),
    attachments: json('attachments'),
    /** What the rules look at, to decide again when they change; null once it was taken out. */
    envelope: json('envelope'),
  },
  (t) => [uniqueIndex('messages_identity').on(t.identity), index('messages_thread').on(t.threadId, t.at)],
)

export const messageParticipants = pgTable(
  'message_participants',
  {
    messageId: big('message_id').notNull(),
    address: text('address').notNull(),
    /** The address without what the rules let pass (plus-tags, dots); null: the address itself. */
    plain: text('plain'),
    name: text('name'),
    role: text('role').notNull(),
    side: text('side').notNull(),
    contactId: big('contact_id'),
    /** received: they wrote it; sent: we wrote it, and they take part; null: somebody else wrote it. */
    exchange: text('exchange'),
    /** The message's own, for timelines. */
    at: at('at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.messageId, t.address] }),
    index('message_participants_contact').on(t.contactId, t.at).where(sql`contact_id is not null`),
    index('message_participants_exchange')
      .on(t.contactId, t.exchange, t.at)
      .where(sql`contact_id is not null and exchange is not null`),
    index('message_participants_address').on(t.address),
    index('message_participants_plain').on(t.plain).where(sql`plain is not null`),
  ],
)

/** Which thread a Message-ID belongs to, also before its own message is known: replies name their parents. */
export const threadIds = pgTable(
  'mail_thread_ids',
  { idHash: bytea('id_hash').primaryKey(), threadId: big('thread_id').notNull() },
  (t) => [index('mail_thread_ids_thread').on(t.threadId)],
)

/** Every message that a mailbox has shown, and what came of it. Nothing of the mail itself is in here. */
export const sightings = pgTable(
  'sightings',
  {
    streamId: integer('stream_id').notNull(),
    remoteId: text('remote_id').notNull(),
    /** logged, filtered, quarantined, gone. */
    verdict: text('verdict').notNull(),
    reason: text('reason'),
    detail: text('detail'),
    /** Of logged ones, to decide again when rules change. */
    flags: text('flags').array(),
    labels: text('labels').array(),
    /** How much of it this mailbox keeps. */
    content: text('content'),
    /** The message, where it was logged once. */
    messageId: big('message_id'),
    /** HMAC of the Message-ID, so that `explain` finds what was not logged. */
    idHash: bytea('id_hash'),
    /** HMACs of the participants' addresses of mail among strangers: one of them may become a contact. */
    addressHashes: bytea('address_hashes').array(),
    /** To be read again. */
    recheck: boolean('recheck').notNull().default(false),
    seenAt: at('seen_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.streamId, t.remoteId] }),
    index('sightings_message').on(t.messageId).where(sql`message_id is not null`),
    index('sightings_id').on(t.idHash).where(sql`id_hash is not null`),
    index('sightings_strangers').using('gin', t.addressHashes).where(sql`address_hashes is not null`),
    index('sightings_recheck').on(t.streamId).where(sql`recheck`),
  ],
)

/** When mail to an address last came back for good, by the HMAC of the address: it may be a stranger's. */
export const mailBounces = pgTable('mail_bounces', {
  addressHash: bytea('address_hash').primaryKey(),
  at: at('at').notNull(),
})

/** The key of every HMAC here, encrypted like the connections' secrets. */
export const mailKey = pgTable('mail_key', {
  id: integer('id').primaryKey(),
  sealed: bytea('sealed').notNull(),
})
