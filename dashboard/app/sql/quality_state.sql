-- The last whole sweep of the look-back, what the warehouse's host wrote of itself last, and how many events of the newest
-- thousand runs were held against the contract. $1 zone
WITH host AS (
  SELECT * FROM etl.host_state ORDER BY at DESC LIMIT 1
), sweep AS (
  SELECT min(swept_at) AS swept_at, min(sweep_started_at) AS started_at FROM etl.lookbacks
)
SELECT to_char(sweep.swept_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS swept,
  extract(epoch FROM now() - sweep.swept_at)::float8 AS swept_age,
  to_char(sweep.started_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS sweep_started,
  to_char(host.at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS host_at, extract(epoch FROM now() - host.at)::float8 AS host_age,
  1 - data_free_mb::float8 / nullif(data_size_mb, 0) AS data_used, 1 - root_free_mb::float8 / nullif(root_size_mb, 0) AS root_used,
  1 - memory_free_mb::float8 / nullif(memory_size_mb, 0) AS memory_used, connections::float8 / nullif(max_connections, 0) AS connections_used,
  host.load::float8 AS load, processors::int, array_to_string(failed_units[1:10], ', ') AS failed_units,
  (SELECT sum((contract ->> 'checked')::bigint) FROM (SELECT contract FROM etl.runs ORDER BY started_at DESC LIMIT 1000) AS newest)::float8 AS checked,
  extract(epoch FROM now() - backup_at)::float8 AS backup_age, to_char(backup_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS backup
FROM sweep LEFT JOIN host ON true
