-- Sessions of people, of bots and without details. $1 first day, $2 last day, $3 zone, $4 bucket (day, week, month)
WITH counted AS (
  SELECT date_trunc($4, day::timestamp) AS bucket, coalesce(sum(sessions) FILTER (WHERE NOT is_bot), 0) AS people,
    coalesce(sum(sessions) FILTER (WHERE is_bot), 0) AS bots, coalesce(sum(sessions) FILTER (WHERE is_bot IS NULL), 0) AS unknown
  FROM dw.entry_days WHERE zone = $3 AND kind = 'all' AND day BETWEEN $1::date AND $2::date
  GROUP BY 1
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket, coalesce(people, 0)::float8 AS people, coalesce(bots, 0)::float8 AS bots,
  coalesce(unknown, 0)::float8 AS unknown
FROM generate_series(date_trunc($4, $1::date::timestamp), $2::date::timestamp, ('1 ' || $4)::interval) AS bucket
LEFT JOIN counted USING (bucket)
ORDER BY bucket
