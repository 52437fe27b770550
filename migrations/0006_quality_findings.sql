CREATE TABLE "finding_rules" (
	"id" integer PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "findings" (
	"record_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"what" text NOT NULL,
	"field" text NOT NULL,
	"value" text DEFAULT '' NOT NULL,
	"said" text DEFAULT '' NOT NULL,
	"source" text NOT NULL,
	CONSTRAINT "findings_record_id_what_field_value_pk" PRIMARY KEY("record_id","what","field","value")
);
--> statement-breakpoint
CREATE INDEX "findings_group" ON "findings" USING btree ("kind","what","field","value","source","record_id");--> statement-breakpoint
CREATE INDEX "findings_source" ON "findings" USING btree ("kind","what","source","record_id");