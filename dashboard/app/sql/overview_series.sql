-- Every metric by hour, day, week or month of the zone, empty ones included, beside the same column of the period before.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 bucket (hour, day, week, month),
-- $6 event name of `events` ('' all), $7 and $8 dimension (all, category, brand) and value that `sessions` and `converted` are of
WITH sides AS NOT MATERIALIZED (
  SELECT side, $1::date - side * ($2::date - $1::date + 1) AS first_day, $2::date - side * ($2::date - $1::date + 1) AS last_day
  FROM (VALUES (0), (1)) AS sides (side)
), buckets AS (
  SELECT side, bucket, row_number() OVER (PARTITION BY side ORDER BY bucket) AS n
  FROM sides, generate_series(date_trunc($5, first_day::timestamp), last_day + interval '23 hours', ('1 ' || $5)::interval) AS bucket
), counted AS (
  SELECT side, date_trunc($5, hour AT TIME ZONE $3) AS bucket,
    sum(events) FILTER (WHERE $6::text = '' OR event_name = $6) AS events,
    sum(events) FILTER (WHERE event_name = 'checkout_complete') AS orders, sum(order_value) AS value
  FROM sides JOIN dw.hourly_events ON hour >= first_day::timestamp AT TIME ZONE $3 AND hour < (last_day + 1)::timestamp AT TIME ZONE $3
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  GROUP BY 1, 2
), begun AS (
  SELECT side, date_trunc($5, day::timestamp) AS bucket, sum(sessions) AS sessions, sum(checkouts) AS converted
  FROM sides JOIN dw.funnel_days ON zone = $3 AND day BETWEEN first_day AND last_day
    AND dimension = $7::text AND ($7 = 'all' OR value = $8::text)
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  WHERE $5 <> 'hour'
  GROUP BY 1, 2
  UNION ALL
  SELECT side, date_trunc('hour', first_event_at AT TIME ZONE $3), count(*), count(*) FILTER (WHERE furthest_step = 5)
  FROM sides JOIN dw.sessions ON first_event_at >= first_day::timestamp AT TIME ZONE $3
    AND first_event_at < (last_day + 1)::timestamp AT TIME ZONE $3
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  WHERE $5 = 'hour' AND $7 = 'all'
  GROUP BY 1, 2
), seen AS (
  SELECT side, bucket, sum(bit_count(clients)) AS visitors
  FROM (
    SELECT side, date_trunc($5, day::timestamp) AS bucket, bit_or(clients) AS clients
    FROM sides JOIN dw.day_clients ON zone = $3 AND day BETWEEN first_day AND last_day
      AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
    WHERE $5 <> 'hour'
    GROUP BY side, bucket, chunk
  ) AS chunks
  GROUP BY 1, 2
  UNION ALL
  SELECT side, date_trunc('hour', hour AT TIME ZONE $3), count(DISTINCT client)
  FROM sides JOIN dw.visits ON hour >= first_day::timestamp AT TIME ZONE $3 AND hour < (last_day + 1)::timestamp AT TIME ZONE $3
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  WHERE $5 = 'hour'
  GROUP BY 1, 2
), joined AS (
  SELECT side, n, bucket, coalesce(events, 0)::float8 AS events, coalesce(visitors, 0)::float8 AS visitors,
    coalesce(sessions, 0)::float8 AS sessions, coalesce(converted, 0)::float8 AS converted, coalesce(orders, 0)::float8 AS orders,
    coalesce(value, 0)::float8 AS value
  FROM buckets LEFT JOIN counted USING (side, bucket) LEFT JOIN begun USING (side, bucket) LEFT JOIN seen USING (side, bucket)
)
SELECT to_char(now.bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket,
  to_char(now.bucket + ('1 ' || $5)::interval, 'YYYY-MM-DD HH24:MI:SS') AS bucket_end,
  to_char(before.bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket_before,
  now.events, now.visitors, now.sessions, now.converted, now.orders, now.value,
  before.events AS events_before, before.visitors AS visitors_before, before.sessions AS sessions_before,
  before.converted AS converted_before, before.orders AS orders_before, before.value AS value_before
FROM joined AS now LEFT JOIN joined AS before ON before.side = 1 AND before.n = now.n
WHERE now.side = 0
ORDER BY now.bucket
