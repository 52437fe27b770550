DROP INDEX "identities_record";--> statement-breakpoint
ALTER TABLE "history" ALTER COLUMN "changes" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "links" ALTER COLUMN "observed" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "links" ALTER COLUMN "base" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "links" ALTER COLUMN "base" SET DEFAULT '{}'::json;