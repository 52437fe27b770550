ALTER TABLE "erasures" ADD COLUMN "records" bigint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "erasures" ADD COLUMN "run_id" bigint;--> statement-breakpoint
ALTER TABLE "tombstones" ADD COLUMN "said" jsonb;