-- What loads put into the table, by the UTC hour of the events: a batch adds the hours of the rows it inserted, in its own
-- transaction. Append-only, so that two batches of one hour never wait for each other; whoever takes rows out of the table
-- on purpose adds what it took, with a minus. The sums of an hour are then those of its rows in the table, and `verify`
-- tells an hour that lost rows, or gained some that no load brought, without reading an object.
LOCK TABLE public.clickstream_events IN SHARE MODE;
CREATE TABLE etl.loaded_hours (
  hour timestamptz NOT NULL,
  rows bigint NOT NULL,
  ids bigint NOT NULL, -- sum of uuid_hash(event_id)
  run_id uuid -- null: was there before hours were noted
);
CREATE INDEX loaded_hours_hour ON etl.loaded_hours (hour);
INSERT INTO etl.loaded_hours (hour, rows, ids)
SELECT date_bin('1 hour', event_timestamp, 'epoch'), count(*), sum(uuid_hash(event_id)::bigint)
FROM public.clickstream_events GROUP BY 1;
GRANT SELECT, INSERT ON etl.loaded_hours TO etl_writer;
GRANT SELECT ON etl.loaded_hours TO dashboard_reader;

-- Which objects an hour's rows can come from. Null: an object without a row, or one loaded before this was noted.
ALTER TABLE etl.objects ADD COLUMN first_event_at timestamptz, ADD COLUMN last_event_at timestamptz;
