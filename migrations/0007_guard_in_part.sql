ALTER TABLE "streams" ADD COLUMN "harmed" jsonb;--> statement-breakpoint
ALTER TABLE "held_changes" ADD COLUMN "stamp" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "held_changes" ADD COLUMN "decided_by" text;