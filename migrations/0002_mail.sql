CREATE TABLE "mail_bounces" (
	"address_hash" "bytea" PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mail_key" (
	"id" integer PRIMARY KEY NOT NULL,
	"sealed" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mailboxes" (
	"stream_id" integer PRIMARY KEY NOT NULL,
	"connection" text NOT NULL,
	"remote_id" text NOT NULL,
	"address" text NOT NULL,
	"addresses" text[] NOT NULL,
	"rules" jsonb,
	"review" jsonb,
	"backfill" jsonb,
	"subscription" jsonb,
	"renew_before" timestamp (3) with time zone,
	"found_at" timestamp (3) with time zone NOT NULL,
	"lost_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "message_participants" (
	"message_id" bigint NOT NULL,
	"address" text NOT NULL,
	"plain" text,
	"name" text,
	"role" text NOT NULL,
	"side" text NOT NULL,
	"contact_id" bigint,
	"exchange" text,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "message_participants_message_id_address_pk" PRIMARY KEY("message_id","address")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"id" bigint PRIMARY KEY NOT NULL,
	"identity" "bytea" NOT NULL,
	"sent_at" timestamp (3) with time zone,
	"at" timestamp (3) with time zone NOT NULL,
	"message_id" text,
	"thread_id" bigint NOT NULL,
	"direction" text NOT NULL,
	"state" text NOT NULL,
	"state_by" text,
	"state_at" timestamp (3) with time zone,
	"content" text NOT NULL,
	"subject" text,
	"text" text,
	"quoted" text,
	"signature" text,
	"html" text,
	"attachments" json,
	"envelope" json
);
--> statement-breakpoint
CREATE TABLE "sightings" (
	"stream_id" integer NOT NULL,
	"remote_id" text NOT NULL,
	"verdict" text NOT NULL,
	"reason" text,
	"detail" text,
	"flags" text[],
	"labels" text[],
	"content" text,
	"message_id" bigint,
	"id_hash" "bytea",
	"address_hashes" "bytea"[],
	"recheck" boolean DEFAULT false NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "sightings_stream_id_remote_id_pk" PRIMARY KEY("stream_id","remote_id")
);
--> statement-breakpoint
CREATE TABLE "mail_thread_ids" (
	"id_hash" "bytea" PRIMARY KEY NOT NULL,
	"thread_id" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "contacts" ADD COLUMN "last_contacted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "contacts" ADD COLUMN "last_replied_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "contacts" ADD COLUMN "first_response_minutes" integer;--> statement-breakpoint
ALTER TABLE "contacts" ADD COLUMN "next_step_overdue_since" date;--> statement-breakpoint
ALTER TABLE "contacts" ADD COLUMN "bouncing_emails" text[];--> statement-breakpoint
ALTER TABLE "deals" ADD COLUMN "next_step_due" date;--> statement-breakpoint
ALTER TABLE "deals" ADD COLUMN "last_contacted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "deals" ADD COLUMN "last_replied_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "deals" ADD COLUMN "first_response_minutes" integer;--> statement-breakpoint
ALTER TABLE "deals" ADD COLUMN "next_step_overdue_since" date;--> statement-breakpoint
CREATE UNIQUE INDEX "mailboxes_remote" ON "mailboxes" USING btree ("connection","remote_id");--> statement-breakpoint
CREATE INDEX "message_participants_contact" ON "message_participants" USING btree ("contact_id","at") WHERE contact_id is not null;--> statement-breakpoint
CREATE INDEX "message_participants_exchange" ON "message_participants" USING btree ("contact_id","exchange","at") WHERE contact_id is not null and exchange is not null;--> statement-breakpoint
CREATE INDEX "message_participants_address" ON "message_participants" USING btree ("address");--> statement-breakpoint
CREATE INDEX "message_participants_plain" ON "message_participants" USING btree ("plain") WHERE plain is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "messages_identity" ON "messages" USING btree ("identity");--> statement-breakpoint
CREATE INDEX "messages_thread" ON "messages" USING btree ("thread_id","at");--> statement-breakpoint
CREATE INDEX "sightings_message" ON "sightings" USING btree ("message_id") WHERE message_id is not null;--> statement-breakpoint
CREATE INDEX "sightings_id" ON "sightings" USING btree ("id_hash") WHERE id_hash is not null;--> statement-breakpoint
CREATE INDEX "sightings_strangers" ON "sightings" USING gin ("address_hashes") WHERE address_hashes is not null;--> statement-breakpoint
CREATE INDEX "sightings_recheck" ON "sightings" USING btree ("stream_id") WHERE recheck;--> statement-breakpoint
CREATE INDEX "mail_thread_ids_thread" ON "mail_thread_ids" USING btree ("thread_id");--> statement-breakpoint
CREATE INDEX "activities_company" ON "activities" USING btree ("company_id","occurred_at") WHERE company_id is not null;--> statement-breakpoint
CREATE INDEX "activities_deal" ON "activities" USING btree ("deal_id","occurred_at") WHERE deal_id is not null;--> statement-breakpoint
CREATE INDEX "deals_next_step" ON "deals" USING btree ("next_step_due") WHERE next_step_due is not null;