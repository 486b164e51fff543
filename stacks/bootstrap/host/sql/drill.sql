-- The events against the rollups made of them; hours whose rollups were still to be refreshed when the dump was taken say
-- nothing.
WITH stale AS (
  SELECT DISTINCT date_trunc('hour', hour, 'UTC') AS hour FROM dw.stale_hours
), raw AS (
  SELECT count(*) AS events FROM public.clickstream_events
  WHERE date_trunc('hour', event_timestamp, 'UTC') NOT IN (SELECT hour FROM stale)
), rollup AS (
  SELECT coalesce(sum(events), 0) AS events FROM dw.hourly_events WHERE hour NOT IN (SELECT hour FROM stale)
)
SELECT format('%s, %s events, %s in the rollups', CASE WHEN raw.events = rollup.events THEN 'same' ELSE 'other' END,
  raw.events, rollup.events) FROM raw, rollup;
