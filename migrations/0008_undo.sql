CREATE INDEX "consents_run" ON "consents" USING brin ("run_id");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_undoes" ON "runs" USING btree ("undoes") WHERE undoes is not null;