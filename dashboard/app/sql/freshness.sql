-- What the page must know before anything else. $1 zone ('' or unknown: the default one)
WITH chosen AS (
  SELECT zone FROM dw.zones WHERE zone = $1 OR is_default ORDER BY (zone = $1) DESC LIMIT 1
), newest_run AS (
  SELECT max(finished_at) AS finished_at, max(window_to) FILTER (WHERE status IN ('succeeded', 'skipped')) AS window_to
  FROM (SELECT * FROM etl.runs ORDER BY started_at DESC LIMIT 50) AS runs
)
SELECT
  chosen.zone,
  state.version::text || '/' || coalesce(extract(epoch FROM newest_run.finished_at)::text, '') AS newest_load,
  state.version > 0 AS has_rollups,
  EXISTS (SELECT FROM public.clickstream_events) AS has_events,
  (SELECT count(*) FROM dw.alerts JOIN dw.alert_rules USING (rule) WHERE is_raised AND is_on)::int AS alerts,
  to_char(state.newest_event_at AT TIME ZONE chosen.zone, 'YYYY-MM-DD HH24:MI:SS') AS newest_event,
  -- the data is known to be whole up to here; a day that ends later is unfinished
  to_char(least(now(), greatest(state.newest_event_at, newest_run.window_to)) AT TIME ZONE chosen.zone, 'YYYY-MM-DD HH24:MI:SS')
    AS covered_until
FROM dw.state, chosen, newest_run
