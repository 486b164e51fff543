-- How fresh the warehouse is. $1 zone
-- A run is due every hour (the schedule's rule); it is late a quarter of an hour after that.
WITH scheduled AS (
  SELECT max(started_at) AS started_at FROM etl.runs WHERE trigger = 'schedule'
), newest AS (
  SELECT finished_at, status FROM etl.runs WHERE finished_at IS NOT NULL AND status IN ('succeeded', 'partial', 'skipped')
  ORDER BY started_at DESC LIMIT 1
)
SELECT
  to_char(state.newest_event_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS newest_event,
  extract(epoch FROM now() - state.newest_event_at)::float8 AS newest_event_age,
  to_char(newest.finished_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS newest_load,
  extract(epoch FROM now() - newest.finished_at)::float8 AS newest_load_age,
  to_char((scheduled.started_at + interval '1 hour') AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS next_due,
  extract(epoch FROM now() - scheduled.started_at - interval '1 hour')::float8 AS overdue,
  (SELECT count(*) FROM dw.stale_hours)::float8 AS stale_hours
FROM dw.state CROSS JOIN scheduled LEFT JOIN newest ON true
