ALTER TABLE "streams" ADD COLUMN "applied_shape" text;--> statement-breakpoint
ALTER TABLE "plan_lines" ADD COLUMN "harm" text;--> statement-breakpoint
ALTER TABLE "plan_lines" ADD COLUMN "why" text;--> statement-breakpoint
-- Streams of before have had their first pass: nothing of theirs is muted.
update "streams" set "first_synced_at" = coalesce("moved_at", "checked_at") where "checked_at" is not null;
