CREATE SEQUENCE "public"."link_ids" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE SEQUENCE "public"."record_ids" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "activities" (
	"id" bigint PRIMARY KEY NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"provenance" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"type" text,
	"subject" text,
	"occurred_at" timestamp (3) with time zone,
	"contact_id" bigint,
	"company_id" bigint,
	"deal_id" bigint
);
--> statement-breakpoint
CREATE TABLE "api_tokens" (
	"hash" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "companies" (
	"id" bigint PRIMARY KEY NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"provenance" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"name" text,
	"domains" text[],
	"phones" text[],
	"address" jsonb,
	"industry" text,
	"employees" integer,
	"owner" text,
	"tags" text[]
);
--> statement-breakpoint
CREATE TABLE "config_versions" (
	"version" integer PRIMARY KEY NOT NULL,
	"files" jsonb NOT NULL,
	"applied_at" timestamp (3) with time zone NOT NULL,
	"applied_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "connections" (
	"name" text PRIMARY KEY NOT NULL,
	"connector" text NOT NULL,
	"account_id" text,
	"label" text,
	"secrets" "bytea",
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"state" text DEFAULT 'ready' NOT NULL,
	"problem" text,
	"not_before" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "consents" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "consents_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"address" text NOT NULL,
	"channel" text NOT NULL,
	"audience" text NOT NULL,
	"state" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"explicit" boolean NOT NULL,
	"source" text NOT NULL,
	"reason" text,
	"run_id" bigint,
	"seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contacts" (
	"id" bigint PRIMARY KEY NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"provenance" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"given_name" text,
	"family_name" text,
	"email" text GENERATED ALWAYS AS (emails[1]) STORED,
	"emails" text[],
	"phones" text[],
	"job_title" text,
	"company_name" text,
	"company_id" bigint,
	"address" jsonb,
	"birthday" text,
	"language" text,
	"owner" text,
	"tags" text[],
	"email_consent" text
);
--> statement-breakpoint
CREATE TABLE "deals" (
	"id" bigint PRIMARY KEY NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"provenance" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"name" text,
	"pipeline" text,
	"stage" text,
	"amount" jsonb,
	"amount_minor" bigint GENERATED ALWAYS AS ((amount->>'amount')::bigint) STORED,
	"currency" text GENERATED ALWAYS AS (amount->>'currency') STORED,
	"close_date" date,
	"lines" jsonb,
	"contact_id" bigint,
	"company_id" bigint,
	"owner" text,
	"next_step" text,
	"payment_status" text
);
--> statement-breakpoint
CREATE TABLE "history" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "history_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"record_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"op" text NOT NULL,
	"version" integer NOT NULL,
	"run_id" bigint,
	"source" text NOT NULL,
	"changes" jsonb NOT NULL
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "history_other" PARTITION OF "history" DEFAULT;
--> statement-breakpoint
-- Makes the partition of the month that holds "moment"; called when a worker starts and daily. Rows of months
-- nobody made a partition for (imported history, a clock that was wrong) stand in "history_other".
CREATE FUNCTION concord_history_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	first timestamptz := date_trunc('month', moment, 'UTC');
	next timestamptz := date_trunc('month', moment, 'UTC') + interval '1 month';
	name text := 'history_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('concord_history_partition'));
	IF to_regclass(name) IS NULL AND NOT EXISTS (SELECT FROM history_other WHERE at >= first AND at < next) THEN
		EXECUTE format('CREATE TABLE %I PARTITION OF history FOR VALUES FROM (%L) TO (%L)', name, first, next);
	END IF;
END $$;
--> statement-breakpoint
CREATE TABLE "identities" (
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"record_id" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "inbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"title" text NOT NULL,
	"fix" text NOT NULL,
	"detail" jsonb NOT NULL,
	"stream_id" integer,
	"record_id" bigint,
	"state" text DEFAULT 'open' NOT NULL,
	"seen" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"resolution" text
);
--> statement-breakpoint
CREATE TABLE "invoices" (
	"id" bigint PRIMARY KEY NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"provenance" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"deal_id" bigint,
	"item" text,
	"contact_id" bigint,
	"total" jsonb,
	"total_minor" bigint GENERATED ALWAYS AS ((total->>'amount')::bigint) STORED,
	"currency" text GENERATED ALWAYS AS (total->>'currency') STORED,
	"paid" jsonb,
	"lines" jsonb,
	"memo" text,
	"due_days" integer,
	"number" text,
	"status" text,
	"url" text
);
--> statement-breakpoint
CREATE TABLE "links" (
	"id" bigint PRIMARY KEY NOT NULL,
	"stream_id" integer NOT NULL,
	"record_id" bigint,
	"remote_id" text,
	"state" text NOT NULL,
	"observed" jsonb,
	"version" text,
	"modified_at" timestamp (3) with time zone,
	"base" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"consent" text,
	"wake" integer DEFAULT 0 NOT NULL,
	"settled" integer DEFAULT 0 NOT NULL,
	"urgent" boolean DEFAULT false NOT NULL,
	"demanded" boolean DEFAULT false NOT NULL,
	"unresolved" boolean DEFAULT false NOT NULL,
	"not_before" timestamp (3) with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"stream_id" integer NOT NULL,
	"link_id" bigint NOT NULL,
	"record_id" bigint NOT NULL,
	"run_id" bigint,
	"key" text NOT NULL,
	"op" text NOT NULL,
	"remote_id" text,
	"body" jsonb NOT NULL,
	"consent" text,
	"pushed" jsonb NOT NULL,
	"sent" jsonb NOT NULL,
	"wake" integer NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 1 NOT NULL,
	"outcome" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"tried_at" timestamp (3) with time zone NOT NULL,
	"settled_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"stream_id" integer NOT NULL,
	"place" text NOT NULL,
	"remote_id" text,
	"problem" text NOT NULL,
	"raw" text NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "quarantine_stream_id_place_pk" PRIMARY KEY("stream_id","place")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"stream_id" integer,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"counts" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "streams" (
	"id" serial PRIMARY KEY NOT NULL,
	"connection" text NOT NULL,
	"name" text NOT NULL,
	"cursor" jsonb,
	"needs_sweep" boolean DEFAULT false NOT NULL,
	"approved" jsonb,
	"held" boolean DEFAULT false NOT NULL,
	"checked_at" timestamp (3) with time zone,
	"moved_at" timestamp (3) with time zone,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "webhook_events" (
	"connection" text NOT NULL,
	"event_id" text NOT NULL,
	"hints" jsonb NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"processed_at" timestamp (3) with time zone,
	CONSTRAINT "webhook_events_connection_event_id_pk" PRIMARY KEY("connection","event_id")
);
--> statement-breakpoint
CREATE INDEX "activities_contact" ON "activities" USING btree ("contact_id","occurred_at");--> statement-breakpoint
CREATE INDEX "companies_name" ON "companies" USING btree (lower(name));--> statement-breakpoint
CREATE INDEX "consents_address" ON "consents" USING btree ("address","channel");--> statement-breakpoint
CREATE INDEX "contacts_company" ON "contacts" USING btree ("company_id") WHERE company_id is not null;--> statement-breakpoint
CREATE INDEX "deals_contact" ON "deals" USING btree ("contact_id") WHERE contact_id is not null;--> statement-breakpoint
CREATE INDEX "deals_company" ON "deals" USING btree ("company_id") WHERE company_id is not null;--> statement-breakpoint
CREATE INDEX "history_record" ON "history" USING btree ("record_id","at");--> statement-breakpoint
CREATE UNIQUE INDEX "identities_strong" ON "identities" USING btree ("key","kind") WHERE kind <> 'phone';--> statement-breakpoint
CREATE UNIQUE INDEX "identities_phone" ON "identities" USING btree ("key","record_id") WHERE kind = 'phone';--> statement-breakpoint
CREATE INDEX "identities_record" ON "identities" USING btree ("record_id");--> statement-breakpoint
CREATE UNIQUE INDEX "inbox_open" ON "inbox" USING btree ("key") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "inbox_record" ON "inbox" USING btree ("record_id");--> statement-breakpoint
CREATE UNIQUE INDEX "invoices_deal_item" ON "invoices" USING btree ("deal_id","item") WHERE deal_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "links_remote" ON "links" USING btree ("stream_id","remote_id");--> statement-breakpoint
CREATE INDEX "links_record" ON "links" USING btree ("record_id");--> statement-breakpoint
CREATE INDEX "links_waiting" ON "links" USING btree ("stream_id","urgent","id") WHERE wake > settled;--> statement-breakpoint
CREATE INDEX "links_unresolved" ON "links" USING btree ("stream_id") WHERE unresolved;--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_key" ON "outbox" USING btree ("key");--> statement-breakpoint
CREATE INDEX "outbox_open" ON "outbox" USING btree ("stream_id","id") WHERE state in ('sending', 'uncertain');--> statement-breakpoint
CREATE INDEX "outbox_record" ON "outbox" USING btree ("record_id");--> statement-breakpoint
CREATE UNIQUE INDEX "streams_name" ON "streams" USING btree ("connection","name");--> statement-breakpoint
CREATE INDEX "webhook_events_waiting" ON "webhook_events" USING btree ("connection","received_at") WHERE processed_at is null;