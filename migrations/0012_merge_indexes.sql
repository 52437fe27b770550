DROP INDEX "merges_survivor";--> statement-breakpoint
CREATE INDEX "merges_undone" ON "merges" USING btree ("undone_run_id") WHERE undone_run_id is not null;--> statement-breakpoint
CREATE INDEX "merges_of_survivor" ON "merges" USING btree ("survivor_id");--> statement-breakpoint
CREATE INDEX "merges_of_loser" ON "merges" USING btree ("loser_id");