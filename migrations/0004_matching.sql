CREATE TABLE "match_pairs" (
	"a" bigint NOT NULL,
	"b" bigint NOT NULL,
	"kind" text NOT NULL,
	"probability" double precision NOT NULL,
	"evidence" text NOT NULL,
	"asked" boolean DEFAULT false NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "match_pairs_a_b_pk" PRIMARY KEY("a","b")
);
--> statement-breakpoint
DROP TABLE "match_keys";--> statement-breakpoint
CREATE TABLE "match_keys" (
	"key" bigint NOT NULL,
	"record_id" bigint NOT NULL,
	CONSTRAINT "match_keys_key_record_id_pk" PRIMARY KEY("key","record_id")
);
--> statement-breakpoint
CREATE INDEX "match_keys_record" ON "match_keys" USING btree ("record_id");--> statement-breakpoint
CREATE INDEX "match_pairs_b" ON "match_pairs" USING btree ("b");--> statement-breakpoint
CREATE INDEX "match_pairs_best" ON "match_pairs" USING btree ("kind","probability" DESC NULLS LAST,"a","b");--> statement-breakpoint
CREATE INDEX "inbox_duplicate" ON "inbox" USING btree (((detail->'records'->>1)::bigint)) WHERE kind = 'duplicate' and state = 'open';