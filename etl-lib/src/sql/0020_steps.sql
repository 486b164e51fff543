-- What people do in which order, and what orders are worth. The events of every hour are read again for it, step by step, by
-- the runs that come. See docs/decisions/2026-11-24-paths-and-alerts.md.
LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile

-- A number for each event name that rollups tell apart; a name that has none counts as `other`. A name keeps its number until
-- a rebuild that no longer tells it apart has ended: then no visit mentions it any more.
CREATE TABLE dw.event_numbers (
  number smallint PRIMARY KEY CHECK (number BETWEEN 0 AND 511),
  event_name text COLLATE "C" NOT NULL
);
INSERT INTO dw.event_numbers
SELECT n, label FROM (
  SELECT row_number() OVER (ORDER BY is_known DESC, label) - 1 AS n, label FROM dw.labels WHERE kind = 'event_name') l
WHERE n < 512;
GRANT SELECT ON dw.event_numbers TO etl_writer, dashboard_reader;
GRANT INSERT, DELETE ON dw.event_numbers TO etl_writer;

-- The visit's events, in no order: millisecond of the hour * 512 + number of the name. At most its first 1,000. Null: not read yet.
ALTER TABLE dw.visits ADD COLUMN steps integer[];

-- Of `checkout_complete`: the sum of the discounted prices, or of the prices where there is none, of those that name one, and their
-- number.
ALTER TABLE dw.hourly_events ADD COLUMN order_value numeric NOT NULL DEFAULT 0, ADD COLUMN priced_orders bigint NOT NULL DEFAULT 0;

INSERT INTO dw.stale_hours (hour) SELECT DISTINCT hour FROM dw.hourly_events;

-- How many of the wanted steps someone took, in their order and within `span` milliseconds of the first. `events`: in order of
-- time, millisecond * 512 + number. For each step it keeps the latest beginning from which it was reached: no other can reach
-- further in time.
CREATE FUNCTION dw.steps_reached(events bigint[], wanted integer[], span bigint) RETURNS integer
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog
AS $$
DECLARE
  begun bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(wanted)]);
  reached integer := 0;
  event bigint;
BEGIN
  FOREACH event IN ARRAY events LOOP
    FOR n IN REVERSE cardinality(wanted)..1 LOOP
      CONTINUE WHEN (event & 511) IS DISTINCT FROM wanted[n];
      IF n = 1 THEN
        begun[1] := event >> 9;
      ELSIF (event >> 9) - begun[n - 1] <= span THEN
        begun[n] := begun[n - 1];
      ELSE
        CONTINUE;
      END IF;
      reached := greatest(reached, n);
    END LOOP;
  END LOOP;
  RETURN reached;
END $$;
