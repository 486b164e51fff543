-- The newest runs. $1 days of loads to look back ('' all), $2 zone
SELECT to_char(started_at AT TIME ZONE $2, 'YYYY-MM-DD HH24:MI:SS') AS started, trigger, status,
  (events->>'read')::float8 AS read, (events->>'inserted')::float8 AS inserted,
  (events->>'duplicates')::float8 AS duplicates, (events->>'rejected')::float8 AS rejected,
  extract(epoch FROM finished_at - started_at)::float8 AS seconds, left(error->>'message', 300) AS error
FROM etl.runs
WHERE $1::text = '' OR started_at >= now() - nullif($1, '')::int * interval '1 day'
ORDER BY started_at DESC
LIMIT 20
