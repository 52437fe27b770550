CREATE TABLE "alarms" (
	"key" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"title" text NOT NULL,
	"fix" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"recovered_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "alert_deliveries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alert_deliveries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"message_id" text NOT NULL,
	"channel" text NOT NULL,
	"payload" jsonb NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"not_before" timestamp (3) with time zone NOT NULL,
	"delivered_at" timestamp (3) with time zone,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "erasures_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"record_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"by" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"counts" jsonb NOT NULL,
	"remotes" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "facets" (
	"record_id" bigint PRIMARY KEY NOT NULL,
	"root_id" bigint NOT NULL,
	"fields" json NOT NULL,
	"provenance" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "held_changes" (
	"stream_id" integer NOT NULL,
	"side" text NOT NULL,
	"what" text NOT NULL,
	"record_id" bigint NOT NULL,
	"remote_id" text,
	"title" text NOT NULL,
	"changes" json NOT NULL,
	"verdict" text,
	"seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "held_changes_stream_id_side_what_record_id_pk" PRIMARY KEY("stream_id","side","what","record_id")
);
--> statement-breakpoint
CREATE TABLE "kept_apart" (
	"a" bigint NOT NULL,
	"b" bigint NOT NULL,
	"by" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "kept_apart_a_b_pk" PRIMARY KEY("a","b")
);
--> statement-breakpoint
CREATE TABLE "match_keys" (
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"record_id" bigint NOT NULL,
	CONSTRAINT "match_keys_kind_key_record_id_pk" PRIMARY KEY("kind","key","record_id")
);
--> statement-breakpoint
CREATE TABLE "match_models" (
	"kind" text PRIMARY KEY NOT NULL,
	"model" jsonb NOT NULL,
	"records" integer NOT NULL,
	"trained_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "match_queue" (
	"record_id" bigint PRIMARY KEY NOT NULL,
	"kind" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "merge_moves" (
	"merge_id" integer NOT NULL,
	"what" text NOT NULL,
	"kind" text DEFAULT '' NOT NULL,
	"id" bigint NOT NULL,
	"field" text DEFAULT '' NOT NULL,
	CONSTRAINT "merge_moves_merge_id_what_kind_id_field_pk" PRIMARY KEY("merge_id","what","kind","id","field")
);
--> statement-breakpoint
CREATE TABLE "merges" (
	"id" serial PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"survivor_id" bigint NOT NULL,
	"loser_id" bigint NOT NULL,
	"state" text NOT NULL,
	"rule" text NOT NULL,
	"by" text NOT NULL,
	"run_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"undone_by" text,
	"undone_run_id" bigint,
	"undone_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "plan_lines" (
	"plan_id" bigint NOT NULL,
	"n" integer NOT NULL,
	"stream_id" integer NOT NULL,
	"side" text NOT NULL,
	"op" text NOT NULL,
	"record_id" bigint,
	"remote_id" text,
	"title" text NOT NULL,
	"changes" json NOT NULL,
	CONSTRAINT "plan_lines_plan_id_n_pk" PRIMARY KEY("plan_id","n")
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "plans_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"connections" text[] NOT NULL,
	"state" text NOT NULL,
	"shapes" jsonb NOT NULL,
	"summary" jsonb NOT NULL,
	"by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"decided_by" text,
	"decided_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "quality" (
	"day" date NOT NULL,
	"kind" text NOT NULL,
	"metric" text NOT NULL,
	"field" text DEFAULT '' NOT NULL,
	"value" double precision NOT NULL,
	CONSTRAINT "quality_day_kind_metric_field_pk" PRIMARY KEY("day","kind","metric","field")
);
--> statement-breakpoint
CREATE TABLE "reconciliations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "reconciliations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"stream_id" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"source" integer NOT NULL,
	"hub" integer NOT NULL,
	"drift" jsonb NOT NULL,
	"run_id" bigint
);
--> statement-breakpoint
CREATE TABLE "tombstones" (
	"digest" "bytea" PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"erasure_id" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "assignee" text;--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "snoozed_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "by" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "undoes" bigint;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "approved_shape" text;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "first_synced_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "alert_deliveries_message" ON "alert_deliveries" USING btree ("message_id","channel");--> statement-breakpoint
CREATE INDEX "alert_deliveries_due" ON "alert_deliveries" USING btree ("not_before") WHERE delivered_at is null;--> statement-breakpoint
CREATE INDEX "facets_root" ON "facets" USING btree ("root_id");--> statement-breakpoint
CREATE INDEX "kept_apart_b" ON "kept_apart" USING btree ("b");--> statement-breakpoint
CREATE INDEX "match_keys_record" ON "match_keys" USING btree ("record_id");--> statement-breakpoint
CREATE UNIQUE INDEX "merges_loser" ON "merges" USING btree ("loser_id") WHERE state = 'merged';--> statement-breakpoint
CREATE INDEX "merges_survivor" ON "merges" USING btree ("survivor_id") WHERE state = 'merged';--> statement-breakpoint
CREATE INDEX "merges_run" ON "merges" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "reconciliations_stream" ON "reconciliations" USING btree ("stream_id","at");--> statement-breakpoint
CREATE INDEX "history_run" ON "history" USING brin ("run_id");--> statement-breakpoint
CREATE INDEX "outbox_run" ON "outbox" USING brin ("run_id");--> statement-breakpoint
-- What was here before: streams that have read everything once, and records that nobody has compared yet.
UPDATE "streams" SET "first_synced_at" = coalesce("moved_at", now()) WHERE "cursor" IS NOT NULL;--> statement-breakpoint
INSERT INTO "match_queue" ("record_id", "kind")
	SELECT "id", 'contact' FROM "contacts" WHERE "archived_at" IS NULL
	UNION ALL SELECT "id", 'company' FROM "companies" WHERE "archived_at" IS NULL;
