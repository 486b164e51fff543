-- Events by day of week (1 = Monday) and hour of day of the zone, with how many of such hours the data covers.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 event name ('' all), $6 local time the data is whole up to
WITH counted AS (
  SELECT extract(isodow FROM hour AT TIME ZONE $3) AS weekday, extract(hour FROM hour AT TIME ZONE $3) AS hour_of_day,
    sum(events) AS events
  FROM dw.hourly_events
  WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
    AND ($5::text = '' OR event_name = $5)
  GROUP BY 1, 2
), covered AS (
  SELECT extract(isodow FROM hour) AS weekday, extract(hour FROM hour) AS hour_of_day, count(*) AS days
  FROM generate_series($1::date::timestamp, least($2::date + interval '23 hours', $6::timestamp), interval '1 hour') AS hour
  GROUP BY 1, 2
)
SELECT weekday::int, hour_of_day::int, coalesce(events, 0)::float8 AS events, coalesce(days, 0)::float8 AS days
FROM generate_series(1, 7) AS weekday CROSS JOIN generate_series(0, 23) AS hour_of_day
LEFT JOIN counted USING (weekday, hour_of_day)
LEFT JOIN covered USING (weekday, hour_of_day)
ORDER BY weekday, hour_of_day
