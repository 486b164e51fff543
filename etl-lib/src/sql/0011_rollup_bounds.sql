-- Refreshing, rebuilding and a new zone go step by step, and what a stranger puts into events has bounds in the rollups.
-- See docs/decisions/2026-11-24-rollups-step-by-step.md.
LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile

-- One row with another time widened the range of its 32 blocks over all the time between: an old day then read most of the
-- table. A range now keeps the times as up to 32 spans.
DROP INDEX public.clickstream_events_event_timestamp;
CREATE INDEX clickstream_events_event_timestamp ON public.clickstream_events
  USING brin (event_timestamp timestamptz_minmax_multi_ops (values_per_range = 64))
  WITH (pages_per_range = 32, autosummarize = on);

-- Summarizing wants the lock that VACUUM holds. It gives up long before it would cancel an autovacuum (deadlock_timeout):
-- a refresh then reads more blocks, and the next one summarizes.
CREATE OR REPLACE FUNCTION dw.summarize_events() RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '100ms'
AS $$
BEGIN
  PERFORM brin_summarize_new_values('public.clickstream_events_event_timestamp');
EXCEPTION WHEN lock_not_available THEN NULL;
END $$;

-- A zone's offset must have been whole hours, and its days begun once, for as long as there are events: from 2000 on.
CREATE FUNCTION dw.whole_hours(zone text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT NOT EXISTS (
    SELECT FROM generate_series(timestamptz '1999-12-31 00:00Z', '2040-01-01 00:00Z', interval '1 day') AS day
    WHERE extract(minute FROM day AT TIME ZONE zone) <> 0 OR extract(second FROM day AT TIME ZONE zone) <> 0)
$$;
CREATE OR REPLACE FUNCTION dw.days_begin_once(zone text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT NOT EXISTS (
    SELECT FROM generate_series(timestamp '1999-12-31', timestamp '2040-01-01', interval '1 day') AS day
    WHERE ((day AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone >= day)
$$;
ALTER TABLE dw.zones DROP CONSTRAINT zones_whole_hours;
ALTER TABLE dw.zones ADD CONSTRAINT zones_whole_hours CHECK (dw.whole_hours(zone));
ALTER TABLE dw.zones ADD COLUMN built_through date; -- of a zone that is being made: its days up to here are
GRANT UPDATE (built_through) ON dw.zones TO etl_writer;

-- The event names and login states that rollups tell apart: the known ones, and others as they come until there are
-- enough. Every further one is `other` there; the raw table holds them all.
CREATE TABLE dw.labels (
  kind text NOT NULL CHECK (kind IN ('event_name', 'login_state')),
  label text COLLATE "C" NOT NULL, -- may be longer than a B-tree entry: there are too few to need one
  is_known boolean NOT NULL DEFAULT false -- always told apart
);
INSERT INTO dw.labels
SELECT 'event_name', name, true FROM unnest(ARRAY['page_view', 'click', 'home_view', 'category_view', 'product_view',
  'add_to_cart_click', 'remove_from_cart_click', 'wishlist_toggle', 'share_click', 'login_open', 'login_success', 'logout',
  'checkout_start', 'checkout_complete', 'other']) AS name
UNION ALL SELECT 'login_state', state, true FROM unnest(ARRAY['logged_in', 'anonymous', 'guest', 'other']) AS state;
INSERT INTO dw.labels
SELECT DISTINCT 'event_name', event_name COLLATE "C" FROM dw.hourly_events
UNION SELECT DISTINCT 'login_state', user_login_state COLLATE "C" FROM dw.hourly_events WHERE user_login_state IS NOT NULL
EXCEPT SELECT kind, label FROM dw.labels;
GRANT SELECT ON dw.labels TO etl_writer, dashboard_reader;
GRANT INSERT, DELETE ON dw.labels TO etl_writer;

-- So too the pairs of category and brand; these two are always told apart.
ALTER TABLE dw.product_groups ADD COLUMN is_known boolean NOT NULL DEFAULT false;
UPDATE dw.product_groups SET is_known = true
WHERE (category IS NULL AND brand IS NULL) OR (category = 'other' AND brand = 'other');
INSERT INTO dw.product_groups (category, brand, is_known)
SELECT category, brand, true FROM (VALUES (NULL, NULL), ('other', 'other')) AS known (category, brand)
WHERE NOT EXISTS (SELECT FROM dw.product_groups g
  WHERE g.category IS NOT DISTINCT FROM known.category AND g.brand IS NOT DISTINCT FROM known.brand);

-- A client keeps its number for ever, and numbers are given without a gap: a sequence lost those of refreshes that failed.
ALTER TABLE dw.clients ALTER COLUMN client DROP IDENTITY;
ALTER TABLE dw.state
  ADD COLUMN next_client bigint NOT NULL DEFAULT 0,
  ADD COLUMN is_rebuilding boolean NOT NULL DEFAULT false; -- rollups of hours that are still marked are the old ones
UPDATE dw.state SET next_client = (SELECT coalesce(max(client) + 1, 0) FROM dw.clients);

GRANT TRUNCATE ON dw.sessions TO etl_writer;
