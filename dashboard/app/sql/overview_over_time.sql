-- Events by hour, day, week or month of the zone, empty ones included.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 bucket (hour, day, week, month)
WITH counted AS (
  SELECT date_trunc($5, hour AT TIME ZONE $3) AS bucket, sum(events) AS events
  FROM dw.hourly_events
  WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  GROUP BY bucket
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket,
  to_char(bucket + ('1 ' || $5)::interval, 'YYYY-MM-DD HH24:MI:SS') AS bucket_end,
  coalesce(events, 0)::float8 AS events
FROM generate_series(date_trunc($5, $1::date::timestamp), $2::date + interval '23 hours', ('1 ' || $5)::interval) AS bucket
LEFT JOIN counted USING (bucket)
ORDER BY bucket
