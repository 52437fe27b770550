-- The harm of the last hour is kept in slices from here on, and an approval ends; what was kept otherwise is out of date.
UPDATE "streams" SET "harmed" = NULL, "approved" = NULL;
