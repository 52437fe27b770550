CREATE TABLE "alert_secrets" (
	"name" text PRIMARY KEY NOT NULL,
	"sealed" "bytea" NOT NULL
);
--> statement-breakpoint
DROP INDEX "alert_deliveries_due";--> statement-breakpoint
ALTER TABLE "alert_deliveries" ADD COLUMN "given_up_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "runs_stream" ON "runs" USING btree ("stream_id","started_at");--> statement-breakpoint
CREATE INDEX "alert_deliveries_open" ON "alert_deliveries" USING btree ("not_before") WHERE delivered_at is null and given_up_at is null;